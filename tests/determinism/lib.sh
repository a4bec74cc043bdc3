# Shared by the determinism tests: `record VMSIM DB [run options]` makes one
# run of a small sort under pressure; `digest DB` is the hash of its dump;
# `load N` keeps N busy loops running until `unload`.
record() {
	v=$1 db=$2
	shift 2
	rm -f "$db"
	"$v" run --quiet --mem 3M --db "$db" --cwd "$work" "$@" -- \
	    /usr/bin/sort in.txt >"$db.out" 2>"$db.err" || {
		cat "$db.err" >&2
		return 1
	}
}

digest() {
	sqlite3 "$1" .dump | sha256sum | cut -d' ' -f1
}

# The loops look now and then whether the test is still there: stopped by Ctrl-C
# or a time limit, it must not leave them behind.
load() {
	loops=
	for l in $(seq "$1"); do
		sh -c 'while kill -0 "$1" 2>/dev/null; do
			i=0
			while [ $i -lt 20000 ]; do i=$((i + 1)); done
		done' load $$ &
		loops="$loops $!"
	done
}
unload() {
	# shellcheck disable=SC2086
	kill $loops
}

input() {
	[ -s "$work/in.txt" ] || awk 'BEGIN {
		x = 7
		for (i = 0; i < 30000; i++) {
			x = (x * 1103515245 + 12345) % 2147483648
			printf "%d line %d with some more text\n", x, i
		}
	}' >"$work/in.txt"
}
