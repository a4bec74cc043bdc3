#!/bin/sh
# usage: some.sh VMSIM WORKDIR: a few programs at two sizes, for slow builds.
set -u
here=$(cd "$(dirname "$0")" && pwd)
fail=0
for p in sort gzip sqlite3 python3; do
	"$here/programs.sh" "$1" "$2" $p 50 10 || fail=1
done
exit $fail
