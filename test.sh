#!/bin/sh
# Build and test everything: unit, conformance, golden, determinism and native
# suites in the release build, the same with ASan and UBSan, the same databases
# from a second compiler, and (with --fuzz, and in CI) a minute of each fuzzer.
#
# usage: ./test.sh [--quick] [--fuzz]
#   --quick   release build only
#   --fuzz    run each fuzz target for a minute too
set -eu
cd "$(dirname "$0")"

quick=0 fuzz=0
[ -z "${CI-}" ] || fuzz=1
for a; do
	case $a in
	--quick) quick=1 ;;
	--fuzz) fuzz=1 ;;
	-h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) echo "test.sh: unknown argument '$a' (try --help)" >&2; exit 64 ;;
	esac
done

passed=0 failed=0
say() { printf '\n== %s\n' "$*"; }

build() { # preset targets...
	p=$1
	shift
	[ $# -gt 0 ] || set -- all
	say "Building $p"
	cmake --preset "$p" >/dev/null
	cmake --build --preset "$p" --target "$@" -- --quiet
}

# ctest of one build; adds to the totals
suite() { # preset ctest-arguments...
	p=$1
	shift
	say "Testing $p"
	log=build/$p/test.log
	ctest --test-dir "build/$p" --output-on-failure -j "$(nproc)" "$@" 2>&1 |
	    tee "$log" | grep --line-buffered -vE '^ *(Start|Test project)' || true
	n=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' \
	    "$log")
	if [ -z "$n" ]; then
		echo "test.sh: ctest of $p ran nothing" >&2
		failed=$((failed + 1))
		return
	fi
	f=${n% *} t=${n#* }
	passed=$((passed + t - f)) failed=$((failed + f))
}

one() { # name command...
	n=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok: $n"
	else
		failed=$((failed + 1))
		echo "FAILED: $n"
	fi
}

# LeakSanitizer looks at its process with ptrace, which some containers forbid.
leaks() {
	echo 'int main(void) { return 0; }' >build/probe.c
	cc -fsanitize=address -o build/probe build/probe.c
	build/probe >build/probe.log 2>&1 && return
	grep -q 'LeakSanitizer does not work' build/probe.log || return 0
	say "No ptrace on this machine: leaks of memory are not looked for"
	ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	export ASAN_OPTIONS
}

for d in "$PWD" build; do
	[ ! -e "$d" ] || [ -w "$d" ] || {
		echo "test.sh: no permission to write in $d: use a copy" \
		    "of your own" >&2
		exit 73
	}
done
scripts/setup.sh
build release
suite release
[ $quick$fuzz = 10 ] || leaks
if [ $quick = 0 ]; then
	build asan
	suite asan -LE native
	build clang vmsim
	one "the same database from gcc, clang and ASan builds" \
	    tests/determinism/builds.sh build/determinism \
	    build/release/vmsim build/clang/vmsim build/asan/vmsim
fi
if [ $fuzz = 1 ]; then
	build fuzz fuzzers
	suite fuzz -L fuzz
fi

echo
echo "$passed passed, $failed failed"
[ $failed = 0 ]
