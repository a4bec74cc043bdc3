#!/bin/sh
# usage: same.sh VMSIM WORKDIR: the same database for two runs, from another
# directory, under another path name, as another user, with a larger
# environment, on a loaded host, with progress and --vmstat on, at another
# database path.
set -u
. "$(dirname "$0")/lib.sh"
vmsim=$1
case $vmsim in /*) ;; *) vmsim=$PWD/$vmsim ;; esac
mkdir -p "$2" && work=$(cd "$2" && pwd) || exit 1
chmod 755 "$work"
input
fail=0

check() { # what db
	d=$(digest "$2")
	if [ "$d" = "$want" ] && cmp -s "$2" "$work/a.db"; then
		echo "ok: $1"
	elif [ "$d" = "$want" ]; then
		echo "FAIL: $1: the dump is the same but the file differs" >&2
		fail=1
	else
		echo "FAIL: $1: the dump differs" >&2
		fail=1
	fi
}

record "$vmsim" "$work/a.db" || exit 1
want=$(digest "$work/a.db")
record "$vmsim" "$work/b.db" && check "second run" "$work/b.db"
(cd / && record "$vmsim" "$work/c.db") && check "another directory" "$work/c.db"
mkdir -p "$work/a longer path/to"
cp "$vmsim" "$work/a longer path/to/other-name"
record "$work/a longer path/to/other-name" "$work/d.db" &&
    check "another path name" "$work/d.db"
rm -rf "$work/a longer path"
big=$(head -c 60000 /dev/zero | tr '\0' x)
(BIG=$big TZ=Asia/Tokyo LC_ALL=C.UTF-8 LANG=xx HOME=/nowhere; export BIG TZ \
    LC_ALL LANG HOME; record "$vmsim" "$work/e.db") &&
    check "a larger environment" "$work/e.db"
record "$vmsim" "$work/f.db" --vmstat 1 && check "with --vmstat" "$work/f.db"
load 3
record "$vmsim" "$work/g.db"
unload
check "a loaded host" "$work/g.db"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	mkdir -p "$work/u" && chown 65534 "$work/u"
	cp "$vmsim" "$work/u/vmsim" && chmod 755 "$work/u/vmsim"
	if setpriv --reuid 65534 --regid 65534 --clear-groups test -r \
	    "$work/in.txt" -a -x "$work/u/vmsim"; then
		rm -f "$work/u/h.db"
		setpriv --reuid 65534 --regid 65534 --clear-groups \
		    "$work/u/vmsim" run --quiet --mem 3M --db "$work/u/h.db" \
		    --cwd "$work" -- /usr/bin/sort in.txt >/dev/null &&
		    check "another user" "$work/u/h.db"
	else
		echo "skipped: another user (it cannot read this directory)"
	fi
fi
"$vmsim" disk show cheetah9lp >"$work/my.json" &&
    mkdir -p "$work/elsewhere" && cp "$work/my.json" "$work/elsewhere/" &&
    record "$vmsim" "$work/a.db" --disk "$work/my.json" &&
    want=$(digest "$work/a.db") &&
    record "$vmsim" "$work/i.db" --disk "$work/elsewhere/my.json" &&
    check "a disk's parameters in another place" "$work/i.db"
version=$(od -An -tu1 -j96 -N4 "$work/a.db" | tr -s ' ')
if [ "$version" = " 0 46 67 192" ]; then
	echo "ok: SQLite's own version is not in the file"
else
	echo "FAIL: the header names SQLite $version, not 3.32.0" >&2
	fail=1
fi
exit $fail
