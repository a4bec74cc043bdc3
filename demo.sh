#!/bin/sh
# See vmsim at work: build it, run Debian's sort on a 64 MB file with about a
# quarter of the memory that it wants, compare with the host, plot.
# Leaves everything in demo-out/.
set -eu
cd "$(dirname "$0")"
root=$PWD
out=$root/demo-out

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$*"; }

for d in "$root" build demo-out; do
	[ ! -e "$d" ] || [ -w "$d" ] || {
		echo "demo.sh: no permission to write in $d: use a copy" \
		    "of your own" >&2
		exit 73
	}
done
say "Installing what is missing"
scripts/setup.sh --demo

say "Building (build/release)"
cmake --preset release >/dev/null
cmake --build --preset release --target vmsim
vmsim=$root/build/release/vmsim

mkdir -p "$out"
cd "$out"
if [ ! -s text.txt ]; then
	say "Making a text file of 64 MB (demo-out/text.txt)"
	awk 'BEGIN {
		# a log of twelve hosts: sorting it brings each host together
		x = 42
		for (n = 0; n < 64 * 1024 * 1024; n += length(s) + 1) {
			x = (x * 1103515245 + 12345) % 2147483648
			s = sprintf("host%02d %09d request %d took %d us, status %x",
			    int(x / 65536) % 12, ++i, x % 99991, x % 8191, x % 509)
			print s
		}
	}' >text.txt.part && mv text.txt.part text.txt
fi

mem=40M
say "Sorting it in vmsim with $mem of memory"
cmd="/usr/bin/sort -S 128M --parallel=1 text.txt"
printf 'vmsim run --mem %s --db run.db -- %s\n' "$mem" "$cmd"
# shellcheck disable=SC2086
"$vmsim" run --mem "$mem" --db run.db --cwd "$out" -- $cmd >sorted.vmsim

say "Comparing with the host's own sort"
# shellcheck disable=SC2086
env -i LANG=C $cmd >sorted.host
if cmp sorted.vmsim sorted.host; then
	echo "identical: $(wc -c <sorted.vmsim) bytes"
else
	echo "demo.sh: the outputs differ: this is a bug, please report it" >&2
	exit 1
fi

say "Plots"
"$vmsim" plot queues run.db -o queues.png
"$vmsim" plot faults run.db -o faults.png
ls -l run.db queues.png faults.png

cat <<END

What to try next (in demo-out/):
  ../build/release/vmsim run --mem 24M --vmstat 1 -- $cmd >/dev/null
  ../build/release/vmsim run --set vm.max_launder=256 --mem $mem --db b.db -- $cmd >/dev/null
  ../build/release/vmsim sysctl -d vm.max_launder
  sqlite3 run.db 'SELECT reason, count(*) FROM v_transitions GROUP BY 1 ORDER BY 2 DESC'
  more queries: docs/database.md; all options: build/release/vmsim run --help
END
