#!/bin/bash
# What vmsim costs, as ratios measured side by side in one run:
#
#   resident programs   vmsim run against bare Unicorn (same engine and version,
#                       flat mapping, no hooks): CPU-bound, memory-bound
#   zero-fill faults    per second of host CPU, with and without the log
#   host memory         per simulated page, beside the page's contents
#
# usage: bench.sh BUILD_DIR [ROUNDS]      (default 5 rounds, medians)
set -u
build=$1 rounds=${2:-5}
vmsim=$build/vmsim
bin=$build/tests/bench
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
TIMEFORMAT='%U %S'
export LC_ALL=C
for f in "$vmsim" "$bin/bare" "$bin/guest_alu"; do
	[ -x "$f" ] || { echo "bench.sh: $f is missing: build first" >&2; exit 66; }
done

# user + system seconds of a command, into $t
cpu() {
	local r
	r=$({ time "$@" >/dev/null 2>"$out/err"; } 2>&1) || true
	t=$(awk '{ print $1 + $2 }' <<<"$r")
}

median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# ratio NAME A... VS B...: A and B in turn, the median of the pairs' ratios
ratio() {
	local name=$1 a=() b=()
	shift
	while [ "$1" != VS ]; do a+=("$1"); shift; done
	shift
	b=("$@")
	: >"$out/r"
	for ((i = 0; i < rounds; i++)); do
		cpu "${a[@]}"; ta=$t
		cpu "${b[@]}"; tb=$t
		awk -v a="$ta" -v b="$tb" 'BEGIN { print a / b }' >>"$out/r"
	done
	printf '%-44s %5.2f times bare Unicorn\n' "$name" "$(median <"$out/r")"
}

run=("$vmsim" run --quiet --no-db --mem 512M --)
ratio "resident, CPU-bound: arithmetic" "${run[@]}" "$bin/guest_alu" 8000 VS \
    "$bin/bare" "$bin/guest_alu" 8000
ratio "resident, CPU-bound: branchy (quicksort)" \
    "${run[@]}" "$bin/guest_sort" 600 VS "$bin/bare" "$bin/guest_sort" 600
ratio "resident, memory-bound: random walk, 16 MB" \
    "${run[@]}" "$bin/guest_walk" 16 10000000 VS \
    "$bin/bare" "$bin/guest_walk" 16 10000000

# faults per second: the difference between many and few rounds of touching
faults() { # label, run options...
	local label=$1
	shift
	: >"$out/r"
	for ((i = 0; i < rounds; i++)); do
		cpu "$vmsim" run --quiet --mem 256M "$@" -- "$bin/guest_touch" 64 40
		ta=$t
		cpu "$vmsim" run --quiet --mem 256M "$@" -- "$bin/guest_touch" 64 4
		awk -v a="$ta" -v b="$t" \
		    'BEGIN { print 36 * 16384 / (a - b) }' >>"$out/r"
	done
	rate=$(median <"$out/r")
	printf '%-44s %9.0f per second of host CPU\n' "$label" "$rate"
}
faults "zero-fill faults, no log" --no-db
none=$rate
faults "zero-fill faults, full log" --db "$out/f.db"
awk -v a="$rate" -v b="$none" \
    'BEGIN { printf "%-44s %5.2f\n", "with the log, of without", a / b }'
"$vmsim" run --quiet --no-db --mem 256M --json="$out/m.json" -- \
    "$bin/guest_touch" 200 1 >/dev/null
awk -F'[:,]' '/"overhead_bytes_per_page"/ {
	printf "%-44s %5.0f bytes per simulated page\n",
	    "host memory beside contents", $2 }' "$out/m.json"
