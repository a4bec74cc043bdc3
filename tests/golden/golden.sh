#!/bin/sh
# Golden workloads: runs that must leave exactly the log they left before.
#
# usage: golden.sh VMSIM WORKDIR KERNEL/WORKLOAD...
#        golden.sh --rebaseline VMSIM WORKDIR KERNEL/WORKLOAD...
#
# Each folder holds config.json (machine and arguments) and `expected`: the
# guest's output, the number and hash of all page moves in order (without and
# with their times), and totals. --rebaseline writes `expected` and shows what
# moved; the commit says why.
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
rebaseline=0
if [ "${1-}" = --rebaseline ]; then
	rebaseline=1
	shift
fi
if [ $# -lt 3 ]; then
	sed -n '4,5s/^# //p' "$0" >&2
	exit 64
fi
vmsim=$(realpath "$1") work=$2
shift 2
fail=0

# The facts of a run, one a line.
facts() { # database output
	echo "output $(cat "$2")"
	sqlite3 -separator ' ' "$1" "
	    SELECT 'moves', count(*) FROM transitions;
	    SELECT 'cycles', value FROM summary WHERE name = 'cycles';
	    SELECT 'instructions', value FROM summary
		WHERE name = 'instructions';
	    SELECT 'events', count(*) FROM events;
	    SELECT 'faults', count(*), sum(end - start) FROM faults;
	    SELECT 'io', count(*), sum(pages), sum(finish - queued) FROM io;
	    SELECT 'counter', name, final FROM counters WHERE NOT gauge
		AND final <> 0 AND (name LIKE 'v\_%' ESCAPE '\'
		OR name LIKE 'vm\_faults%' ESCAPE '\') ORDER BY name"
	printf 'moves_hash '
	sqlite3 "$1" "SELECT page, object, pindex, f.name, t.name, p.name,
	    r.name, act FROM transitions m JOIN queue f ON f.id = from_q
	    JOIN queue t ON t.id = to_q JOIN position p ON p.id = pos
	    JOIN reason r ON r.id = m.reason ORDER BY seq" | sha256sum |
	    cut -d' ' -f1
	printf 'log_hash '
	sqlite3 "$1" "SELECT seq, cycle, page FROM transitions ORDER BY seq;
	    SELECT * FROM faults ORDER BY seq; SELECT * FROM io ORDER BY seq;
	    SELECT e.seq, e.cycle, k.name, e.pid, e.a, e.b FROM events e
	    JOIN event_kind k ON k.id = e.kind ORDER BY e.seq" | sha256sum |
	    cut -d' ' -f1
}

for w; do
	dir=$here/$w
	if [ ! -f "$dir/config.json" ]; then
		echo "golden.sh: there is no $w/config.json" >&2
		exit 64
	fi
	rm -rf "${work:?}/$w"
	mkdir -p "$work/$w"
	cp "$here/guest/vmops" "$work/$w/" && chmod +x "$work/$w/vmops"
	(cd "$work/$w" && "$vmsim" run --quiet --sample 100ms --db run.db \
	    --config "$dir/config.json" >out 2>err </dev/null)
	rc=$?
	if [ $rc -ne 0 ]; then
		echo "FAIL $w: exit code $rc: $(head -n 3 "$work/$w/err")" >&2
		fail=1
		continue
	fi
	facts "$work/$w/run.db" "$work/$w/out" >"$work/$w/facts"
	if [ $rebaseline = 1 ]; then
		diff "$dir/expected" "$work/$w/facts" 2>/dev/null
		cp "$work/$w/facts" "$dir/expected"
		echo "$w: written"
	elif diff "$dir/expected" "$work/$w/facts" >"$work/$w/diff"; then
		echo "ok $w"
	else
		echo "FAIL $w: expected (<) and found (>):" >&2
		cat "$work/$w/diff" >&2
		fail=1
	fi
done
exit $fail
