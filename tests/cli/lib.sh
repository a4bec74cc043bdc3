# Shared by the tests of the command line: an empty directory to work in, and
# `refused`: a call must fail with one clear line and leave nothing behind.
vmsim=$(realpath "$1") work=$2 make_db=${3:+$(realpath "$3")}
src=$(cd "$(dirname "$0")" && pwd)
[ -x "$vmsim" ] || { echo "no such program: $vmsim" >&2; exit 1; }
rm -rf "$work"
mkdir -p "$work" || exit 1
cd "$work" || exit 1
fail=0

bad() {
	echo "FAIL: $*" >&2
	fail=1
}

# refused CODE TEXT COMMAND...: exit code CODE (64 up), no standard output,
# one line on standard error that contains TEXT, no file made or changed.
refused() {
	code=$1 text=$2
	shift 2
	before=$(find . ! -name .err ! -name .out -type f -exec cksum {} + | sort)
	"$@" >.out 2>.err </dev/null
	rc=$?
	after=$(find . ! -name .err ! -name .out -type f -exec cksum {} + | sort)
	[ "$rc" = "$code" ] || bad "$*: exit code $rc, not $code: $(cat .err)"
	[ "$(wc -l <.err)" = 1 ] || bad "$*: not one line: $(cat .err)"
	grep -qF -e "$text" .err || bad "$*: '$text' is not in: $(cat .err)"
	[ ! -s .out ] || bad "$*: wrote to standard output"
	[ "$before" = "$after" ] || bad "$*: files changed: $after"
}
