#!/bin/sh
# usage: faults.sh VMSIM WORKDIR: whole runs on disks that fail. A page-out
# that fails is tried again and no byte is lost; a page-in that fails ends the
# process with SIGBUS; nothing fails without a row in the database.
. "$(dirname "$0")/../cli/lib.sh"

# run NAME CODE [OPTION]...: a guest that pages through a swap disk of its own
run() {
	name=$1 want=$2
	shift 2
	timeout 1000 "$vmsim" run -q --mem 4M --db "$name.db" --log io,events \
	    --max-time 100s --disk ram --disk sw=sata7200_500gb \
	    --swap-disk sw "$@" -- /guest/sequential --size=6M --rounds=2 \
	    >"$name.txt" 2>err.txt
	rc=$?
	[ $rc = "$want" ] || bad "$name: exit code $rc: $(cat err.txt)"
}
# errors NAME KIND ERRNO: how many transfers of a kind ended so
errors() {
	sqlite3 "$1.db" "SELECT count(*) FROM v_io WHERE kind = '$2' AND
	    error = $3"
}
# same NAME: the guest computed what it computes on a good disk
same() {
	cmp -s good.txt "$1.txt" || bad "$1: $(cat "$1.txt")"
}
is() { # NAME VALUE WANTED
	[ "$2" = "$3" ] || bad "$1: $2, not $3"
}

run good 0
[ -s good.txt ] || bad "the guest said nothing"
is good "$(sqlite3 good.db 'SELECT count(*) FROM v_io WHERE error <> 0')" 0

run write 0 --disk-fault sw:media,op=write,after=2,times=3
same write
is write "$(errors write swap_out 5)" 3

run torn 0 --disk-fault sw:torn,after=4,times=2,sectors=3
same torn
is torn "$(errors torn swap_out 5)" 2

run late 0 --disk-fault sw:timeout,op=write,after=3,times=1,delay=2s
same late
is late "$(errors late swap_out 110)" 1

run read 135 --disk-fault sw:media,op=read,after=5,times=1
is read "$(errors read swap_in 5)" 1
[ ! -s read.txt ] || bad "read: a result in spite of lost data"

run gone 124 --max-time 3s --disk-fault sw:gone,at=100ms
[ "$(errors gone swap_out 6)" -gt 0 ] || bad "gone: no transfer failed"
is "gone: told" "$(grep -c 'failed on disk sw' err.txt)" 1

# without a limit, a run that will never go on ends by itself, and says why
for f in gone,at=100ms media,op=write timeout,op=write,after=3; do
	timeout 1000 "$vmsim" run --mem 4M --db stuck.db --log io,events \
	    --disk ram --disk sw=sata7200_500gb --swap-disk sw \
	    --disk-fault sw:$f -- /guest/sequential --size=6M >/dev/null 2>err.txt
	is "$f: exit code" $? 74
	is "$f: status" "$(sqlite3 stuck.db "SELECT value FROM meta
	    WHERE key = 'ended'")" stuck
	grep -q 'sequential was stuck after' err.txt &&
	    grep -q 'disk sw .* failed$' err.txt || bad "$f: $(cat err.txt)"
	tail -n 1 err.txt | grep -q 'nothing has run for 300 s.*(pfault)' ||
	    bad "$f: $(cat err.txt)"
	# until then the guest ran, or a transfer went well
	is "$f: too early" "$(sqlite3 stuck.db "SELECT count(*) FROM v_events
	    WHERE kind = 'io_error' HAVING count(*) < 20")" ""
done

# every error is an event too
for n in write torn late read gone; do
	is "$n: events" "$(sqlite3 $n.db "SELECT count(*) FROM v_events
	    WHERE kind = 'io_error'")" "$(sqlite3 $n.db "SELECT count(*)
	    FROM v_io WHERE error <> 0")"
done
is config "$(sqlite3 gone.db "SELECT value FROM config
    WHERE key = 'disks[1].faults[0]'")" gone,at=100ms

refused 78 "it begins with media" "$vmsim" run --disk-fault medea -- /bin/true
refused 78 "is none of lbn" "$vmsim" run --disk-fault media,lbm=3 -- /bin/true
refused 78 "is not [NAME:]KEY=VALUE" "$vmsim" run --disk-set x -- /bin/true
refused 78 "'foo' is no parameter" "$vmsim" run --no-db --disk-set foo=3 -- \
    /bin/true
exit $fail
