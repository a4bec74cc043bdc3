#!/bin/bash
# A command in plain surroundings, whatever ctest was started from: descriptors
# 0 to 2 only, no signal ignored or blocked, the usual umask, soft limit of open
# files and locale. For programs whose output here is compared with vmsim's.
#
# usage: plain.sh COMMAND [ARGUMENT...]
if [ $# -eq 0 ]; then
	sed -n '6s/^# //p' "$0" >&2
	exit 64
fi
for f in /proc/self/fd/*; do
	f=${f##*/}
	[ "$f" -le 2 ] || eval "exec $f>&-"
done
umask 022
ulimit -S -n 1024
unset CDPATH POSIXLY_CORRECT TZ LANG LANGUAGE MAKEFLAGS TMPDIR
export LC_ALL=C
exec env --default-signal "$@"
