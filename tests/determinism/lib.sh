# Shared by the determinism tests: `record VMSIM DB [run options]` makes one
# run of a small sort under pressure; `digest DB` is the hash of its dump.
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

input() {
	[ -s "$work/in.txt" ] || awk 'BEGIN {
		x = 7
		for (i = 0; i < 30000; i++) {
			x = (x * 1103515245 + 12345) % 2147483648
			printf "%d line %d with some more text\n", x, i
		}
	}' >"$work/in.txt"
}
