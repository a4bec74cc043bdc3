#!/bin/sh
# usage: plot.sh VMSIM WORKDIR MAKE_DB: plots in every format; what cannot be
# drawn is refused in one line and leaves no file.
. "$(dirname "$0")/lib.sh"
"$make_db" run.db || exit 1
"$make_db" incomplete.db interrupted || exit 1
"$make_db" no-samples.db no-samples || exit 1
"$make_db" no-faults.db no-faults || exit 1
"$make_db" no-states.db no-states || exit 1
"$make_db" nothing.db empty || exit 1

# the first bytes tell the format
starts() { # file octets
	[ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n' | cut -c "1-${#2}")" = \
	    "$2" ] || bad "$1 is not what its suffix says"
}
for kind in queues faults processes disk times; do
	for suffix in png svg pdf; do
		"$vmsim" plot $kind run.db -o $kind.$suffix 2>err.txt ||
		    bad "plot $kind to $suffix: $(cat err.txt)"
		[ ! -s err.txt ] || bad "plot $kind: $(cat err.txt)"
	done
	starts $kind.png 89504e470d0a1a0a
	starts $kind.pdf 25504446
	grep -q '<svg' $kind.svg || bad "$kind.svg has no <svg>"
	# the same picture each time
	"$vmsim" plot $kind run.db -o again.png && cmp -s again.png $kind.png ||
	    bad "$kind: two plots differ"
	rm -f again.png
done
for text in active inactive wired cache 'free target' 'simulated time (s)' \
    'memory (MiB)'; do
	grep -q "$text" queues.svg || bad "queues.svg does not say '$text'"
done
for text in 'zero fill' 'read from swap' 'copy on write' 'pages / s' \
    'out to swap'; do
	grep -q "$text" faults.svg || bad "faults.svg does not say '$text'"
done
for text in running 'waiting for a page' 'swapped out' 'waiting for swap-in' \
    sleeping 'sort 100' 'editor{} 101' 'simulated time (s)'; do
	grep -q "$text" processes.svg ||
	    bad "processes.svg does not say '$text'"
done
# a crowd shares lines; a long name keeps its end
cat >crowd.json <<'J'
{ "mem": "16M", "processes": [
  { "name": "a very long name for this", "program": "true", "count": 30,
    "every": "1s" },
  { "name": "sh", "program": "sh",
    "args": ["-c", "for i in 1 2 3 4 5 6 7 8 9 10 11; do (exit 0); done"] } ] }
J
"$vmsim" run --quiet --scenario crowd.json --db crowd.db >out.txt 2>&1 ||
    bad "crowd: $(cat out.txt)"
"$vmsim" plot processes crowd.db -o crowd.svg || bad "crowd.svg"
for text in 'sh 101' 'sh (11)' 'a very long n... this.10 121' \
    '42 threads; in brackets: so many share a line'; do
	grep -q "$text" crowd.svg || bad "crowd.svg does not say '$text'"
done
for text in 'response time (ms)' reads writes 'mean depth' rotation da0; do
	grep -q "$text" disk.svg || bad "disk.svg does not say '$text'"
done
"$vmsim" plot times run.db incomplete.db -o times.svg ||
    bad "two runs side by side"
for text in 'reads: queue' seek rotation 'free memory' 'other waiting' run.db incomplete.db \
    'share of the run (%)'; do
	grep -q "$text" times.svg || bad "times.svg does not say '$text'"
done
"$vmsim" plot --from 2s --to 4s --size 6x4 --title "a 'b' \"c\" \\d{e}" queues \
    run.db -o part.svg || bad "options before the operands"
grep -q "b' \&quot;c" part.svg || grep -q "b' \"c" part.svg ||
    bad "the title is not in part.svg"

# incomplete: drawn, with a remark
"$vmsim" plot queues incomplete.db -o incomplete.svg 2>err.txt ||
    bad "an incomplete run cannot be drawn"
grep -q 'the run is incomplete (interrupted)' err.txt ||
    bad "no remark on an incomplete run: $(cat err.txt)"
grep -q 'incomplete run' incomplete.svg || bad "incomplete.svg does not say so"

# Every fault is drawn, and as what it is: a gnuplot that keeps what it is told
# gets rates whose sums are the counts in the database, kind by kind.
"$make_db" kinds.db || exit 1
sqlite3 kinds.db 'UPDATE faults SET kind = seq % (SELECT count(*)
    FROM fault_kind)'
mkdir keep
printf '#!/bin/sh\ncat >script\n' >keep/gnuplot
chmod 755 keep/gnuplot
env PATH="$PWD/keep:$PATH" "$vmsim" plot faults kinds.db -o kept.svg \
    2>/dev/null
awk '/^\$faults/ { on = 1; next } /^EOD/ { on = 0 } on {
	step = NR == first + 1 ? $1 - last : step
	if (!first) first = NR
	last = $1
	for (i = 2; i <= NF; i++) sum[i] += $i
} END { for (i = 2; i in sum; i++) printf "%.0f ", sum[i] * step
    print "" }' script >drawn
sqlite3 -separator ' ' kinds.db "SELECT sum(name IN ('fast', 'resident')),
    sum(name = 'zero_fill'), sum(name IN ('cow', 'cow_move')),
    sum(name = 'file'), sum(name = 'swap'), sum(name = 'error'), ''
    FROM faults JOIN fault_kind k ON k.id = kind" >logged
cmp -s drawn logged || bad "faults drawn: $(cat drawn), logged: $(cat logged)"
awk '/^\$dots/ { on = 1; next } /^EOD/ { on = 0 }
    on { n[$3]++ } END { for (i = 0; i < 6; i++) if (!n[i]) exit 1 }' \
    script || bad "a kind of fault has no dots"

refused 64 "say what to draw" "$vmsim" plot
refused 64 "unknown kind 'queue'" "$vmsim" plot queue run.db -o x.png
refused 64 "name a run database" "$vmsim" plot queues -o x.png
refused 64 "name the output" "$vmsim" plot queues run.db
refused 64 "one argument too many: 'b'" "$vmsim" plot queues run.db b -o x.png
refused 64 "must end in .png, .svg or .pdf" \
    "$vmsim" plot queues run.db -o x.jpg
refused 64 "'8' is not WxH" "$vmsim" plot queues run.db -o x.png --size 8
refused 65 "nothing between 20 s and 10 s" \
    "$vmsim" plot queues run.db -o x.png --from 20s
refused 66 "none.db: cannot read the database: No such file" \
    "$vmsim" plot queues none.db -o x.png
refused 64 "of whole runs only" "$vmsim" plot times run.db -o x.png --to 2s
refused 66 "none.db: cannot read" "$vmsim" plot times run.db none.db -o x.png
: >empty.db
refused 65 "empty.db: the file is empty" "$vmsim" plot queues empty.db -o x.png
sqlite3 foreign.db 'CREATE TABLE t(a); INSERT INTO t VALUES(1)'
refused 65 "foreign.db: this SQLite database is not a run database" \
    "$vmsim" plot queues foreign.db -o x.png
printf 'Dear reader' >letter.txt
refused 65 "letter.txt: this is no SQLite database" \
    "$vmsim" plot faults letter.txt -o x.png
refused 65 ".: this is a directory" "$vmsim" plot faults . -o x.png
head -c 20000 run.db >cut.db
refused 74 "cut.db: reading the database failed" \
    "$vmsim" plot faults cut.db -o x.png
refused 65 "no-samples.db: the run has no samples" \
    "$vmsim" plot queues no-samples.db -o x.png
refused 65 "no-faults.db: no faults were logged" \
    "$vmsim" plot faults no-faults.db -o x.png
refused 65 "no-states.db: no states of threads were logged" \
    "$vmsim" plot processes no-states.db -o x.png
refused 65 "nothing.db" "$vmsim" plot processes nothing.db -o x.png
refused 65 "nothing.db" "$vmsim" plot queues nothing.db -o x.png
refused 65 "nothing.db" "$vmsim" plot faults nothing.db -o x.png
refused 73 "no/such/dir/x.png: cannot write this file" \
    "$vmsim" plot queues run.db -o no/such/dir/x.png
refused 69 "cannot run gnuplot" env PATH=/nonexistent \
    "$vmsim" plot queues run.db -o x.png
# a gnuplot that fails leaves the old picture
mkdir bin
printf '#!/bin/sh\ncat >/dev/null\necho "line 1: no such terminal" >&2\nexit 1\n' \
    >bin/gnuplot
chmod 755 bin/gnuplot
refused 74 "gnuplot failed: line 1: no such terminal" \
    env PATH="$PWD/bin:$PATH" "$vmsim" plot queues run.db -o queues.png
# one that goes away before it has read everything
printf '#!/bin/sh\nexit 0\n' >bin/gnuplot
refused 74 "gnuplot failed" \
    env PATH="$PWD/bin:$PATH" "$vmsim" plot queues run.db -o queues.png
exit $fail
