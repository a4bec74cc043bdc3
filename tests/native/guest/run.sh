#!/bin/sh
# The same binary on the host and in vmsim: same output, same exit code; with
# ample memory, and again with little. Where this host answers something else
# than Linux on the developers' machine did (an older kernel, no /dev/shm, low
# limits, a descheduled timer), vmsim must answer what that one did: answers/.
#
# usage: run.sh [--record] VMSIM GUESTDIR WORKDIR [NAME...]
#   --record   keep this host's answers in answers/, if they are vmsim's, too
set -u
LC_ALL=C
export LC_ALL
record=false
if [ "${1-}" = --record ]; then
	record=true
	shift
fi
if [ $# -lt 3 ]; then
	sed -n '7,8s/^# //p' "$0" >&2
	exit 64
fi
src=$(cd "$(dirname "$0")" && pwd)
vmsim=$1 guests=$(cd "$2" && pwd) || exit 1
mkdir -p "$3" && work=$(cd "$3" && pwd) || exit 1
shift 3
[ $# -gt 0 ] || set -- mmap_fixed mmap_errors file_tail protect_holes mremap \
    madvise stack faults limits resident signals signals:a signals:s \
    signals:d signals:i signals:p signals:t signals:k signals:o files pipes \
    clocks identity children procfs splice ipc interrupts pthreads \
    epoll sockets queued sysv timers futexes families restarts edges \
    pidfd mqueues
fail=0

# In an empty directory each; the simulated one stays empty on the host. The
# exit code is the last line of the answer.
on_host() {
	rm -rf "$work/host"
	mkdir "$work/host"
	cp "$guests/$prog" "$work/host/"
	{
		(cd "$work/host" || exit 1
		    ulimit -s 8192
		    ulimit -c 0
		    exec timeout --foreground -k 1 120 env -i PATH=/bin \
		    LC_ALL=C ./$prog $arg) \
		    >"$work/host.out" 2>"$work/host.err" </dev/null
		echo "exit code $?" >>"$work/host.out"
	} 2>/dev/null # the shell's own word on signals
}

in_vmsim() { # memory
	rm -rf "$work/guest"
	mkdir "$work/guest"
	cp "$guests/$prog" "$work/guest/"
	"$vmsim" run --quiet --no-db --mem "$1" --cwd "$work/guest" \
	    --env PATH=/bin --env LC_ALL=C -- ./$prog $arg \
	    >"$work/guest.out" 2>"$work/guest.err" </dev/null
	echo "exit code $?" >>"$work/guest.out"
}

# The answers kept, without the line that tells what program gave them.
kept() {
	now="of source $(cat "$src/$prog.c" "$src/guest.h" | cksum)"
	if $record && cmp -s "$work/host.out" "$work/guest.out"; then
		mkdir -p "$src/answers"
		{ echo "$now"; cat "$work/host.out"; } >"$answers"
	fi
	if [ ! -f "$answers" ] || [ "$(head -n 1 "$answers")" != "$now" ]; then
		echo "FAIL $1: tests/native/guest/answers has not those of" \
		    "this source: run.sh --record" >&2
		fail=1
		return 1
	fi
	sed 1d "$answers" >"$work/kept.out"
}

one() { # name memory
	answers=$src/answers/$prog${arg:+-$arg}
	in_vmsim "$2"
	cmp -s "$work/host.out" "$work/guest.out"
	differs=$?
	kept "$1" || return
	if [ $differs -ne 0 ] &&
	    ! cmp -s "$work/kept.out" "$work/guest.out"; then
		echo "FAIL $1 with $2: (host <, vmsim >)" >&2
		diff "$work/host.out" "$work/guest.out" >&2
		cat "$work/guest.err" >&2
		fail=1
	elif [ "$(ls "$work/guest")" != "$prog" ]; then
		echo "FAIL $1 with $2: the host's directory changed" >&2
		fail=1
	elif [ $differs -ne 0 ]; then
		echo "ok $1 with $2, as kept; this host (<) has it differently:"
		diff "$work/host.out" "$work/guest.out"
	else
		echo "ok $1 with $2"
	fi
}

for name; do
	prog=${name%%:*} arg=${name#"$prog"} arg=${arg#:}
	on_host
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
