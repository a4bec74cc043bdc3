#!/bin/sh
# usage: guests.sh VMSIM WORKDIR: every program of workloads/guest prints the
# same line on the host and in vmsim, with plenty of memory and with so little
# that its pages go out to swap (or to its file) and come back.
set -u
vmsim=$1 work=$2
guests=$(dirname "$vmsim")/guest
doc=$(cd "$(dirname "$0")/../../docs" && pwd)/scenarios.md
mkdir -p "$work" && cd "$work" || exit 1
fail=0
bad() { echo "FAIL: $*" >&2; fail=1; }

# name, memory, a counter that must not be 0 there, arguments
list='sequential 1M swap_pages_in --size 2M --rounds 3
random 1M swap_pages_in --size 2M --ops 10000
zipf 1M swap_pages_in --size 2M --ops 20000
phases 1M swap_pages_in --size 3M --set 512K --shift 400K --ops 3000
stack_distance 1M swap_pages_in --size 3M --near 0 --far 500 --ops 10000
matrix 1M swap_pages_in --n 700 --order 0
matrix 1M swap_pages_in --n 700 --order 2 --block 50
hash_join 1M swap_pages_in --build 20000 --probe 40000
graph_walk 1M swap_pages_in --nodes 40000 --searches 1
mmap_churn 1M file_pages_out --size 2M --maps 30
leak 1M swap_pages_out --limit 3M --every 0
alloc_churn 1M swap_pages_in --blocks 700 --ops 4000
editor 2M faults --rounds 3 --idle 50
cpu_hog 2M faults --ops 100000
rss_hog 1M swap_pages_in --size 2M --rounds 3
fork_storm 2M cow_faults --waves 4 --wave 12'

echo "$list" | while read -r name mem counter args; do
	# shellcheck disable=SC2086
	"$guests/$name" $args >host.txt || echo "$name on the host" >>failed
	for m in 64M $mem; do
		# shellcheck disable=SC2086
		"$vmsim" run --quiet --no-db --mem $m --disk ram \
		    --json=sum.json -- "/guest/$name" $args >sim.txt ||
		    echo "$name $args: exit code $? with $m" >>failed
		cmp -s host.txt sim.txt || echo "$name $args with $m:" \
		    "$(cat sim.txt), not $(cat host.txt)" >>failed
	done
	n=$(sed -n "s/^ *\"$counter\": \([0-9]*\),*$/\1/p" sum.json)
	[ "${n:-0}" -gt 0 ] || echo "$name $args: no $counter with $mem" >>failed
done
if [ -s failed ]; then
	bad "$(cat failed)"
	rm -f failed
fi
# every program is in the list, has --help, and refuses what it does not know
for g in "$guests"/*; do
	name=$(basename "$g")
	echo "$list" | grep -q "^$name " || bad "$name is not tested"
	"$g" --help | grep -q '^usage: ' || bad "$name --help"
	row=$(grep "^| \`$name\` |" "$doc") || bad "$name is not in $doc"
	for o in $("$g" --help | sed -n 's/^  \(--[a-z]*\) .*/\1/p'); do
		case $row in
		*"\`$o\` "*) ;;
		*) bad "$doc does not name $o of $name" ;;
		esac
	done
	if "$g" --no-such-option=1 >out.txt 2>err.txt; then
		bad "$name takes any option"
	fi
	[ "$(wc -l <err.txt)" = 1 ] || bad "$name: $(cat err.txt)"
done
# the order of a matrix does not change its sum
for o in 1 2; do
	[ "$("$guests/matrix" --n 200 --order $o)" = \
	    "$("$guests/matrix" --n 200 --order 0)" ] || bad "matrix --order $o"
done
exit $fail
