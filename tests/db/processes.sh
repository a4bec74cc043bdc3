#!/bin/sh
# usage: processes.sh VMSIM WORKDIR: what table `processes` says of a shell
# that forks, executes, waits and kills.
set -eu
vmsim=$1 work=$2
db=$work/processes.db
"$vmsim" run --quiet --mem 3M --db "$db" --cwd "$work" -- /bin/sh -c '
	seq 1 20000 | sort -r | tail -n 1
	(exit 3)
	sh -c "kill -9 \$\$"
	exit 5' >/dev/null 2>&1 && exit 1 || [ $? -eq 5 ]

cat >"$work/want" <<'END'
100|0|sh|5|0
101|100|seq|0|0
102|100|sort|0|0
103|100|tail|0|0
104|100|sh|3|0
105|100|sh|signal|9
END
sqlite3 "$db" "SELECT pid, ppid, name, ifnull(exit_code, 'signal'), signal
    FROM processes ORDER BY pid" >"$work/got"
diff "$work/want" "$work/got"

is() { # what want query
	got=$(sqlite3 "$db" "$3")
	if [ "$got" != "$2" ]; then
		echo "$1: $got, not $2" >&2
		exit 1
	fi
}
is "arguments" '["sort","-r"]' 'SELECT argv FROM processes WHERE pid = 102'
is "a fork without exec has its parent's arguments" 1 "SELECT a.argv = b.argv
    FROM processes a, processes b WHERE a.pid = 100 AND b.pid = 104"
is "children outside their parent's time" 0 "SELECT count(*) FROM processes c
    JOIN processes p ON p.pid = c.ppid
    WHERE c.start < p.start OR c.end > p.end"
is "processes without work" 0 'SELECT count(*) FROM processes
    WHERE instructions = 0 OR user_cycles = 0 OR syscalls = 0'
is "faults of unknown processes" 0 "SELECT count(*) FROM faults f
    LEFT JOIN processes p ON p.pid = f.pid WHERE p.pid IS NULL"
is "faults before or after the process" 0 "SELECT count(*) FROM faults f
    JOIN processes p ON p.pid = f.pid
    WHERE f.start < p.start OR f.end > p.end"
is "faults not counted" 0 "SELECT count(*) FROM (SELECT p.pid,
    p.minflt + p.majflt AS said, count(f.seq) AS logged FROM processes p
    LEFT JOIN faults f ON f.pid = p.pid GROUP BY p.pid) WHERE said <> logged"
