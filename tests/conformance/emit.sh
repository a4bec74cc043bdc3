#!/bin/sh
# usage: emit.sh VMSIM FILE.jsonl.zst...: --emit reproduces each file to the
# byte: every scenario in its order, our results in place of the expected ones.
set -u
vmsim=$1
shift
for f; do
	if ! zstd -dc "$f" | "$vmsim" conform --emit - 2>/dev/null |
	    cmp -s - /dev/fd/3 3<<EOF
$(zstd -dc "$f")
EOF
	then
		echo "emit.sh: $f is not reproduced" >&2
		exit 1
	fi
done
