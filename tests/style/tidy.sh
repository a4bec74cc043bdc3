#!/bin/sh
# usage: tidy.sh ROOT BUILD: layering, width, mutable statics, words.
#
# - includes go one way only (docs/architecture.md)
# - no file-scope or function-local mutable variable in the simulator
# - lines of at most 80 columns (tabs count 8)
# - every header compiles alone
# - no path of somebody's machine
set -u
root=$1
cd "$root" || exit 1
bad() { # title; lines on stdin. What it prints fails the test.
	body=$(cat)
	[ -z "$body" ] || printf '%s\n%s\n' "$1" "$body"
}
src() { find "$@" -name '*.[ch]' | LC_ALL=C sort; }

problems() {
src vmcore mmu disk_model traces |
    xargs -r grep -nE '#[[:space:]]*include[[:space:]]*[<"](unicorn/|sqlite3|cjson|cJSON)' |
    bad "vmcore, mmu, disk_model and traces know no emulator, SQL or JSON:"
src mmu disk_model sim/base |
    xargs -r grep -nE '#[[:space:]]*include[[:space:]]*"(vmcore|traces|reports)/' |
    bad "includes that point upwards:"
src sim/base | xargs -r grep -nE '#[[:space:]]*include[[:space:]]*"(mmu|disk_model|sim/[a-z_]+\.h)' |
    bad "sim/base includes something above it:"
src mmu | xargs -r grep -nE '#[[:space:]]*include[[:space:]]*"disk_model/' |
    bad "mmu knows disk_model:"
src disk_model | xargs -r grep -nE '#[[:space:]]*include[[:space:]]*"mmu/' |
    bad "disk_model knows mmu:"
src vmcore | xargs -r grep -nE '#[[:space:]]*include[[:space:]]*"sim/[a-z_]+\.h' |
    bad "vmcore includes sim above sim/base:"
src reports traces | xargs -r grep -nE '#[[:space:]]*include[[:space:]]*"(vmcore|mmu)/' |
    bad "traces and reports know the simulator's memory:"

# A static that is neither const nor a function: 'static type name;' or '= x;'
src sim vmcore mmu disk_model traces reports |
    xargs -r grep -nE '^[[:space:]]*static[[:space:]]+[^(]*(;|=)' |
    grep -vE 'static[[:space:]]+(const|inline)|[[:space:]]const[[:space:]]|\*const[[:space:]]|_Static_assert' |
    grep -vE '/\* tidy: [a-z]' |
    bad "mutable file-scope or function-static variables:"

src sim vmcore mmu disk_model traces reports | while read -r f; do
	expand -t 8 "$f" | awk -v f="$f" 'length($0) > 80 {
		print f ":" NR ": " length($0) " columns" }'
done | grep -vE '^vmcore/vm_(reason|events|costs)\.h|_table\.h|_names\.h' |
    bad "lines over 80 columns:"

# the words are spelled apart so that this file does not match itself
src sim vmcore mmu disk_model traces reports tests |
    xargs -r grep -nE '\b(TO''DO|FIX''ME|XX''X|HA''CK)\b' |
    bad "unfinished by its own word:"
git ls-files 2>/dev/null | grep -vE '\.(zst|gz|png|pdf|svg)$|^\.ci/|^tests/style/' |
    xargs -r grep -nIE '/wo''rk/|\.\./sha''red' |
    bad "paths of one machine:"
}
found=$(problems)
[ -z "$found" ] || { printf '%s\n' "$found" >&2; exit 1; }
