#!/bin/sh
# The same binary on the host and in vmsim: same output, same exit code; with
# ample memory, and again with little.
#
# usage: run.sh VMSIM GUESTDIR WORKDIR [NAME...]
set -u
LC_ALL=C
export LC_ALL
if [ $# -lt 3 ]; then
	sed -n '5s/^# //p' "$0" >&2
	exit 64
fi
vmsim=$1 guests=$(cd "$2" && pwd) || exit 1
mkdir -p "$3" && work=$(cd "$3" && pwd) || exit 1
shift 3
[ $# -gt 0 ] || set -- mmap_fixed mmap_errors file_tail protect_holes mremap \
    madvise stack faults limits resident signals signals:a signals:s \
    signals:d signals:i signals:p signals:t signals:k signals:o files pipes \
    clocks identity children procfs splice ipc interrupts pthreads \
    epoll sockets queued sysv timers futexes families restarts edges
fail=0

on_host() { # its exit code is in $want
	rm -rf "$work/host"
	mkdir "$work/host"
	cp "$guests/$prog" "$work/host/"
	{
		(cd "$work/host" && ulimit -s 8192 && ulimit -c 0 &&
		    exec timeout --foreground -k 1 30 env -i PATH=/bin \
		    LC_ALL=C ./$prog $arg) \
		    >"$work/host.out" 2>"$work/host.err" </dev/null
		want=$?
	} 2>/dev/null # the shell's own word on signals
}

# In an empty directory each; the simulated one stays empty on the host. There,
# threads that wait a few milliseconds for each other may come too late when it
# is busy, even for ever: vmsim's answer, always the same, must be the host's
# within five runs.
one() { # name memory
	prog=${1%%:*} arg=${1#"$prog"} arg=${arg#:}
	rm -rf "$work/guest"
	mkdir "$work/guest"
	cp "$guests/$prog" "$work/guest/"
	"$vmsim" run --quiet --no-db --mem $2 --cwd "$work/guest" \
	    --env PATH=/bin --env LC_ALL=C -- ./$prog $arg \
	    >"$work/guest.out" 2>"$work/guest.err" </dev/null
	got=$?
	for try in 1 2 3 4 5; do
		on_host
		[ $got -ne $want ] || ! cmp -s "$work/host.out" \
		    "$work/guest.out" || break
		[ $try -eq 5 ] || echo "again: $1 on the host"
	done
	if [ $got -ne $want ]; then
		echo "FAIL $1 with $2: exit code $got, host $want" >&2
		cat "$work/guest.err" >&2
		fail=1
	elif ! diff "$work/host.out" "$work/guest.out" >"$work/diff"; then
		echo "FAIL $1 with $2: output differs (host <, vmsim >)" >&2
		cat "$work/diff" >&2
		fail=1
	elif [ "$(ls "$work/guest")" != "$prog" ]; then
		echo "FAIL $1 with $2: the host's directory changed" >&2
		fail=1
	else
		echo "ok $1 with $2"
	fi
}

for name; do
	one "$name" 64M
	one "$name" 2M
done
# What the host has mounted where depends on the host (none is / in a chroot).
"$vmsim" run --quiet --no-db -- sh -c 'grep -q " / " /proc/mounts &&
    grep -q " / / " /proc/self/mountinfo' || {
	echo "FAIL: no root in the guest's mounts" >&2
	fail=1
}
exit $fail
