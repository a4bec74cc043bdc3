#!/bin/sh
# usage: scenario.sh VMSIM WORKDIR: two runs of a scenario write equal
# databases: with 1, 2 and 4 CPUs, from another directory, with another
# environment, on a loaded host.
set -u
. "$(dirname "$0")/lib.sh"
vmsim=$1
mkdir -p "$2" && work=$(cd "$2" && pwd) || exit 1
fail=0

record() { # scenario db options
	s=$1 db=$2
	shift 2
	rm -f "$db"
	"$vmsim" run --quiet --scenario "$s" --db "$db" "$@" >"$db.out" \
	    2>"$db.err" || { cat "$db.err" >&2; return 1; }
}
check() { # what a b
	if cmp -s "$2" "$3" && cmp -s "$2.out" "$3.out"; then
		echo "ok: $1"
	else
		echo "FAIL: $1: two runs differ" >&2
		fail=1
	fi
}

cat >"$work/mix.json" <<'J'
{
  "scenario": "a mix",
  "machine": "hp-1993", "mem": "4M", "kernel_mem": 0,
  "tunables": { "vm.swap_idle_enabled": 1 },
  "processes": [
    { "name": "editor", "program": "/guest/editor", "count": 3,
      "args": ["--idle", "4000", "--rounds", "2", "--seed", "{i}"] },
    { "name": "storm", "program": "/guest/fork_storm", "start": "300ms",
      "args": ["--waves", "3", "--wave", "10", "--live", "20"] },
    { "name": "hog", "program": "/guest/rss_hog", "start": "1s", "nice": 5,
      "args": ["--size", "4M", "--rounds", "3"] },
    { "name": "shell", "program": "sh", "start": "500ms",
      "args": ["-c", "for i in 1 2 3; do echo $i; done | sort -r | wc -l"] }
  ]
}
J
mkdir -p "$work/another one"
for cpus in 1 2 4; do
	record "$work/mix.json" "$work/a.db" --cpus $cpus || exit 1
	big=$(head -c 30000 /dev/zero | tr '\0' x)
	load 2
	# once in the root: it is above all others
	dir="$work/another one"
	[ $cpus = 2 ] && dir=/
	(cd "$dir" && BIG=$big TZ=Asia/Tokyo HOME=/nowhere &&
	    export BIG TZ HOME &&
	    record "$work/mix.json" "$work/b.db" --cpus $cpus)
	unload
	check "$cpus CPUs" "$work/a.db" "$work/b.db"
done
record idle-editors "$work/c.db" && record idle-editors "$work/d.db" &&
    check "idle-editors" "$work/c.db" "$work/d.db"
grep -v '"scenario"' "$work/mix.json" >"$work/unnamed.json"
mkdir -p "$work/elsewhere" && cp "$work/unnamed.json" "$work/elsewhere/"
record "$work/unnamed.json" "$work/e.db" &&
    record "$work/elsewhere/unnamed.json" "$work/f.db" &&
    check "a file in another place" "$work/e.db" "$work/f.db"
exit $fail
