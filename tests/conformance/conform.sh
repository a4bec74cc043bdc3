#!/bin/sh
# usage: conform.sh VMSIM COUNT FILE...: every scenario of the files passes,
# there are COUNT of them, and what --emit prints passes again (read from
# standard input, uncompressed).
set -u
vmsim=$1 count=$2
shift 2
want="$count passed, 0 failed"

out=$("$vmsim" conform "$@") || { printf '%s\n' "$out" | tail -n 60; exit 1; }
last=$(printf '%s\n' "$out" | tail -n 1)
[ "$last" = "$want" ] || { echo "got '$last', want '$want'"; exit 1; }

out=$("$vmsim" conform --emit "$@" 2>/dev/null | "$vmsim" conform -) ||
    { echo "emitted:"; printf '%s\n' "$out" | tail -n 60; exit 1; }
[ "$out" = "$want" ] || { echo "emitted: got '$out', want '$want'"; exit 1; }
