#!/bin/sh
# Many processes: 500 at once in little memory, 20000 forks one after the
# other after which memory is as it was after 20, a child that is killed
# because memory is out and a parent that is told so, forks without end.
#
# usage: crowd.sh VMSIM WORKDIR GUESTDIR
set -u
if [ $# -ne 3 ]; then
	sed -n '6s/^# //p' "$0" >&2
	exit 64
fi
vmsim=$1 guests=$(cd "$3" && pwd) || exit 1
mkdir -p "$2/crowd" && cd "$2/crowd" || exit 1
cp "$guests/crowd" .
fail=0

run() { # summary output exit-code [options...] -- arguments
	j=$1 o=$2 want=$3
	shift 3
	opts=
	while [ "$1" != -- ]; do
		opts="$opts $1"
		shift
	done
	shift
	# shellcheck disable=SC2086
	"$vmsim" run --quiet --no-db --json="$j" $opts --cwd "$PWD" -- \
	    ./crowd "$@" >"$o" 2>"$o.err" </dev/null
	rc=$?
	[ $rc -eq "$want" ] && return 0
	echo "FAIL: crowd $*: exit code $rc" >&2
	cat "$o.err" >&2
	fail=1
}

expect() { # output text
	if [ "$(cat "$1")" = "$2" ]; then
		echo "ok: $1: $2"
	else
		echo "FAIL: $1: '$(cat "$1")' instead of '$2'" >&2
		fail=1
	fi
}

field() {
	sed -n 's/.*"'"$2"'": *\([0-9][0-9]*\).*/\1/p' "$1" | head -n 1
}

for mem in 64M 16M; do
	run live.json "live-$mem" 0 --check=1 --mem $mem -- live 500
	expect "live-$mem" "500 children, 0 bad"
done
[ "$(field live.json swap_pages_out)" -gt 0 ] || {
	echo "FAIL: 500 processes in 16M without paging" >&2
	fail=1
}

run few.json few 0 --check=1 --mem 8M -- storm 20 20
run many.json many 0 --check=1 --mem 8M -- storm 20000 20
expect few 190
expect many 629488
for k in v_free_count v_inactive_count v_active_count v_cache_count \
    v_wire_count vm.swap_free vm.objects; do
	a=$(field few.json $k) b=$(field many.json $k)
	if [ "$a" != "$b" ]; then
		echo "FAIL: $k is $a after 20 forks, $b after 20000" >&2
		fail=1
	fi
done
[ "$(field many.json v_forks)" -eq 20000 ] || {
	echo "FAIL: $(field many.json v_forks) forks counted" >&2
	fail=1
}

run hog.json hog 0 --check=1 --mem 4M --swap 8M -- hog 64
expect hog "killed by signal 9"
run fits.json fits 0 --check=1 --mem 4M --swap 64M -- hog 16
expect fits "exit 0"

run bomb.json bomb 0 --mem 1G -- bomb
expect bomb "refused: EAGAIN
left 0"
exit $fail
