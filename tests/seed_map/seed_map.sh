#!/bin/sh
# usage: seed_map.sh ROOT [--write]
# Checks rows.tsv, the map from the seeds' functions to this code: every
# function of functions.txt has its row and the other way round; every file,
# function, test case and vector named there exists, and the vectors really
# contain the operation. docs/seed_map.md must be what is made from it; --write
# makes it.
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
root=$1 write=${2-}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$root" || exit 1
fail=0
bad() {
	echo "$*" >&2
	fail=1
}

grep -v '^#' "$here/functions.txt" | sort >"$tmp/functions"
grep -v '^#' "$here/rows.tsv" >"$tmp/rows"
cut -f1,2 "$tmp/rows" | sort >"$tmp/mapped"
diff "$tmp/functions" "$tmp/mapped" >"$tmp/diff" ||
    bad "functions of the seeds (<) and rows.tsv (>) differ: $(cat "$tmp/diff")"

has_function() { # file function
	[ -f "$1" ] && grep -qE "^(static inline .*)?$2\(" "$1"
}

has_test() { # suite:case, suite:* or program
	suite=${1%%:*} case=${1#*:}
	if [ "$suite" = "$1" ]; then
		ls tests/*/"$1".c >/dev/null 2>&1
		return
	fi
	[ -f "tests/unit/$suite.c" ] || return 1
	[ "$case" = '*' ] || grep -q "^START_TEST($case)" "tests/unit/$suite.c"
}

# What a suite's scenarios contain, once for each file.
has_vector() { # file:operation
	f=${1%%:*} op=${1#*:}
	words=$tmp/$(echo "$f" | tr / _)
	if [ ! -f "$words" ]; then
		[ -f "tests/vectors/$f.jsonl.zst" ] || return 1
		zstd -dcq "tests/vectors/$f.jsonl.zst" |
		    grep -oE '"op":"[a-z_]+"|\["[a-z_]+"' | sort -u >"$words"
	fi
	grep -qF -e "\"op\":\"$op\"" -e "[\"$op\"" "$words"
}

tab=$(printf '\t')
while IFS=$tab read -r seed function where tests vectors difference; do
	row="$seed $function"
	[ -n "$difference" ] || bad "$row: 6 columns are needed"
	for w in $where; do
		[ "$w" = - ] || has_function "${w%%:*}" "${w#*:}" ||
		    bad "$row: there is no $w"
	done
	for t in $tests; do
		[ "$t" = - ] || has_test "$t" || bad "$row: no test $t"
	done
	for v in $vectors; do
		[ "$v" = - ] || has_vector "$v" || bad "$row: no vector $v"
	done
	[ "$where" = - ] || [ "$tests $vectors" != "- -" ] ||
	    bad "$row: nothing reaches it"
done <"$tmp/rows"

{
	cat <<'END'
# The seeds' functions, one by one

Made by `tests/seed_map/seed_map.sh . --write` from `tests/seed_map/rows.tsv`;
a test checks that every function of the seeds is here, that every place, test
and vector named here exists, and that nothing else reached this page.

*Here*: file and function. *Tests*: unit suites (`tests/unit`) with a case, or a
program. *Vectors*: file under `tests/vectors` and the operation or event in it,
replayed by `vmsim conform`. *Differs*: `none` means the same decisions in the
same order with the same counters; file heads say more.
END
	for seed in $(cut -f1 "$tmp/rows" | awk '!seen[$0]++'); do
		printf '\n## %s\n\n' "$seed"
		echo "| function | here | tests | vectors | differs |"
		echo "| --- | --- | --- | --- | --- |"
		awk -F '\t' -v seed="$seed" 'function list(s,  a, n, i, r) {
			if (s == "-")
				return "-"
			n = split(s, a, " ")
			for (i = 1; i <= n; i++)
				r = r (i > 1 ? ", " : "") "`" a[i] "`"
			return r
		}
		$1 == seed {
			gsub(/vmcore\/bsd\//, "", $3)
			print "| `" $2 "` | " list($3) " | " list($4) " | " \
			    list($5) " | " $6 " |"
		}' "$tmp/rows"
	done
} >"$tmp/seed_map.md"
if [ "$write" = --write ]; then
	cp "$tmp/seed_map.md" docs/seed_map.md
elif ! cmp -s "$tmp/seed_map.md" docs/seed_map.md; then
	bad "docs/seed_map.md is not what rows.tsv says; run" \
	    "tests/seed_map/seed_map.sh . --write"
fi
echo "$(wc -l <"$tmp/rows") functions"
exit $fail
