#!/bin/sh
# usage: minute.sh FUZZ_TARGET: run it for a minute on its own corpus.
set -u
t=$1
name=$(basename "$t")
dir=$(dirname "$t")
mkdir -p "$dir/corpus-$name"
seeds=
[ -d "$dir/seeds-$name" ] && seeds=$dir/seeds-$name
"$t" -max_total_time="${FUZZ_SECONDS:-60}" -rss_limit_mb=4096 -timeout=20 \
    -artifact_prefix="$dir/$name-" "$dir/corpus-$name" ${seeds:+"$seeds"} \
    >"$dir/$name.log" 2>&1
rc=$?
if [ $rc -ne 0 ]; then
	tail -n 40 "$dir/$name.log" >&2
else
	grep -E '^(Done|#[0-9]+.*DONE)' "$dir/$name.log" | tail -n 1
fi
exit $rc
