#!/bin/sh
# Line coverage of vmcore/bsd: a table, and every line that no test reaches.
#
# usage: coverage.sh BUILD [--run]
#   BUILD   a build directory with VMSIM_COVERAGE (preset coverage)
#   --run   first forget the counts and run the test suite (native programs
#           left out)
#
# A line that is not reached must be excused in tests/coverage.excuses, by its
# text, with a reason. Fails below 95 percent, and for lines without excuse.
set -u
LC_ALL=C
export LC_ALL
if [ $# -lt 1 ] || [ ! -f "$1/CMakeCache.txt" ]; then
	sed -n '4,8s/^# \{0,1\}//p' "$0" >&2
	exit 64
fi
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
objects=$build/CMakeFiles/vmsim_vmcore.dir/vmcore/bsd
if [ "${2-}" = --run ]; then
	find "$build" -name '*.gcda' -delete
	ctest --test-dir "$build" -LE native -j 2 >"$build/coverage.log" 2>&1 ||
	    tail -n 20 "$build/coverage.log" >&2
fi
if ! ls "$objects"/*.gcda >/dev/null 2>&1; then
	echo "coverage.sh: $1 has no counts; build the preset 'coverage' and" \
	    "give --run" >&2
	exit 66
fi
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$build" || exit 1
for notes in "$objects"/*.gcno; do
	file=$(basename "$notes" .c.gcno)
	# the file's own lines; headers come with every file that has them
	gcov -t "$notes" 2>/dev/null | awk -v file="vmcore/bsd/$file.c" '
	    /:    0:Source:/ { on = index($0, file) > 0 }
	    on && !/:    0:/ {
		n = index($0, ":")
		count = substr($0, 1, n - 1); gsub(/ /, "", count)
		rest = substr($0, n + 1)
		m = index(rest, ":")
		line = substr(rest, 1, m - 1); gsub(/ /, "", line)
		text = substr(rest, m + 1); sub(/^[ \t]*/, "", text)
		if (count != "-")
			print file "\t" line "\t" (count ~ /#|=/ ? 0 : 1) \
			    "\t" text
	    }'
done >"$tmp/lines"

awk -F '\t' '{ all[$1]++; hit[$1] += $3; n++; h += $3 }
	END {
		for (f in all)
			printf "%-36s %5d lines %4d missed %6.1f%%\n", f,
			    all[f], all[f] - hit[f], 100 * hit[f] / all[f]
		printf "%-36s %5d lines %4d missed %6.2f%%\n", "~vmcore/bsd",
		    n, n - h, 100 * h / n
	}' "$tmp/lines" | sort | tr '~' ' '

awk -F '\t' -v excuses="$here/coverage.excuses" '
	BEGIN {
		while ((getline row < excuses) > 0) {
			if (row ~ /^#/ || row == "")
				continue
			split(row, c, "\t")
			k++
			file[k] = c[1]; part[k] = c[2]; why[k] = c[3]
		}
	}
	{ n++; h += $3 }
	$3 == 0 {
		reason = ""
		for (i = 1; i <= k && reason == ""; i++)
			if ((file[i] == "*" || file[i] == $1) &&
			    index($4, part[i]) > 0) {
				reason = why[i]
				used[i] = 1
			}
		if (reason == "")
			bad++
		print $1 ":" $2 ": " $4 "\n\t" \
		    (reason == "" ? "NO EXCUSE" : reason)
	}
	END {
		for (i = 1; i <= k; i++)
			if (!(i in used))
				print "an excuse that nothing needs: " \
				    file[i] ": " part[i]
		if (bad)
			print bad " lines without an excuse"
		exit h < 0.95 * n || bad > 0
	}' "$tmp/lines"
