#!/bin/sh
# usage: docs.sh DATABASE docs/database.md
# Every table and column of the database is documented and the other way
# round, and every query of the page runs and gives the columns it promises
# ("-- columns:"), with at least a row where it says "one or more".
set -u
db=$1 md=$2 fail=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# "table column" pairs of the page: headings of level 3 up to "## Views",
# which may name several tables, and the first cells of their rows.
awk '/^## Views/ { exit }
    /^### / { n = split(substr($0, 5), t, ", "); next }
    /^\| / && $2 != "column" && $2 != "---" {
	for (i = 1; i <= n; i++) print t[i], $2 }' "$md" | sort >"$tmp/doc"
sqlite3 "$db" "SELECT m.name || ' ' || c.name FROM sqlite_schema m,
    pragma_table_info(m.name) c WHERE m.type = 'table' AND NOT
    (m.name = 'samples' AND c.name IN (SELECT name FROM counters))" |
    sort >"$tmp/schema"
if ! diff "$tmp/doc" "$tmp/schema" >"$tmp/diff"; then
	echo "tables and columns: docs (<) and schema (>) differ:" >&2
	cat "$tmp/diff" >&2
	fail=1
fi
awk '/^## Views/ { on = 1 } /^## Useful/ { exit }
    on && /^\| `/ { gsub(/`/, "", $2); print $2 }' "$md" | sort >"$tmp/views"
sqlite3 "$db" "SELECT name FROM sqlite_schema WHERE type = 'view'" | sort |
    diff "$tmp/views" - >&2 || { echo "views differ" >&2; fail=1; }

# one file a query
awk -v dir="$tmp" '/^```sql/ { n++; on = 1; next } /^```/ { on = 0 }
    on { print >(dir "/q" n ".sql") }' "$md"
count=0
for q in "$tmp"/q*.sql; do
	count=$((count + 1))
	want=$(sed -n 's/^-- columns: //p' "$q" | tr -d ' ')
	if ! sqlite3 -bail -header -csv "$db" <"$q" >"$q.out" 2>"$q.err"; then
		echo "a query fails:" >&2
		cat "$q" "$q.err" >&2
		fail=1
		continue
	fi
	rows=$(($(wc -l <"$q.out") - 1))
	got=$(head -n 1 "$q.out" | tr -d '"\r')
	# without rows the shell prints no header
	if [ -s "$q.out" ] && [ "$got" != "$want" ]; then
		echo "columns '$got', the page says '$want':" >&2
		cat "$q" >&2
		fail=1
	fi
	if grep -q '^-- rows: one or more' "$q" && [ "$rows" -lt 1 ]; then
		echo "no rows:" >&2
		cat "$q" >&2
		fail=1
	fi
	if grep -q '^-- rows: 3' "$q" && [ "$rows" -ne 3 ]; then
		echo "$rows rows, not 3:" >&2
		cat "$q" >&2
		fail=1
	fi
done
if [ $count -lt 10 ]; then
	echo "$count queries in $md" >&2
	fail=1
fi
echo "$count queries, $(wc -l <"$tmp/doc") columns documented"
exit $fail
