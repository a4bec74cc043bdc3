#!/bin/sh
# Install what vmsim needs from Debian's packages. Idempotent: does nothing
# when everything is there. Works as root or through sudo.
#
# Debian 12 carries Unicorn 2.0.1, which lacks the virtual TLB. There, the
# package of Debian 13 is installed instead, pinned so that nothing else of
# that release is ever taken.
#
# usage: scripts/setup.sh [--demo] [--check]
#   --demo    only what building and demo.sh need, not the tests
#   --check   only say what is missing; exit 1 if anything is
set -eu

UNICORN_MIN=2.1.1
PACKAGES="gcc g++ make cmake ninja-build pkg-config
 libzydis-dev libsqlite3-dev sqlite3 libcjson-dev libzstd-dev zstd
 check gnuplot-nox man-db python3-minimal perl libc6-dev ca-certificates"
# Programs that the test suite runs inside the simulator, and what its
# sanitizer, second-compiler and fuzz builds need.
TEST_PACKAGES="clang libclang-rt-dev gzip bzip2 xz-utils gawk bc python3
 libcap2-bin mandoc"

check_only=0
wanted="$PACKAGES $TEST_PACKAGES"
for a; do
	case $a in
	--demo) wanted=$PACKAGES ;;
	--check) check_only=1 ;;
	-h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) echo "setup.sh: unknown argument '$a' (try --help)" >&2; exit 64 ;;
	esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "setup.sh: this is not a Debian system; install by hand:" \
	    "$PACKAGES and Unicorn >= $UNICORN_MIN" >&2
	exit 69
fi

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# clang's sanitizer and fuzzer runtime has the version in its package name
resolve() {
	case "$1" in
	libclang-rt-dev)
		v=$( { dpkg-query -W -f '${Depends}\n' clang ||
		    apt-cache depends clang; } 2>/dev/null |
		    sed -n 's/.*clang-\([0-9]*\).*/\1/p' | head -n 1)
		echo "libclang-rt-${v:-14}-dev" ;;
	*) echo "$1" ;;
	esac
}

unicorn_ok() {
	installed libunicorn-dev || return 1
	v=$(dpkg-query -W -f '${Version}' libunicorn-dev)
	dpkg --compare-versions "$v" ge "$UNICORN_MIN"
}

look() {
	missing=
	for p in $wanted; do
		p=$(resolve "$p")
		installed "$p" || missing="$missing $p"
	done
}
look
need=$missing
unicorn_ok || need="$need libunicorn-dev (>= $UNICORN_MIN)"
[ -n "$need" ] || exit 0
if [ $check_only = 1 ]; then
	echo "missing:$need"
	exit 1
fi

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1; then
	as_root=sudo
else
	echo "setup.sh: these packages are missing:$need;" \
	    "run this as root, or install sudo" >&2
	exit 77
fi
root() { $as_root env DEBIAN_FRONTEND=noninteractive "$@"; }
root true || {
	echo "setup.sh: sudo refuses; run this as root; these packages" \
	    "are missing:$need" >&2
	exit 77
}
# Another apt may be at work, above all on a machine that has just started.
apt_install() {
	said=$(root apt-get -q -y -o DPkg::Lock::Timeout=300 install \
	    --no-install-recommends "$@" 2>&1 >/dev/null) || {
		printf '%s\n' "$said" | tail -n 4 >&2
		echo "setup.sh: apt-get could not install $*" >&2
		exit 69
	}
}

# an installation that was interrupted, by Ctrl-C for example
if [ -n "$(dpkg --audit)" ]; then
	root dpkg --configure -a >/dev/null || : # apt says what is wrong
fi
echo "setup.sh: updating the package lists"
root apt-get -q update >/dev/null || {
	echo "setup.sh: 'apt-get update' failed; trying with the lists at hand" >&2
}

# apt may have been without lists when the names were resolved first
look
if [ -n "$missing" ]; then
	echo "setup.sh: installing$missing"
	# shellcheck disable=SC2086
	apt_install $missing
fi

candidate_ok() {
	c=$(apt-cache policy libunicorn-dev | sed -n 's/ *Candidate: //p')
	[ -n "$c" ] && [ "$c" != "(none)" ] &&
	    dpkg --compare-versions "$c" ge "$UNICORN_MIN"
}

# Only libunicorn may come from Debian 13; all else there gets priority 1.
add_trixie() {
	mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
	    /etc/apt/sources.list.d/*.sources 2>/dev/null |
	    grep -oE 'https?://[^ ]*/debian/?( |$)' | head -n 1 | tr -d ' ')
	mirror=${mirror:-http://deb.debian.org/debian}
	echo "setup.sh: taking Unicorn from Debian 13 ($mirror), pinned"
	root tee /etc/apt/preferences.d/vmsim-unicorn >/dev/null <<PIN
Package: *
Pin: release n=trixie
Pin-Priority: 1

Package: libunicorn-dev libunicorn2*
Pin: release n=trixie
Pin-Priority: 600
PIN
	root tee /etc/apt/sources.list.d/vmsim-trixie.sources >/dev/null <<SRC
Types: deb
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SRC
	root apt-get -q update >/dev/null
}

if ! unicorn_ok; then
	candidate_ok || add_trixie
	candidate_ok || {
		echo "setup.sh: no Unicorn >= $UNICORN_MIN to be had from the" \
		    "package lists; build it from source and install it" >&2
		exit 69
	}
	echo "setup.sh: installing libunicorn-dev"
	apt_install libunicorn-dev
fi
echo "setup.sh: done"
