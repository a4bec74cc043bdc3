#!/bin/sh
# Several real programs at once: byte-identical output in vmsim and on the
# host, at 100, 50 and 25 percent of the most memory that a run with plenty
# uses (or the least that the kernel accepts), with page-outs and page-ins
# really happening below 100.
#
# usage: multi.sh VMSIM WORKDIR GUESTDIR NAME [PERCENT...]
#        multi.sh --list
# Exits with 77 where the host cannot run it.
set -u
LC_ALL=C
export LC_ALL

ALL="pipeline build tar bash sqlite3 python3 manager asyncio pthreads"
if [ "${1-}" = --list ]; then
	echo "$ALL"
	exit 0
fi
if [ $# -lt 4 ]; then
	sed -n '7,8s/^# //p' "$0" >&2
	exit 64
fi
vmsim=$1 work=$2 guests=$3 name=$4
shift 4
[ $# -gt 0 ] || set -- 100 50 25
here=$(cd "$(dirname "$0")" && pwd)
guests=$(cd "$guests" && pwd) || exit 1
rm -rf "$work/multi-$name"
mkdir -p "$work/multi-$name" && cd "$work/multi-$name" || exit 1
mkdir host guest
scale=${VMSIM_TEST_SCALE:-1}

text() {
	awk -v n="$1" 'BEGIN {
		x = 12345
		for (i = 0; i < n; i++) {
			x = (x * 1103515245 + 12345) % 2147483648
			y = (x * 69069 + 1) % 2147483648
			printf "%d word%d line %x\n", y % 997, x % 53, y % 4096
		}
	}'
}

# Python's locks between processes lie in /dev/shm: some containers have none.
needs_shm() {
	/usr/bin/python3 -c 'import multiprocessing; multiprocessing.Lock()' ||
	    exit 77
}

# What the program finds in its directory, and the command in $cmd.
prepare() { # directory
	case $name in
	pipeline)
		text $((30000 * scale)) >"$1/in.txt"
		cmd="/bin/sh pipeline.sh" ;;
	build)
		cp "$here"/multi/project/* "$1"
		cmd="/usr/bin/make -s show" ;;
	tar)
		for i in 1 2 3 4 5 6; do
			text $((1500 * i * scale)) >"$1/f$i"
		done
		cmd="/bin/sh archive.sh" ;;
	bash)
		text $((400 * scale)) >"$1/in.txt"
		cmd="/bin/bash functions.sh" ;;
	sqlite3)
		cmd="/bin/sh writers.sh" ;;
	python3)
		needs_shm
		cmd="/usr/bin/python3 pool.py" ;;
	manager)
		needs_shm
		cmd="/usr/bin/python3 manager.py" ;;
	asyncio)
		cmd="/usr/bin/python3 loop.py" ;;
	pthreads)
		cp "$guests/pthreads" "$1"
		cmd="./pthreads" ;;
	*)
		echo "multi.sh: unknown test '$name' ($ALL)" >&2
		exit 64 ;;
	esac
	cp "$here"/multi/*.sh "$here"/multi/*.py "$1"
}

# A number out of a JSON summary.
field() {
	sed -n 's/.*"'"$2"'": *\([0-9][0-9]*\).*/\1/p' "$1" | head -n 1
}

run() { # memory json-file out-file [extra options]
	m=$1 j=$2 o=$3
	shift 3
	# shellcheck disable=SC2086
	"$vmsim" run --quiet --json="$j" --mem "$m" --cwd "$PWD/guest" \
	    --no-db --env PATH=/usr/bin:/bin --env LC_ALL=C "$@" -- $cmd \
	    </dev/null >"$o" 2>"$o.err"
	rc=$?
	cat "$o.err" >&2
	return $rc
}

prepare host
prepare guest
find guest | sort >guest.before
# shellcheck disable=SC2086
(cd host && exec env -i PATH=/usr/bin:/bin LC_ALL=C $cmd </dev/null) \
    >host.out 2>host.err
host_rc=$?
if [ ! -s host.out ]; then
	echo "FAIL $name: no output on the host: $(head -n 3 host.err)" >&2
	exit 1
fi
run 512M big.json big.out ${VMSIM_TEST_OPTIONS-}
if [ $? -ne $host_rc ] || ! cmp -s host.out big.out; then
	echo "FAIL $name: output or exit code differs with ample memory" >&2
	diff host.out big.out | head -n 5 >&2
	exit 1
fi
peak=$(field big.json peak_used_pages)
least=$(field big.json min_frames)
fail=0
for pct in "$@"; do
	pages=$((peak * pct / 100))
	[ "$pages" -ge "$least" ] || pages=$least
	run $((pages * 4))K p$pct.json p$pct.out ${VMSIM_TEST_OPTIONS-}
	rc=$?
	outs=$(field p$pct.json swap_pages_out)
	ins=$(field p$pct.json swap_pages_in)
	verdict=ok
	if [ $rc -ne $host_rc ]; then
		verdict="FAIL: exit code $rc, host $host_rc"
	elif ! cmp -s host.out p$pct.out; then
		verdict="FAIL: output differs"
	elif [ "$pct" -le 25 ] && [ "$((outs * ins))" -eq 0 ]; then
		verdict="FAIL: nothing was paged out to swap and in again"
	fi
	case $verdict in FAIL*) fail=1 ;; esac
	echo "$name $pct% $pages pages (peak $peak): swap out $outs in $ins" \
	    "$verdict"
done
find guest | sort | cmp -s - guest.before || {
	echo "FAIL $name: the host's directory changed" >&2
	fail=1
}
exit $fail
