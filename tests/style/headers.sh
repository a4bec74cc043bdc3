#!/bin/sh
# usage: headers.sh ROOT CC: every header compiles by itself.
set -u
cd "$1" || exit 1
fail=0
for h in $(find sim vmcore mmu disk_model traces reports -name '*.h' |
    grep -vE 'vm_(reason|events|costs)\.h|_table\.h|_names\.h' | LC_ALL=C sort); do
	printf '#include "%s"\n' "$h" |
	    "$2" -xc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -I. -fsyntax-only - || {
		echo "$h does not compile alone" >&2
		fail=1
	}
done
exit $fail
