#!/bin/sh
# Real programs of Debian: byte-identical output in vmsim and on the host, at
# 100, 50, 25 and 10 percent of the program's own peak resident pages (or the
# least memory the kernel accepts), with page-outs and page-ins really
# happening below 100.
#
# usage: programs.sh VMSIM WORKDIR NAME [PERCENT...]
#        programs.sh --list
set -u
LC_ALL=C
export LC_ALL

ALL="sort gzip gunzip bzip2 xz sqlite3 gawk bc perl python3 cc1"
if [ "${1-}" = --list ]; then
	echo "$ALL"
	exit 0
fi
if [ $# -lt 3 ]; then
	sed -n '7,8s/^# //p' "$0" >&2
	exit 64
fi
vmsim=$1 work=$2 name=$3
case $vmsim in /*) ;; *) vmsim=$PWD/$vmsim ;; esac
shift 3
[ $# -gt 0 ] || set -- 100 50 25 10
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$work/$name" && cd "$work/$name" || exit 1
scale=${VMSIM_TEST_SCALE:-1}

# Deterministic text: LINES lines of a linear congruential generator.
text() {
	awk -v n="$1" 'BEGIN {
		x = 12345
		for (i = 0; i < n; i++) {
			x = (x * 1103515245 + 12345) % 2147483648
			y = (x * 69069 + 1) % 2147483648
			printf "%08x %d line %d of the text %x\n", x, y % 9973,
			    i, (x + y) % 65536
		}
	}'
}

# Sets prog (argument list in "$@" form via files) for NAME.
stdin=/dev/null
prepare() {
	case $name in
	sort)
		text $((40000 * scale)) >in.txt
		cmd="/usr/bin/sort -S 64M --parallel=1 in.txt" ;;
	gzip)
		text $((20000 * scale)) >in.txt
		cmd="/usr/bin/gzip -9 -n -c in.txt" ;;
	gunzip)
		text $((40000 * scale)) | gzip -9 -n >in.gz
		cmd="/usr/bin/gzip -d -c in.gz" ;;
	bzip2)
		text $((12000 * scale)) >in.txt
		cmd="/usr/bin/bzip2 -c in.txt" ;;
	xz)
		text $((6000 * scale)) >in.txt
		cmd="/usr/bin/xz -6 -T1 -c in.txt" ;;
	sqlite3)
		cp "$here/join.sql" in.sql
		stdin=in.sql
		cmd="/usr/bin/sqlite3 -batch :memory:" ;;
	gawk)
		text $((20000 * scale)) >in.txt
		cp "$here/count.awk" .
		cmd="/usr/bin/gawk -f count.awk in.txt" ;;
	bc)
		echo 'scale=400; 4*a(1); e(1); sqrt(2); l(2)' >in.bc
		stdin=in.bc
		cmd="/usr/bin/bc -l" ;;
	perl)
		text $((12000 * scale)) >in.txt
		cp "$here/words.pl" .
		cmd="/usr/bin/perl words.pl in.txt" ;;
	python3)
		cp "$here/tables.py" .
		cmd="/usr/bin/python3 tables.py" ;;
	cc1)
		gcc -E -P "$here/compile_me.c" -o in.i || exit 1
		cmd="$(gcc -print-prog-name=cc1) -quiet -O1 in.i -o -" ;;
	*)
		echo "programs.sh: unknown program '$name' ($ALL)" >&2
		exit 64 ;;
	esac
}

# A number out of a JSON summary.
field() {
	sed -n 's/.*"'"$2"'": *\([0-9][0-9]*\).*/\1/p' "$1" | head -n 1
}

run() { # mem-argument json-file out-file [extra options]
	m=$1 j=$2 o=$3
	shift 3
	# shellcheck disable=SC2086
	"$vmsim" run --quiet --json="$j" --mem "$m" --cwd "$PWD" --no-db "$@" \
	    -- $cmd <"$stdin" >"$o" 2>"$o.err"
	rc=$?
	cat "$o.err" >&2
	return $rc
}

prepare
# shellcheck disable=SC2086
env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/ LANG=C TERM=dumb \
    $cmd <"$stdin" >host.out 2>host.err
host_rc=$?
run 512M big.json big.out
if [ $? -ne $host_rc ] || ! cmp -s host.out big.out; then
	echo "FAIL $name: output or exit code differs with ample memory" >&2
	exit 1
fi
peak=$(field big.json peak_rss_pages)
least=$(field big.json min_frames)
fail=0
for pct in "$@"; do
	pages=$((peak * pct / 100))
	[ "$pages" -ge "$least" ] || pages=$least
	run $((pages * 4))K p$pct.json p$pct.out ${VMSIM_TEST_OPTIONS-}
	rc=$?
	outs=$(($(field p$pct.json swap_pages_out) +
	    $(field p$pct.json file_pages_out)))
	ins=$(($(field p$pct.json swap_pages_in) +
	    $(field p$pct.json file_pages_in)))
	verdict=ok
	if [ $rc -ne $host_rc ]; then
		verdict="FAIL: exit code $rc, host $host_rc"
	elif ! cmp -s host.out p$pct.out; then
		verdict="FAIL: output differs"
	elif [ "$pct" -le 50 ] && [ "$(field p$pct.json swap_pages_out)" -eq 0 ]
	then
		verdict="FAIL: nothing was paged out"
	elif [ "$pct" -le 50 ] && [ "$(field p$pct.json swap_pages_in)" -eq 0 ]
	then
		verdict="FAIL: nothing was paged in from swap"
	fi
	case $verdict in FAIL*) fail=1 ;; esac
	echo "$name $pct% $pages pages (peak $peak): out $outs in $ins $verdict"
done
exit $fail
