#!/bin/sh
# usage: waits.sh VMSIM WORKDIR: goal: a thread that waits for free memory waits
# for the page daemon's rests (docs/waiting.md) and for nothing else; no wake-up
# is missed. Method: the same run with other rests makes the same decisions and
# its waiting is the sum of its rests; free and cached pages at any cycle,
# summed up from all page moves, are compared with who sleeps for them.
set -u
LC_ALL=C
export LC_ALL
vmsim=$1
mkdir -p "$2" && cd "$2" || exit 1
fail=0
bad() { echo "FAIL: $*" >&2; fail=1; }

run() { # database scenario [options]
	db=$1 scenario=$2
	shift 2
	rm -f "$db"
	"$vmsim" run --quiet --scenario "./$scenario" --db "$db" "$@" \
	    >"$db.out" 2>"$db.err" || {
		bad "$scenario $*: exit code $?: $(cat "$db.err")"
		exit 1
	}
}

# Cycles during which a thread sleeps for memory (pfault, vmwait): all of
# them, and those at which v_free_min pages are free or cached.
waiting() { # database
	sqlite3 -bail -separator ' ' "$1" "
	CREATE TEMP TABLE fc AS SELECT id FROM queue
	    WHERE name IN ('free', 'cache');
	CREATE TEMP TABLE change AS SELECT cycle AS t, 2 AS o, seq,
	    (to_q IN fc) - (from_q IN fc) AS pages, 0 AS sleepers
	    FROM transitions WHERE (to_q IN fc) <> (from_q IN fc);
	INSERT INTO change SELECT start, 1, s.seq, 0, 1 FROM states s
	    JOIN wait_message w ON w.id = s.wait
	    WHERE w.name IN ('pfault', 'vmwait');
	INSERT INTO change SELECT end, 0, s.seq, 0, -1 FROM states s
	    JOIN wait_message w ON w.id = s.wait
	    WHERE w.name IN ('pfault', 'vmwait');
	CREATE TEMP TABLE base AS SELECT v_free_count + v_cache_count -
	    (SELECT total(pages) FROM change WHERE t <= cycle) AS pages,
	    (SELECT CAST(value AS INTEGER) FROM tunables
		WHERE name = 'vm.v_free_min') AS least
	    FROM samples ORDER BY cycle LIMIT 1;
	WITH level AS (SELECT t, lead(t) OVER w AS till,
		sum(pages) OVER w AS pages, sum(sleepers) OVER w AS sleepers
		FROM change WINDOW w AS (ORDER BY t, o, seq))
	SELECT CAST(total(till - t) AS INTEGER),
	    CAST(total(iif(level.pages + base.pages >= least, till - t, 0))
		AS INTEGER)
	    FROM level, base WHERE sleepers > 0"
}

# One program on a fast disk, half as much again as memory. With an update
# period (0 at boot: 600 s) the daemon also looks at an active page now and then
# because time has passed; whether that one is let go depends on the program's
# layout.
cat >hog.json <<'END'
{ "machine": "server-2016", "kernel_mem": 0, "mem": "4M", "cpus": 1,
  "max_time": "2m",
  "processes": [ { "name": "hog", "program": "/guest/rss_hog",
    "args": ["--size", "6M", "--rounds", "3"] } ] }
END
facts="SELECT name, final FROM counters WHERE name IN ('v_swappgsin',
    'v_swappgsout', 'v_vm_faults', 'v_dfree', 'v_intrans')"
for rest in 500 50 5; do
	run hog.$rest hog.json --set vm.pageout_rest=$rest \
	    --set vm.pageout_update_period=0@1us
	rests=$(sqlite3 hog.$rest "SELECT count(*) FROM v_events
	    WHERE kind = 'rest'")
	# shellcheck disable=SC2046
	set -- $(waiting hog.$rest)
	[ "$rests" -gt 20 ] || bad "$rests rests"
	[ "$2" = 0 ] || bad "rest $rest: $2 cycles of waiting for what is there"
	# 2.4 million cycles a millisecond; a rest and what the scans take
	awk -v waited="$1" -v rests="$rests" -v rest="$rest" 'BEGIN {
		ms = waited / 2400000
		exit !(ms >= rests * rest * 0.98 && ms <= rests * (rest + 0.5))
	}' || bad "rest $rest: $rests rests, but $1 cycles of waiting"
	sqlite3 hog.$rest "$facts" >hog.$rest.facts
	cmp -s hog.$rest.out hog.500.out || bad "rest $rest: another output"
	cmp -s hog.$rest.facts hog.500.facts || {
		bad "rest $rest: other decisions"
		diff hog.500.facts hog.$rest.facts >&2
	}
	echo "ok: rest $rest ms: $rests rests, $1 cycles of waiting"
done

# Half a tick is none: the daemon rests for one, not for ever.
run slow.db hog.json --set kern.hz=1
cmp -s slow.db.out hog.500.out || bad "kern.hz=1: another output"

# Many on several CPUs, whose clocks differ by microseconds.
cat >crowd.json <<'END'
{ "machine": "server-2016", "kernel_mem": 0, "mem": "24M", "cpus": 4,
  "max_time": "2m",
  "processes": [ { "name": "e", "program": "/guest/editor", "count": 120,
    "every": "2ms", "args": ["--size", "256K", "--idle", "300", "--rounds",
    "8", "--touch", "24", "--seed", "{i}"] } ] }
END
run crowd.db crowd.json
# shellcheck disable=SC2046
set -- $(waiting crowd.db)
[ "$1" -gt 2400000000 ] || bad "crowd: only $1 cycles of waiting"
[ "$2" -lt 2400000 ] || bad "crowd: $2 cycles of waiting for what is there"
# Asked for, the daemon comes, and again after each rest.
late=$(sqlite3 crowd.db "SELECT count(*) FROM v_states s WHERE
    wait IN ('pfault', 'vmwait') AND ms > 510 * (1 + (SELECT count(*)
    FROM v_events e WHERE e.kind = 'scan' AND
    e.seconds BETWEEN s.seconds AND s.seconds + s.ms / 1e3))")
[ "$late" = 0 ] || bad "crowd: $late waits without the daemon"
echo "ok: crowd: $1 cycles of waiting, $2 of them for what is there"
exit $fail
