#!/bin/sh
# usage: host.sh VMSIM WORKDIR FACTS: nothing of the host reaches a guest: a
# program that prints all it can learn prints the same, and its run writes the
# same database, wherever, by whomever and however vmsim is started.
set -u
LC_ALL=C
export LC_ALL
vmsim=$1 facts=$3
case $vmsim in /*) ;; *) vmsim=$PWD/$vmsim ;; esac
rm -rf "$2"
mkdir -p "$2" && work=$(cd "$2" && pwd) || exit 1
tmp=$(mktemp -d /tmp/vmsim-host.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$work" "$tmp"
fail=0
extra=

place() { # directory: made, with the program and its input
	mkdir -p "$1" || exit 1
	cp "$facts" "$1/facts"
	echo "some input" >"$1/in.txt"
	chmod 755 "$1" "$1/facts"
	chmod 644 "$1/in.txt"
}

# what directory [command...]: runs it there, by way of the command.
check() {
	what=$1 dir=$2
	shift 2
	rm -f "$work/now.db"
	# shellcheck disable=SC2086
	(cd "$dir" && "$@" "$vmsim" run --quiet --mem 8M --db "$work/now.db" \
	    "$program" $extra >"$work/now.out" 2>"$work/now.err" </dev/null)
	compare
}

compare() {
	if [ ! -s "$work/now.db" ] || [ ! -s "$work/now.out" ]; then
		echo "FAIL: $what: it did not run" >&2
		cat "$work/now.err" >&2
		fail=1
	elif ! cmp -s "$work/now.out" "$work/first.out"; then
		echo "FAIL: $what: the guest saw it" >&2
		diff -a "$work/first.out" "$work/now.out" | head -n 6 >&2
		fail=1
	elif ! cmp -s "$work/now.db" "$work/first.db"; then
		echo "FAIL: $what: another database" >&2
		fail=1
	else
		echo "ok: $what"
	fi
}

# Containers forbid some of it, and a home may be closed to others.
possible() { # command...
	"$@" 2>/dev/null && return
	echo "skipped: '$*' does not work here"
	return 1
}

terminal() { # command...: on a terminal
	script -qec "$(for a; do
		printf "'%s' " "$(printf '%s\n' "$a" | sed "s/'/'\\\\''/g")"
	done)" /dev/null | tr -d '\r'
}

first() { # directory: what all others are compared with
	rm -f "$work/first.db"
	# shellcheck disable=SC2086
	(cd "$1" && "$vmsim" run --quiet --mem 8M --db "$work/first.db" \
	    "$program" $extra >"$work/first.out" </dev/null) || exit 1
}

here=$work/here
program=./facts
place "$here"
first "$here"
check "a second run" "$here"

# where
place "$tmp/there"
check "another directory" "$tmp/there"
place "$tmp/with space
and ü"
check "an odd name" "$tmp/with space
and ü"
ln -s "$here" "$tmp/link"
check "a symbolic link" "$tmp/link"
long=$tmp/long
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
	long=$long/$(printf '%0200d' $i)
done
place "$long"
check "a long name" "$long"
if [ -d /dev/shm ] && [ -w /dev/shm ]; then
	shm=$(mktemp -d /dev/shm/vmsim-host.XXXXXX)
	place "$shm"
	check "another file system" "$shm"
	rm -rf "$shm"
fi

# what is beside it
echo x >"$tmp/new" && check "new files in /tmp" "$here"
chmod 777 "$work" && check "the mode of the directory above" "$here"
chmod 555 "$here" && check "a read-only directory" "$here"
chmod 755 "$work" "$here"
touch -d 2001-02-03 "$here" "$here/in.txt" "$here/facts"
check "older files" "$here"
cp "$work/first.db" "$here/other.db" && check "an older database" "$here"
rm "$here/other.db"
what="database and output in the directory"
(cd "$here" && "$vmsim" run --quiet --mem 8M --json=sum.json ./facts >out \
    2>err </dev/null
cp run.db "$work/now.db" && cp out "$work/now.out" && cp err "$work/now.err")
compare
what="the same once more"
(cd "$here" && "$vmsim" run --quiet --mem 8M --json=sum.json ./facts >out \
    2>err </dev/null
cp run.db "$work/now.db" && cp out "$work/now.out" && cp err "$work/now.err")
rm -f "$here"/out "$here"/err "$here"/sum.json "$here"/run.db
compare

# how
big=$(head -c 60000 /dev/zero | tr '\0' x)
check "a large environment" "$here" env BIG="$big" TZ=Asia/Tokyo HOME=/nowhere \
    LC_ALL=de_DE.UTF-8 LANG=tr_TR.UTF-8 TERM=xterm COLUMNS=55 PATH=/nowhere \
    TMPDIR=/nonexistent MALLOC_PERTURB_=85
check "no environment" "$here" env -i
check "a umask" "$here" sh -c 'umask 177; exec "$@"' sh
check "nice" "$here" nice -n 15
check "small limits" "$here" sh -c 'ulimit -s 256; ulimit -n 24; exec "$@"' sh
check "inherited descriptors" "$here" sh -c \
    'exec 3</etc/passwd 4>/dev/null 9</; exec "$@"' sh
check "signals ignored and blocked" "$here" env \
    --ignore-signal=HUP,PIPE,CHLD,QUIT,TSTP --block-signal=USR1,ALRM,TERM
check "no terminal" "$here" setsid -w
possible setarch -R true && check "addresses not random" "$here" setarch -R
check "a processor that can less" "$here" env GLIBC_TUNABLES=\
glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-AVX2_Usable,-FMA_Usable,-ERMS
possible taskset -c 0 true && check "one host CPU" "$here" taskset -c 0
check "input from a file" "$here" sh -c 'exec "$@" </etc/passwd' sh
check "input closed" "$here" sh -c 'exec "$@" <&-' sh
check "errors closed" "$here" sh -c 'exec "$@" 2>&-' sh
check "output to a pipe" "$here" sh -c '"$@" | cat' sh
if command -v script >/dev/null; then
	check "a terminal" "$here" terminal
fi
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
# shellcheck disable=SC2086
if [ "$(id -u)" = 0 ] && possible $nobody test -x "$vmsim" -a -x "$facts"; then
	chmod 777 "$work"
	check "another user" "$here" $nobody
	# what vmsim may not read is refused at once, and no disk fails
	echo secret >"$work/secret" && chmod 600 "$work/secret"
	rm -f "$work/now.db"
	$nobody "$vmsim" run --quiet --db "$work/now.db" --cwd "$work" -- \
	    /bin/cat secret >"$work/now.out" 2>&1
	if grep -q "secret: Permission denied" "$work/now.out" &&
	    [ "$(sqlite3 "$work/now.db" \
	    "select count(*) from io where error <> 0")" = 0 ]; then
		echo "ok: a file of somebody else's"
	else
		echo "FAIL: a file of somebody else's:" >&2
		cat "$work/now.out" >&2
		fail=1
	fi
	chmod 755 "$work"
fi

# Too little of the host's memory ends the run; the guest does not see it.
forks() { # KiB of address space
	rm -f "$work/now.db"
	(ulimit -v "$1" && cd "$here" && "$vmsim" run --quiet --mem 8M --db \
	    "$work/now.db" -- /bin/sh -c 'for i in 1 2 3; do
		(sort in.txt | md5sum) & done; wait' >"$work/now.out" \
	    2>"$work/now.err" </dev/null)
}
# A build with ASan cannot even start so.
if sh -c 'ulimit -v 150000 && "$1" --version' sh "$vmsim" >/dev/null 2>&1; then
	dry='^vmsim: .*memory\|^vmsim: .*thread\|^Failed to allocate memory'
	forks unlimited # the last of these is Unicorn's own word
	cp "$work/now.db" "$work/all.db"
	for k in 150000 180000 190000 195000 200000 210000 250000 400000; do
		forks $k
		code=$?
		if [ $code = 0 ] && cmp -s "$work/now.db" "$work/all.db"; then
			echo "ok: $k KiB are enough"
		elif [ $code -ge 64 ] && grep -q "$dry" "$work/now.err" &&
		    ! grep -v "$dry" "$work/now.err"; then
			echo "ok: $k KiB are not enough"
		else
			echo "FAIL: $k KiB: exit code $code" >&2
			cat "$work/now.err" >&2
			fail=1
		fi
	done
fi

# In other directories there are other files, but all else is the same.
program=$here/facts extra=elsewhere
first "$here"
for dir in / /usr /usr/lib /etc /tmp; do
	check "in $dir" "$dir"
done
exit $fail
