#!/bin/sh
# usage: fair.sh VMSIM WORKDIR GUESTDIR: goal: equal processes that only
# compute get equal simulated time within 2 percent: in the end, at any moment
# after each has had a second, and in any stretch that gives each a second;
# on one and on several CPUs, whenever they started, with their work divided or
# their time. Those with other nice values get other shares, more the lower.
# Method: the CPU seconds are sums over the intervals of table states.
set -u
LC_ALL=C
export LC_ALL
vmsim=$1
mkdir -p "$2" && work=$(cd "$2" && pwd) || exit 1
guests=$(cd "$3" && pwd) || exit 1
cp "$guests/spin" "$work/"
cd "$work" || exit 1
fail=0 want=0

run() { # options: what remains is in fair.db
	rm -f fair.db
	"$vmsim" run --quiet --cpu-hz 25MHz --log states --db fair.db \
	    --cwd "$work" "$@" >/dev/null
	rc=$?
	[ $rc != "$want" ] || return 0
	echo "FAIL: vmsim run $*: exit code $rc" >&2
	fail=1
	return 1
}

# Tables of a run: who is compared, when each of them ran, the time between
# the start of the last one (and some rest) and the end of the first one; what
# each has had by then; stretches that give each a second or more, and what
# each got in them.
tables="CREATE TEMP TABLE who AS SELECT pid, user_cycles FROM processes
	    WHERE ppid <> 0 OR label IS NOT NULL;
	CREATE TEMP TABLE ran AS SELECT pid, start, end FROM states
	    WHERE pid IN (SELECT pid FROM who) AND state =
	    (SELECT id FROM thread_state WHERE name = 'running');
	CREATE TEMP TABLE common AS SELECT max(a) + rest AS a, min(b) AS b FROM
	    one, (SELECT min(start) AS a, max(end) AS b FROM ran GROUP BY pid);
	CREATE TEMP TABLE had AS SELECT pid, sum(end - start) AS cycles
	    FROM (SELECT pid, max(start, a) AS start, min(end, b) AS end
	    FROM ran, common WHERE start < b AND end > a) GROUP BY pid;
	CREATE TEMP TABLE stretch AS
	    WITH RECURSIVE n(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM n
	    WHERE k < 60)
	    SELECT k, a AS lo, a + share + k * share / 7 AS hi
	        FROM n, common, one WHERE a + share + k * share / 7 <= b
	    UNION ALL
	    SELECT 100 + k, a + k * share / 3, a + k * share / 3 + share
	        FROM n, common, one WHERE a + k * share / 3 + share <= b;
	CREATE TEMP TABLE got AS SELECT k, pid, coalesce(sum(min(end, hi) -
	    max(start, lo)), 0) AS cycles FROM stretch JOIN who LEFT JOIN ran
	    USING (pid) WHERE end > lo AND start < hi GROUP BY k, pid;"
# Each gives what is wrong, at most one line.
wrong="SELECT 'in all: ' || min(user_cycles) || ' to ' || max(user_cycles)
	    FROM who HAVING min(user_cycles) * 100 < max(user_cycles) * 98;
	SELECT 'when the first one ended: ' || min(cycles) || ' to ' ||
	    max(cycles) FROM had HAVING min(cycles) * 100 < max(cycles) * 98;
	SELECT 'in stretch ' || k || ': ' || min(cycles) || ' to ' ||
	    max(cycles) FROM got GROUP BY k HAVING
	    min(cycles) * 100 < max(cycles) * 98 LIMIT 1;
	SELECT 'too short' WHERE (SELECT count(*) FROM stretch) < 20;
	SELECT 'not enough processes' WHERE (SELECT count(*) FROM who) <> "

equal() { # cpus processes what [seconds of rest]
	share="CREATE TEMP TABLE one AS SELECT 25000000 * $2 / $1 AS share,
	    25000000 * ${4:-0} AS rest;"
	if ! sqlite3 -bail fair.db "$share $tables $wrong $2" >wrong.txt ||
	    [ -s wrong.txt ]; then
		echo "FAIL: $2 equal processes on $1 CPUs, $3:" >&2
		cat wrong.txt >&2
		fail=1
	else
		echo "ok: $2 processes on $1 CPUs, $3"
	fi
}

spin() { # cpus processes
	# 6 s each; several CPUs are slow to simulate
	run --cpus "$1" -- ./spin "$2" $(((5 + ($1 == 1)) * 1000 * $2 / $1)) &&
	    equal "$1" "$2" "ended together"
}

for n in 2 3 5 8 16; do spin 1 $n; done
for n in 3 4 5 8; do spin 2 $n; done
for n in 4 6 9; do spin 4 $n; done

# The same work: who ends first has not had more than the others.
cat >work.json <<'END'
{ "processes": [ { "name": "w", "program": "/guest/cpu_hog", "count": 8,
    "args": ["--ops", "6000000"] } ] }
END
run --scenario ./work.json && equal 1 8 "the same work"
ends=$(sqlite3 fair.db "SELECT min(end) * 100 >= max(end) * 98 FROM processes")
[ "$ends" = 1 ] || {
	echo "FAIL: the same work does not end together" >&2
	fail=1
}

# Started one after the other, while those before them compute: they catch up
# a little as long as their priority remembers that they have had less.
cat >late.json <<'END'
{ "max_time": "60s", "processes": [ { "name": "w", "count": 4,
    "every": "700ms", "program": "/guest/cpu_hog",
    "args": ["--ops", "1000000000"] } ] }
END
want=124
run --scenario ./late.json && sqlite3 fair.db "
    UPDATE processes SET user_cycles = 1" &&
    equal 1 4 "one after the other" 30

# Nice values: two and two are equal, each pair has less than the one before.
cat >nice.json <<'END'
{ "max_time": "40s", "processes": [
  { "name": "n.-5", "program": "/guest/cpu_hog", "nice": -5, "count": 2,
    "args": ["--ops", "1000000000"] },
  { "name": "n.0", "program": "/guest/cpu_hog", "count": 2,
    "args": ["--ops", "1000000000"] },
  { "name": "n.10", "program": "/guest/cpu_hog", "nice": 10, "count": 2,
    "args": ["--ops", "1000000000"] },
  { "name": "n.20", "program": "/guest/cpu_hog", "nice": 20, "count": 2,
    "args": ["--ops", "1000000000"] } ] }
END
run --scenario ./nice.json
want=0
sqlite3 fair.db "CREATE TEMP TABLE n AS SELECT substr(label, 1,
	length(label) - 2) AS name, min(running) AS lo, max(running) AS hi
	FROM processes GROUP BY 1;
	SELECT name || ': ' || lo || ' to ' || hi FROM n WHERE
	    lo * 100 < hi * 98 AND name <> 'n.20';
	SELECT 'nice: ' || group_concat(name || ' ' || lo, ', ') FROM n HAVING
	    count(*) <> 4 OR min(lo) = 0 OR NOT
	    (SELECT a.lo > b.lo * 5 / 4 AND b.lo > c.lo * 2 AND
	    c.lo > d.lo * 2 FROM n a, n b, n c, n d WHERE a.name = 'n.-5' AND
	    b.name = 'n.0' AND c.name = 'n.10' AND d.name = 'n.20')" >wrong.txt
if [ -s wrong.txt ]; then
	echo "FAIL: nice values:" >&2
	cat wrong.txt >&2
	fail=1
else
	echo "ok: nice values"
fi

# Who types does not wait for those who compute, whatever they do: once all
# have run for a second and the scheduler knows who is who.
cat >keys.json <<'END'
{ "max_time": "20s", "processes": [
  { "name": "editor", "program": "/guest/editor", "args": ["--size", "256K",
    "--idle", "100", "--rounds", "150", "--touch", "16", "--seed", "1"] },
  { "name": "hog", "program": "/guest/cpu_hog", "count": 4,
    "args": ["--ops", "1000000000"] } ] }
END
want=124
run --scenario ./keys.json
want=0
keys=$(sqlite3 fair.db "SELECT exit_code = 0 AND
    total((t.name = 'ready') * (s.end - s.start)) * 20 <
    total((t.name = 'running') * (s.end - s.start)) FROM processes p
    JOIN states s ON s.pid = p.pid AND s.start > 50000000
    JOIN thread_state t ON t.id = s.state WHERE label = 'editor'")
[ "$keys" = 1 ] || {
	echo "FAIL: the editor waits for the hogs" >&2
	fail=1
}

# The quantum is the one that is set, from when it is set.
slices() { # quantum in ms, options: at least ten of it
	ms=$1
	shift
	run "$@" -- ./spin 2 3000 || return
	n=$(sqlite3 fair.db "SELECT count(*) FROM states WHERE
	    (end - start) / 25000 = $ms")
	[ "$n" -ge 10 ] || {
		echo "FAIL: $*: $n slices of $ms ms" >&2
		fail=1
	}
}
slices 5
slices 100 --set kern.quantum=100000
slices 100 --set kern.quantum=100000@1s
# and so is the cost of a switch: 2 ms of each slice
slices 7 --set cost.context_switch=50000@1s
exit $fail
