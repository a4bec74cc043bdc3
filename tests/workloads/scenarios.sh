#!/bin/sh
# usage: scenarios.sh VMSIM WORKDIR [NAME...]: every scenario of
# workloads/scenarios runs, says what it promises in its README (the query
# there gives rows), and can be drawn.
set -u
vmsim=$1 work=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
dir=$here/../../workloads/scenarios
rm -rf "$work"
mkdir -p "$work" && cd "$work" || exit 1
fail=0
bad() { echo "FAIL: $*" >&2; fail=1; }

# the query below a heading of the README
query() {
	awk -v want="### $1" '/^### / { on = $0 == want }
	    /^```/ { sql = on && $0 == "```sql"; next } on && sql' \
	    "$dir/README.md"
}
number() { # database query
	sqlite3 "$1" "$2"
}
# what each one must show: a query that gives 1
shows() {
	case $1 in
	thrashing)
		echo "SELECT (SELECT sum(page_wait) > 4 * sum(running) / 2
		    FROM processes) AND (SELECT sum(majflt) > 500 FROM
		    processes)" ;;
	idle-editors)
		echo "SELECT count(*) = 8 AND min(swapouts) >= 1 AND
		    min(swapped_s) > 20 FROM v_processes
		    WHERE label LIKE 'editor.%'" ;;
	build)
		echo "SELECT count(*) = 4 AND sum(exit_code) = 0 AND
		    max(page_wait) FILTER (WHERE at = 1) >
		    10 * max(page_wait) FILTER (WHERE at = 4) FROM
		    (SELECT *, row_number() OVER (ORDER BY start) AS at FROM
		    processes WHERE name = 'cc1')" ;;
	leak)
		echo "SELECT (SELECT signal = 9 FROM processes WHERE label =
		    'leak') AND (SELECT exit_code = 0 FROM processes WHERE
		    label = 'worker') AND (SELECT count(*) > 0 FROM v_events
		    WHERE kind = 'oom_kill')" ;;
	scan-flood)
		# runs before, hardly during, and again after the scan
		echo "SELECT (SELECT sum(ms) > 4000 FROM v_states WHERE
		    pid = 100 AND state = 'running' AND seconds < 5) AND
		    (SELECT sum(ms) < 5000 FROM v_states WHERE pid = 100 AND
		    state = 'running' AND seconds BETWEEN 15 AND 55) AND
		    (SELECT count(*) > 200 FROM v_faults f WHERE pid = 100 AND
		    kind = 'swap' AND seconds > (SELECT end_s FROM v_processes
		    WHERE label = 'scan'))" ;;
	fork-storm)
		echo "SELECT (SELECT count(*) = 601 AND sum(exit_code) = 0
		    FROM processes) AND (SELECT count(*) > 0 FROM v_states
		    WHERE pid = 100 AND wait = 'vmwait')" ;;
	shared-library)
		echo "SELECT (SELECT majflt > 20 FROM processes WHERE label =
		    'awk.1') AND (SELECT sum(majflt) = 0 FROM processes WHERE
		    label IN ('awk.3', 'awk.4', 'awk.5', 'awk.6'))" ;;
	mapped-files)
		echo "SELECT sum(pages) > 1000 FROM v_io WHERE kind =
		    'vnode_out'" ;;
	rss-limit)
		echo "SELECT count(DISTINCT pid) = 1 AND count(*) > 2 AND
		    max(b) = 512 FROM v_events WHERE kind = 'rss_trim'" ;;
	interactive-batch)
		# a key's answer takes longer once memory is wanted by another
		echo "WITH naps AS (SELECT seconds + ms / 1e3 AS woken,
		    lead(seconds) OVER (PARTITION BY tid ORDER BY seq) AS next
		    FROM v_states WHERE state = 'sleeping' AND pid < 103)
		    SELECT avg(next - woken) FILTER (WHERE woken > 7) >
		    5 * avg(next - woken) FILTER (WHERE woken < 6) AND
		    avg(next - woken) FILTER (WHERE woken < 6) < 0.05 FROM naps
		    WHERE next IS NOT NULL" ;;
	*) echo "SELECT 0" ;;
	esac
}

[ $# -gt 0 ] || set -- $(cd "$dir" && ls ./*.json | sed 's/^\.\///; s/\.json$//')
for name; do
	want=0
	[ "$name" != leak ] || want=137
	"$vmsim" run --scenario "$name" --db "$name.db" --json="$name.json" \
	    >"$name.out" 2>"$name.err"
	rc=$?
	[ $rc -eq $want ] || bad "$name: exit code $rc: $(tail -n 3 "$name.err")"
	query "$name" >"$name.sql"
	[ -s "$name.sql" ] || bad "$name: README.md has no query"
	sqlite3 -bail "$name.db" <"$name.sql" >"$name.rows" ||
	    bad "$name: its query fails"
	[ -s "$name.rows" ] || bad "$name: its query gives no rows"
	[ "$(number "$name.db" "$(shows "$name")")" = 1 ] ||
	    bad "$name does not show what it should"
	# the states of each thread are without gaps, and make up its life
	[ "$(number "$name.db" "SELECT count(*) FROM (SELECT start, lag(end)
	    OVER (PARTITION BY tid ORDER BY seq) AS before FROM states)
	    WHERE start <> before")" = 0 ] || bad "$name: gaps in states"
	[ "$(number "$name.db" "SELECT count(*) FROM processes p WHERE
	    ready + running + page_wait + sleeping + swapped + swap_wait <>
	    (SELECT sum(end - start) FROM states s WHERE s.pid = p.pid)")" = \
	    0 ] || bad "$name: sums of states"
	kills=0
	[ "$name" != leak ] || kills=1
	grep -q "\"oom_kills\": $kills,\$" "$name.json" ||
	    bad "$name: killed processes in JSON"
	[ "$name" != leak ] || "$vmsim" run --scenario leak --no-db 2>&1 |
	    grep -q 'exhausted .*: leak (.*) was killed at' ||
	    bad "$name: the summary does not say what was killed"
	grep -q '"programs": \[' "$name.json" || bad "$name: no programs in JSON"
	"$vmsim" plot processes "$name.db" -o "$name.svg" ||
	    bad "$name: cannot be drawn"
done
exit $fail
