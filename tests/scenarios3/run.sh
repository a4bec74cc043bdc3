#!/bin/sh
# Rare situations, brought about by small guests and told by the queries of
# docs/database.md ("When something special happens").
#
# usage: run.sh VMSIM GUEST WORKDIR NAME
#	NAME: domains oom victim panic contig rss limited racct lock advise
#	truncate lowmem readerror later
set -u
LC_ALL=C
export LC_ALL
if [ $# -ne 4 ]; then
	sed -n '5,8s/^# //p' "$0" >&2
	exit 64
fi
vmsim=$(realpath "$1") guest=$(realpath "$2") work=$3/$4 name=$4
docs=$(cd "$(dirname "$0")/../.." && pwd)/docs/database.md
rm -rf "$work"
mkdir -p "$work" && cd "$work" || exit 1
cp "$guest" memory || exit 1
fail=0
bad() {
	echo "FAIL $name: $*" >&2
	fail=1
}

# run WANT-EXIT-CODE OPTION... -- ARGUMENT...: the guest, into out and run.db
run() {
	want=$1
	shift
	"$vmsim" run --quiet --check --sample 100ms --db run.db "$@" \
	    >out 2>err </dev/null
	rc=$?
	[ $rc -eq "$want" ] ||
	    bad "$*: exit code $rc, not $want: $(head -n 3 err)"
}

# The same arguments on the host.
host() {
	NOSLEEP=1 ./memory "$@"
}
same_as_host() {
	host "$@" >host.out 2>/dev/null </dev/null
	cmp -s out host.out || bad "memory $*: the output differs from the host's"
}

# doc TITLE: the query under that heading, as CSV without a header
doc() {
	awk -v t="### $1" 'index($0, t) == 1 { on = 1 }
	    on && /^```sql/ { p = 1; next } p && /^```/ { exit } p' \
	    "$docs" >q.sql
	[ -s q.sql ] || bad "no query under '$1' in docs/database.md"
	sqlite3 -csv run.db <q.sql | tr -d '\r"'
}

# is WHAT WANT GOT
is() {
	[ "$2" = "$3" ] || bad "$1: $3, not $2"
}

sql() {
	sqlite3 run.db "$1"
}

# A row must meet a condition in awk: row TEXT CONDITION
row() {
	[ -n "$1" ] || bad "no row where $2"
	echo "$1" | awk -F , "!($2) { bad = 1 } END { exit bad }" ||
	    bad "not so: $2: $1"
}

case $name in
domains)
	for d in 1 2 4; do
		for policy in rr first-touch; do
			run 0 --mem 4M --domains $d --set \
			    vm.default_policy=$policy -- ./memory touch 8 4
			same_as_host touch 8 4
			doc "Domains" >rows
			is "$d domains" $d "$(wc -l <rows)"
			row "$(cat rows)" "\$2 == 1024 / $d && \$4 > 10 &&
			    \$5 > 5 && \$3 > 200 / $d"
			sql "SELECT count(*) FROM transitions" >moves.$d.$policy
			# in turn: no domain gets a tenth more than another
			[ $policy = rr ] || continue
			row "$(awk -F , '{ n[NR] = $3 } END {
			    for (i = 1; i <= NR; i++) {
				if (i == 1 || n[i] < lo) lo = n[i]
				if (n[i] > hi) hi = n[i]
			    }
			    print lo "," hi }' rows)" '$2 * 10 <= $1 * 13'
		done
	done
	is "one domain, whatever the policy" "$(cat moves.1.rr)" \
	    "$(cat moves.1.first-touch)"
	# with memory enough, only the own domain of the only CPU is used
	run 0 --mem 16M --domains 2 --set vm.default_policy=first-touch -- \
	    ./memory touch 1 2
	row "$(doc Domains | sed -n 2p)" '$3 == 0'
	;;
oom)
	# one domain after the other must have voted
	run 137 --max-time 2000s --mem 3M --swap 3M --domains 2 -- ./memory touch 12 2
	doc "Out of memory" >rows
	is "the end" "oom_vote oom oom_kill" \
	    "$(tail -n 3 rows | cut -d, -f2 | tr '\n' ' ' | sed 's/ $//')"
	row "$(grep oom_vote rows | tail -n 1)" '$4 == 2'
	row "$(tail -n 1 rows)" '$6 == "memory" && $7 > 1000 && $9 == 9 &&
	    $8 >= $1 && $8 - $1 < 1'
	is "a kill before every domain has voted" 0 "$(sql "SELECT count(*)
	    FROM v_events k WHERE kind = 'oom' AND 2 > (SELECT count(DISTINCT a)
	    FROM v_events WHERE kind = 'oom_vote' AND seq < k.seq)")"
	# twelve fruitless scans of a domain before its vote
	is "fruitless scans before a vote" 1 "$(sql "SELECT min(n) >= 12 FROM
	    (SELECT (SELECT count(*) FROM v_events s WHERE s.kind = 'scan_end'
	    AND s.a = s.b AND s.a > 0 AND s.seq < v.seq) AS n FROM v_events v
	    WHERE kind = 'oom_vote')")"
	run 137 --mem 4M --swap 4M --set vm.pageout_oom_seq=3 -- \
	    ./memory touch 12 2
	is "a sequence of 3 is sooner than one of 12" 1 "$(sql "SELECT seconds
	    < 8 FROM v_events WHERE kind = 'oom_kill'")"
	;;
victim)
	# the largest is killed, its parent is told, the others go on
	cat >s.json <<-'END'
	{ "mem": "4M", "swap": "4M", "disks": [ { "model": "fixed10ms" } ],
	  "processes": [
	    { "name": "small", "program": "./memory",
	      "args": ["idle", "1", "10"], "stdout": "inherit" },
	    { "name": "large", "program": "./memory", "start": "1s",
	      "args": ["touch", "12", "2"] },
	    { "name": "parent", "program": "./memory", "start": "2s",
	      "args": ["wait", "1"] } ] }
	END
	run 137 --scenario ./s.json
	host idle 1 10 >want
	grep -qFx "$(cat want)" out || bad "the small one's output: $(cat out)"
	grep -q "child: exit 0" out || bad "the parent's output: $(cat out)"
	row "$(doc "Out of memory" | grep oom_kill)" '$5 == 101 && $9 == 9'
	is "others that a signal ended" 0 "$(sql "SELECT count(*)
	    FROM processes WHERE signal <> 0 AND pid <> 101")"
	# a parent sees its child killed
	run 0 --mem 4M --swap 4M -- ./memory wait 12
	grep -q "child: signal 9" out || bad "the parent's output: $(cat out)"
	row "$(doc "Out of memory" | grep oom_kill)" '$7 > 1000 && $9 == 9'
	is "the victim's parent" 100 "$(sql "SELECT ppid FROM processes WHERE
	    signal = 9")"
	;;
panic)
	run 125 --mem 4M --swap 4M --set vm.panic_on_oom=1 --json=sum.json -- \
	    ./memory touch 12 2
	grep -q '"panicked": *"out of swap space"' sum.json ||
	    bad "the JSON summary does not say why"
	is "status" incomplete "$(sql "SELECT value FROM meta WHERE key = 'status'")"
	is "ended" panicked "$(sql "SELECT value FROM meta WHERE key = 'ended'")"
	is "last event" panic "$(sql "SELECT kind FROM v_events ORDER BY seq
	    DESC LIMIT 1")"
	is "killed" 0 "$(sql "SELECT count(*) FROM v_events WHERE
	    kind = 'oom_kill'")"
	is "integrity" ok "$(sql "PRAGMA integrity_check")"
	"$vmsim" run --no-db --mem 4M --swap 4M --set vm.panic_on_oom=1 -- \
	    ./memory touch 12 2 >out 2>err
	is "exit code" 125 $?
	grep -q "the simulated kernel panicked (out of swap space)" err ||
	    bad "the summary does not say why: $(head -n 1 err)"
	;;
contig)
	# 1 MB of free memory at once; later all is dirty
	run 0 --mem 6M --contig 256@0s,hold=10ms --contig 128@2s,align=64K \
	    --contig 1500@3s --contig 64@4s,low=1M,high=3M,hold=1s -- \
	    ./memory sleep 5 6
	same_as_host sleep 5 6
	doc "Contiguous" >rows
	is "requests" 4 "$(wc -l <rows)"
	row "$(sed -n 1p rows)" '$3 == 256 && $4 == 0 && $5 != ""'
	row "$(sed -n 2p rows)" '$3 == 128 && $4 >= 2 && $5 % 16 == 0 &&
	    $5 != "" && $7 > 0 && $8 > 0 && $6 > 0'
	row "$(sed -n 3p rows)" '$3 == 1500 && $4 == 3 && $5 == ""'
	row "$(sed -n 4p rows)" '$3 == 64 && $5 >= 256 && $5 + 64 <= 768'
	is "given back" 2 "$(sql "SELECT count(*) FROM v_events WHERE
	    kind = 'contig_free'")"
	is "pages of a request that were taken from others" 0 "$(sql "SELECT
	    count(*) FROM v_transitions t JOIN v_events e ON e.kind =
	    'contig_end' AND e.b = 2 WHERE t.page BETWEEN e.a AND e.a + 127
	    AND t.seconds > e.seconds AND t.reason NOT IN ('contig')")"
	cat >c.json <<-'END'
	{ "mem": "6M", "contig": [ { "at": "1s", "pages": 8, "align": "32K",
	    "boundary": "64K", "low": "64K", "high": "5M", "hold": "1s" } ] }
	END
	run 0 --config c.json -- ./memory idle 1 3
	row "$(doc Contiguous)" '$3 == 8 && $4 == 0 && $5 % 8 == 0 && $5 >= 16'
	;;
rss)
	# RLIMIT_RSS binds when memory is short
	run 0 --mem 3M -- ./memory rss 4 3 1024
	same_as_host rss 4 3 1024
	row "$(doc Limits)" '$2 == "memory" && $3 > 3 && $4 > 256 && $5 == 256'
	is "pages trimmed" 1 "$(sql "SELECT count(*) > 1000 FROM v_transitions
	    WHERE reason = 'rss_deactivate'")"
	run 0 --mem 3M -- ./memory idle 4 3
	is "rows without a limit" 0 "$(doc Limits | wc -l)"
	run 0 --mem 3M --rss-limit 1M -- ./memory idle 4 3
	row "$(doc Limits)" '$5 == 256'
	run 0 --mem 16M --rss-limit 1M -- ./memory idle 4 3
	is "rows with memory enough" 0 "$(doc Limits | wc -l)"
	;;
limited)
	# the same program twice, one of them limited
	cat >s.json <<-'END'
	{ "mem": "6M", "processes": [
	    { "name": "free", "program": "./memory", "args": ["idle", "4", "12"],
	      "stdout": "inherit" },
	    { "name": "held", "program": "./memory", "args": ["idle", "4", "12"],
	      "stdout": "inherit", "rss_limit": "1M" } ] }
	END
	run 0 --scenario ./s.json
	host idle 4 12 >want
	is "equal outputs" 2 "$(grep -cFx "$(cat want)" out)"
	doc Limits >rows
	is "processes held" 1 "$(wc -l <rows)"
	row "$(cat rows)" '$1 == 101 && $3 > 3 && $5 == 256'
	is "pages taken from the other one by its limit" 0 "$(sql "SELECT
	    count(*) FROM v_transitions WHERE reason = 'rss_deactivate' AND
	    object IN (SELECT object FROM v_faults WHERE pid = 100
	    AND kind = 'zero_fill')")"
	is "pages taken from the limited one" 1 "$(sql "SELECT
	    count(*) > 50 FROM v_transitions WHERE reason = 'rss_deactivate'
	    AND object IN (SELECT object FROM v_faults WHERE pid = 101
	    AND kind = 'zero_fill')")"
	;;
racct)
	# accounting looks once a second, however much memory there is; a
	# quarter at a time
	run 0 --mem 16M --racct-rss 2M --set kern.racct.enable=1 -- \
	    ./memory idle 4 6
	same_as_host idle 4 6
	row "$(doc Limits)" '$2 == "memory" && $3 >= 6 && $4 > 1000 &&
	    $5 == 512'
	is "a first trim by more than a quarter" 1 "$(sql "SELECT 4 * b > 3 * a - 4
	    FROM v_events WHERE kind = 'rss_trim' ORDER BY seq LIMIT 1")"
	"$vmsim" run --no-db --racct-rss 2M -- ./memory touch 1 1 >out 2>err
	is "exit code without accounting" 78 $?
	;;
lock)
	run 0 --mem 3M -- ./memory lock 64 6
	same_as_host lock 64 6
	row "$(doc Wired)" '$1 == 64 && $2 == 64 && $3 > 0.1 && $5 == 0'
	# a third of the free pages at most
	run 3 --mem 3M -- ./memory lock 400 6
	grep -q "mlock: Cannot allocate memory" err || bad "$(cat err)"
	run 0 --mem 3M --set vm.max_wired=500 -- ./memory lock 400 1
	;;
advise)
	run 0 --mem 3M -- ./memory advise 6
	same_as_host advise 6
	doc "Advice" >rows
	for r in "dontneed,active,inactive,tail" "dontneed,active,inactive,head" \
	    "willneed,inactive,active,tail"; do
		grep -q "^$r," rows || bad "no row $r: $(cat rows)"
	done
	;;
truncate)
	run 135 --mem 4M -- ./memory truncate
	is "output" abc "$(cat out)"
	row "$(doc Signals)" '$2 == "memory" && $3 == 7 && $6 == "-w-" && $8 == 0'
	is "pages freed by the truncation" 5 "$(sql "SELECT count(*) FROM
	    v_transitions WHERE reason = 'object_truncate'
	    AND object_type = 'vnode' AND to_queue = 'free'")"
	;;
lowmem)
	run 124 --mem 5M --kernel-mem 1M --max-time 45s \
	    --set vm.lowmem_pages=32 --set vm.uma_reclaim_pages=16 -- \
	    ./memory idle 5 60
	row "$(doc "Low memory")" '$1 == 4 && $2 >= 9 && $2 < 10 && $3 == 192'
	is "least time between calls" 1 "$(sql "SELECT min(d) > 9 FROM (SELECT
	    seconds - lag(seconds) OVER (ORDER BY seq) AS d FROM v_events
	    WHERE kind = 'lowmem')")"
	is "pages at the end" 1216 "$(sql "SELECT final FROM counters
	    WHERE name = 'v_page_count'")"
	;;
readerror)
	# a page that cannot be read is a SIGBUS, from a file and from swap
	head -c 4000000 /dev/zero | tr '\0' 'x' >data
	run 0 --mem 8M -- ./memory read data
	same_as_host read data
	run 135 --mem 8M --set inject.io_read_error=1000000@70ms -- \
	    ./memory read data
	[ ! -s out ] || bad "a sum of what could not be read: $(cat out)"
	row "$(doc Signals)" '$2 == "memory" && $3 == 7 && $6 == "r--" && $8 > 0'
	is "the unreadable file" 1 "$(sql "SELECT count(*) FROM v_events e
	    JOIN objects o ON o.id = e.a WHERE e.kind = 'io_error'
	    AND o.name LIKE '%/data'")"
	run 135 --mem 3M --set inject.io_read_error=1000000@8s -- \
	    ./memory idle 6 30
	row "$(doc Signals)" '$3 == 7 && $4 > 6 && $8 > 0'
	is "the first transfer that failed is that fault's" 1 "$(sql "SELECT
	    count(*) FROM v_events e JOIN v_faults f ON f.kind = 'error'
	    AND abs(e.seconds - f.seconds - f.latency_us / 1e6) < 0.001
	    WHERE e.kind = 'io_error' AND e.seq = (SELECT min(seq)
	    FROM v_events WHERE kind = 'io_error') AND f.seq = (SELECT min(seq)
	    FROM v_faults WHERE kind = 'error')")"
	"$vmsim" run --no-db --mem 8M --set inject.io_read_error=1000000@70ms \
	    -- ./memory read data >out 2>err
	grep -q "was killed by signal 7" err || bad "summary: $(head -n 1 err)"
	;;
later)
	run 0 --mem 3M --set vm.max_launder=64@100ms \
	    --set vm.swap_idle_enabled=1@1s -- ./memory idle 4 2
	is "changes" "vm.max_launder=64 vm.swap_idle_enabled=1" "$(sql "SELECT
	    name || '=' || value FROM tunable_changes ORDER BY seq" |
	    tr '\n' ' ' | sed 's/ $//')"
	is "idle swapping asked for before it was on" 1 "$(sql "SELECT
	    min(seconds) >= 1 FROM v_events WHERE kind = 'vmdaemon_req'
	    AND a = 2")"
	;;
*)
	echo "run.sh: unknown scenario '$name'" >&2
	exit 64
	;;
esac
[ $fail = 0 ] && echo "ok $name"
exit $fail
