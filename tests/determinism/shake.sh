#!/bin/sh
# usage: shake.sh VMSIM WORKDIR GUESTDIR OWN: what the emulator does by itself
# (when it translates, empties its TLB, ends a block, stops) reaches nothing:
# a run that is disturbed at random writes the same database as one that is
# not.
set -u
. "$(dirname "$0")/lib.sh"
vmsim=$1 guests=$3 own=$4
mkdir -p "$2" && work=$(cd "$2" && pwd) || exit 1
input
# what the guest finds in its directory is an input: no outputs there
mkdir -p "$work/here"
cp "$work/in.txt" "$guests/pthreads" "$guests/signals" "$own/smc" "$own/facts" \
    "$work/here/" || exit 1
fail=0

run() { # db options...
	db=$1
	shift
	rm -f "$db"
	(cd "$work/here" && "$vmsim" run --quiet --db "$db" "$@" >"$db.out" \
	    2>"$db.err" </dev/null)
}

check() { # what options...
	what=$1
	shift
	run "$work/calm.db" "$@"
	[ $? -lt 64 ] || { # the guest's own exit code is below
		echo "FAIL: $what: it did not run" >&2
		cat "$work/calm.db.err" >&2
		fail=1
		return
	}
	for n in 1 2; do
		run "$work/shaken.db" --shake=$n "$@"
		if cmp -s "$work/calm.db.out" "$work/shaken.db.out" &&
		    cmp -s "$work/calm.db" "$work/shaken.db"; then
			echo "ok: $what, --shake=$n"
		else
			echo "FAIL: $what: --shake=$n: another run" >&2
			cat "$work/shaken.db.err" >&2
			fail=1
		fi
	done
}

check "sort under pressure" --mem 3M -- sort in.txt
check "python under pressure" --mem 6M -- python3 -S -E -c 'print(6 * 7)'
check "a shell on 2 CPUs" --cpus 2 --mem 3M -- sh -c 'for i in 1 2 3; do
	(head -n 2000 in.txt | sort -n | md5sum) & done; wait'
check "threads on 4 CPUs" --cpus 4 --mem 2M -- ./pthreads
check "signals" -- ./signals
check "code that changes itself" -- ./smc
check "all facts" -- ./facts
exit $fail
