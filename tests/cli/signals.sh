#!/bin/sh
# usage: signals.sh VMSIM WORKDIR: Ctrl-C, kill -9, --max-time: exit codes and
# what is left in the database.
. "$(dirname "$0")/lib.sh"

status() {
	sqlite3 "$1" "SELECT group_concat(value, ', ') FROM meta WHERE key IN
	    ('status', 'ended') ORDER BY key"
}
valid() {
	[ "$(sqlite3 "$1" 'PRAGMA integrity_check')" = ok ] ||
	    bad "$1 is not a valid database"
}
# a program that does not end by itself, and can be seen to have begun
started() { # database
	i=0
	while [ $i -lt 600 ]; do
		[ ! -s "$1" ] || [ "$(sqlite3 "$1" \
		    'SELECT count(*) > 0 FROM processes' 2>/dev/null)" != 1 ] ||
		    return 0
		sleep 0.1
		i=$((i + 1))
	done
	bad "the run does not begin"
	return 1
}

for sig in INT TERM; do
	n=15
	[ $sig = TERM ] || n=2
	# a shell without job control starts it with SIGINT ignored
	python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$vmsim" run --db $sig.db -- \
	    gawk 'BEGIN { while (1) i++ }' 2>$sig.err &
	pid=$!
	started $sig.db && kill -$sig $pid
	wait $pid
	rc=$?
	[ $rc -eq $((128 + n)) ] || bad "SIG$sig: exit code $rc"
	[ "$(status $sig.db)" = "interrupted, incomplete" ] ||
	    bad "SIG$sig: $(status $sig.db)"
	valid $sig.db
	[ ! -e $sig.db-journal ] || bad "SIG$sig leaves a journal"
	grep -q 'was stopped' $sig.err || bad "SIG$sig: no summary"
done

# a guest that waits for input must not hold Ctrl-C up
mkfifo input
python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$vmsim" run --quiet --no-db \
    --json=wait.json -- sh -c 'echo ready; exec cat' <input >heard &
pid=$!
exec 3>input
i=0
while [ $i -lt 600 ] && [ ! -s heard ]; do
	sleep 0.1
	i=$((i + 1))
done
echo hello >&3
kill -INT $pid
wait $pid
rc=$?
exec 3>&-
[ $rc -eq 130 ] || bad "SIGINT while the guest reads: exit code $rc"
[ "$(cat heard)" = ready ] || bad "the guest heard: $(cat heard)"
grep -q '"interrupted": true' wait.json || bad "wait.json: $(cat wait.json)"

"$vmsim" run --db kill.db -- gawk 'BEGIN { while (1) i++ }' 2>/dev/null &
pid=$!
started kill.db && kill -KILL $pid
wait $pid 2>/dev/null
[ "$(status kill.db)" = "running or killed, incomplete" ] ||
    bad "SIGKILL: $(status kill.db)"
valid kill.db
# what it left does not disturb the next one
"$vmsim" run --quiet --db kill.db -- true || bad "the run after a killed one"
[ "$(status kill.db)" = "exited, complete" ] || bad "after: $(status kill.db)"
valid kill.db

"$vmsim" run --quiet --db max.db --max-time 20ms -- \
    gawk 'BEGIN { while (1) i++ }'
rc=$?
[ $rc -eq 124 ] || bad "--max-time: exit code $rc"
[ "$(status max.db)" = "interrupted, incomplete" ] ||
    bad "--max-time: $(status max.db)"
[ "$(sqlite3 max.db "SELECT value FROM summary WHERE name = 'time'")" -ge \
    20000000 ] || bad "--max-time ends too early"

# two processes that wait for each other: nobody else will end that
"$vmsim" run --db stuck.db -- bash -c 'coproc cat; wait' </dev/null 2>err.txt
rc=$?
[ $rc -eq 70 ] || bad "stuck: exit code $rc"
[ "$(status stuck.db)" = "stuck, incomplete" ] ||
    bad "stuck: $(status stuck.db)"
grep -q '^vmsim: bash was stuck after' err.txt &&
    grep -q 'wait for each other for ever: 100 bash (wait), 101 cat (piperd)' \
    err.txt || bad "stuck: $(cat err.txt)"

# the guest's own end
"$vmsim" run --quiet --no-db -- sh -c 'exit 7'
[ $? -eq 7 ] || bad "the guest's exit code is lost"
"$vmsim" run --quiet --no-db -- sh -c 'kill -TERM $$'
[ $? -eq 143 ] || bad "the guest's signal is lost"
[ ! -e run.db ] || bad "--no-db writes run.db"
exit $fail
