#!/bin/sh
# usage: run.sh VMSIM WORKDIR docs/database.md: docs.sh on the database of a
# sort with less memory than it wants; then what must be true of any run.
set -eu
vmsim=$1 work=$2 md=$3
db=$work/run.db
awk 'BEGIN {
	x = 7
	for (i = 0; i < 30000; i++) {
		x = (x * 1103515245 + 12345) % 2147483648
		printf "%d line %d with some more text\n", x, i
	}
}' >"$work/in.txt"
"$vmsim" run --quiet --mem 2M --db "$db" --cwd "$work" -- \
    /usr/bin/sort -S 20M in.txt >/dev/null
"$(dirname "$0")/docs.sh" "$db" "$md"

is() { # what want query
	got=$(sqlite3 "$db" "$3")
	if [ "$got" != "$2" ]; then
		echo "$1: $got, not $2" >&2
		exit 1
	fi
}
is integrity ok 'PRAGMA integrity_check'
is status complete "SELECT value FROM meta WHERE key = 'status'"
is "an exit code" 0 "SELECT value FROM summary WHERE name = 'exit_code'"
is "processes that ended" 1 'SELECT count(*) FROM processes WHERE end > start'
is "codes without a name" 0 "SELECT count(*) FROM v_transitions WHERE
    reason IS NULL OR from_queue IS NULL OR to_queue IS NULL"
is "time going back" 0 "SELECT count(*) FROM (SELECT cycle, lag(cycle) OVER
    (ORDER BY seq) AS before FROM transitions) WHERE cycle < before"
# each page leaves the queue that it was put on; none, wired and busy are on no
# queue, and change into one another without a move
is "moves from a queue the page was not on" 0 "SELECT count(*) FROM (
    SELECT iif(f.name IN ('none', 'wired', 'busy'), 'off', f.name) AS before,
	lag(iif(g.name IN ('none', 'wired', 'busy'), 'off', g.name))
	OVER (PARTITION BY page ORDER BY seq) AS was
    FROM transitions t JOIN queue f ON f.id = t.from_q
    JOIN queue g ON g.id = t.to_q) WHERE before <> was"
is "faults that end before they start" 0 \
    'SELECT count(*) FROM faults WHERE end < start'
is "transfers out of order" 0 \
    'SELECT count(*) FROM io WHERE NOT (queued <= start AND start <= finish)'
is "parts of a service that exceed it" 0 "SELECT count(*) FROM io WHERE
    overhead + seek + rotation + transfer > finish - start"
is "user, kernel and idle time against the clock" 1 "SELECT sum(value) =
    (SELECT value FROM summary WHERE name = 'cycles') FROM summary
    WHERE name IN ('user_cycles', 'kernel_cycles', 'idle_cycles')"
is "paging in a tight machine" 1 "SELECT count(*) > 100 FROM v_io WHERE
    kind = 'swap_out' OR kind = 'swap_in'"
is "names of files" 1 "SELECT count(*) > 0 FROM objects WHERE
    name = '/usr/bin/sort'"
