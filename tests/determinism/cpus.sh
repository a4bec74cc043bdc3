#!/bin/sh
# usage: cpus.sh VMSIM WORKDIR GUESTDIR: several processes and threads under
# pressure on 1, 2 and 4 simulated CPUs: two runs of each give the same
# database and the same output, the second one on a loaded host.
set -u
LC_ALL=C
export LC_ALL
. "$(dirname "$0")/lib.sh"
vmsim=$1
mkdir -p "$2" && work=$(cd "$2" && pwd) || exit 1
guests=$(cd "$3" && pwd) || exit 1
input
cp "$guests/pthreads" "$work/"
cat >"$work/jobs.sh" <<'END'
sort in.txt | uniq -c | tail -n 2 &
(cut -d' ' -f1 in.txt | sort -n | md5sum) &
./pthreads | md5sum &
i=0
while [ $i -lt 20 ]; do
	(exit $i) & wait $!
	i=$((i + $?))
	i=$((i + 1))
done
wait
END
fail=0

jobs() { # cpus db
	rm -f "$2"
	"$vmsim" run --quiet --cpus "$1" --mem 3M --db "$2" --cwd "$work" \
	    --env PATH=/usr/bin:/bin -- /bin/sh jobs.sh >"$2.out" 2>"$2.err"
}

for cpus in 1 2 4; do
	jobs $cpus "$work/one.db" || {
		echo "FAIL: $cpus CPUs: exit code $?" >&2
		cat "$work/one.db.err" >&2
		fail=1
		continue
	}
	load 2
	jobs $cpus "$work/two.db"
	unload
	outs=$(sqlite3 "$work/one.db" \
	    "select count(*) from io where kind = 0")
	if [ "$(digest "$work/one.db")" != "$(digest "$work/two.db")" ]; then
		echo "FAIL: $cpus CPUs: two runs, two databases" >&2
		fail=1
	elif ! cmp -s "$work/one.db.out" "$work/two.db.out"; then
		echo "FAIL: $cpus CPUs: two runs, two outputs" >&2
		fail=1
	elif [ "$outs" -eq 0 ]; then
		echo "FAIL: $cpus CPUs: nothing was paged out" >&2
		fail=1
	else
		echo "ok: $cpus CPUs, $outs page-outs"
	fi
	# The order of lines depends on who is first, their contents do not.
	sort "$work/one.db.out" >"$work/out.$cpus"
	if ! cmp -s "$work/out.$cpus" "$work/out.1"; then
		echo "FAIL: $cpus CPUs: other output than with one" >&2
		fail=1
	fi
done
exit $fail
