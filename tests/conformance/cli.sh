#!/bin/sh
# usage: cli.sh VMSIM DIR: what `vmsim conform` says of wrong input, and that
# it notices a wrong result of every kind.
set -u
vmsim=$1 dir=$2/conform-cli
rm -rf "$dir"
mkdir -p "$dir" && cd "$dir" || exit 1
failed=0
fail() { echo "FAILED: $*"; failed=1; }

# expect STATUS PATTERN ARGUMENT...: exit status, and a line of the output
expect() {
	st=$1 pat=$2
	shift 2
	"$vmsim" conform "$@" >out 2>err
	got=$?
	[ $got -eq "$st" ] || fail "conform $*: exit $got, want $st"
	cat out err | grep -qE -e "$pat" ||
	    fail "conform $*: no '$pat' in: $(head -n 3 err)"
	n=$(wc -l <err)
	[ "$st" -lt 65 ] || [ "$n" -eq 1 ] ||
	    fail "conform $*: $n lines of complaint"
}

# scenario OPS: one with four pages and one object
cfg='{"pages":4,"l2":1,"thr":{"free_reserved":0},"objs":[{"id":0,"type":"swap","ref":1,"size":4}]}'
scenario() {
	printf '{"suite":"vm_page","id":"T","cfg":%s,"ops":[%s]}\n' "$cfg" "$1"
}
exp='"r":0,"q":[[0,"F0","-"]],"c":{"free":3},"p":[[0,"fl",1,"o",0]],"ob":[[0,1,0]]'
alloc='{"op":"alloc","o":0,"pi":0,"exp":{'$exp'}}'
scenario "$alloc" >good
expect 0 '^1 passed, 0 failed$' good
expect 0 '^ok .*good:1 vm_page T, 1 steps$' -v good

# every member of an outcome is looked at
for s in 's/"r":0/"r":1/' 's/"F0"/"F1"/' 's/"free":3/"free":2/' \
    's/"fl",1/"fl",3/' 's/\[0,1,0\]/[0,2,0]/' 's/"r":0/"blk":1/' \
    's/"r":0,//' 's/"r":0/"r":0,"ev":[["zhint"]]/' \
    's/"exp":{.*}/"exp":{"err":"FREE_FREE"}}]}/'; do
	sed -e "$s" good >bad
	cmp -s good bad && fail "'$s' changes nothing"
	expect 1 '^FAIL bad:1 vm_page T$' bad
	grep -q 'first difference at' out || fail "'$s': no difference shown"
	grep -q 'state before' out || fail "'$s': no state shown"
done
sed -e 's/"r":0/"r":1/' good >bad
expect 1 '^1 passed, 1 failed$' good bad

# sleeping: by a script, woken in mid-script, and for good
busy='{"op":"sleep_busy","m":0,"also":0,"sleeps":[[{"op":"wakeup","m":0},{"op":"dirty","m":0}]],"exp":{"r":1,"p":[[0,"fl",128,"d",255]],"ev":[["sleep","page:0",68,"vectst",0],["wakeup","page:0"]]}}'
wait='{"op":"vm_wait","exp":{"blk":1,"c":{"pgneed":1},"ev":[["wakeup","pagedaemon"],["sleep","free",68,"vmwait",0]]}}'
scenario "$alloc,$busy,$wait" >asleep
expect 0 '^1 passed' asleep

# an op that does nothing, in a script and alone, whatever the suite
nap='{"op":"vm_waitpfault","sleeps":[[{"op":"nop"}]],"exp":{"c":{"pgneed":1},"ev":[["wakeup","pagedaemon"],["sleep","free",160,"pfault",0]]}}'
scenario "{\"op\":\"nop\",\"exp\":{}},$nap" >naps
expect 0 '^1 passed' naps

# a protection has 8 bits in that kernel: 0x103 is read and write
printf '%s%s\n' '{"suite":"vm_glue","id":"P","cfg":{"pages":1,"invariants":0,' \
    '"procs":[]},"ops":[{"op":"kernacc","addr":"0x1fff","len":2,"rw":259,"allow":1,"exp":{"r":1,"ev":[["check","kernel","0x1000","0x3000",3]]}}]}' >prot
expect 0 '^1 passed' prot

# the swapper's claims wrap: 2^31 - 1 seconds and a nice of -1 are less than 0
cat >claims <<'END'
{"suite":"vm_glue","id":"W","cfg":{"pages":3,"l2":1,"procs":[{"pid":7,"sflag":0,"uarea":2,"groups":[{"slptime":2147483647,"nice":-1,"cls":3,"threads":[{"tid":1,"inhib":4,"tstate":1}]}]},{"pid":8,"sflag":0,"uarea":2,"groups":[{"threads":[{"tid":2,"inhib":4,"tstate":1}]}]}]},"ops":[{"op":"scheduler","exp":{"blk":1,"q":[[1,"I","-"],[0,"I","-"]],"c":{"inact":0,"wire":2},"p":[[0,"wire",1],[1,"wire",1]],"pr":[[7,"sflag",1],[8,"sflag",1]],"td":[[1,0,3],[2,0,3]],"ev":[["qenter",8,1],["tswapin",2],["setrunnable",2],["wakeup","sflag:8"],["qenter",7,0],["tswapin",1],["setrunnable",1],["wakeup","sflag:7"],["sleep","swapper",68,"sched",1000]]}}]}
END
expect 0 '^1 passed' claims

# a large machine, of which only pages that an op works on are looked at
{
	printf '{"suite":"vm_page","id":"L","cfg":{"pages":70000,"l2":1,'
	printf '"thr":{"free_reserved":0},"objs":[{"id":0,"type":"swap"}]},"ops":['
	printf '%s,' '{"op":"alloc","o":0,"pi":0,"exp":{"r":0,"q":[[0,"F0","-"]],"c":{"free":69999},"p":[[0,"fl",1,"o",0]],"ob":[[0,1,0]]}}'
	printf '%s]}\n' '{"op":"sleep_busy","m":0,"also":0,"sleeps":[[{"op":"hold","m":69999},{"op":"wakeup","m":0}]],"exp":{"r":1,"p":[[0,"fl",128],[69999,"hold",1]],"ev":[["sleep","page:0",68,"vectst",0],["wakeup","page:0"]]}}'
} >large
expect 0 '^1 passed' large
sed -e 's/,\[69999,"hold",1\]//' large >bad
expect 1 'first difference at .p.1.: expected .absent.' bad

# many processes, numbered downwards, each with a thread
{
	printf '{"suite":"vm_glue","id":"M","cfg":{"pages":1,"procs":['
	seq 12000 -1 1 | sed -e \
	    's/.*/{"pid":&,"groups":[{"threads":[{"tid":-&}]}]}/' |
	    paste -s -d , -
	printf '%s%s%s\n' ']},"ops":[' \
	    '{"op":"setproc","pid":11999,"lock":2,"exp":{"pr":[[11999,"lock",2]]}},' \
	    '{"op":"setthread","tid":-3,"tstate":1,"exp":{"td":[[-3,0,1]]}},{"op":"nop","exp":{}}]}'
} | tr -d '\n' >many
expect 0 '^1 passed' many

# hz / 2 of the page daemon's rest is 0 ticks at 1 Hz; a mapping of no pmap
cat >rest <<'END'
{"id":"H","suite":"worker","in":{"hz":1,"vm":{"pages_needed":1,"v_free_min":1},"objs":[{}],"pages":[{"obj":0,"maps":[[-1,1,0]]}],"dom":[{"pass":2}],"steps":[{"op":"worker","iters":[{"real":0}]}]},"out":[{"op":"worker","ev":[["msleep","pages_needed",0],["scan",0,3,1,1]],"cnt":{"free":0,"cache":0,"inactive":0,"active":0,"pdpages":0,"dfree":0,"tfree":0,"tcached":0,"pdwakeups":1,"deficit":0,"needed":1,"lock_miss":0,"req_swapout":0,"oom_vote":0,"lowmem_uptime":0},"dm":[{"inactive":[-1],"active":[],"free":0,"last_scan":1000,"oom":0,"oom_seq":0,"pass":3}]}]}
END
expect 0 '^1 passed' rest

# --emit needs no results, and what it prints passes
sed -e 's/,"exp":{[^}]*}[^}]*}//' good >input
grep -q exp input && fail "results are still there"
"$vmsim" conform --emit input >emitted 2>/dev/null || fail "--emit"
cmp -s good emitted || fail "--emit: $(cat emitted)"
expect 65 '"exp" is missing' input

# input that is not right: file, line and reason; the other lines are done
{ cat good; echo '{"suite":"vm_page",'; cat good; } >broken
expect 65 '^vmsim: conform: broken:2: column [0-9]+: malformed JSON$' broken
grep -q '^2 passed, 0 failed, 1 malformed$' out || fail "broken: $(cat out)"
echo '[1]' >list
expect 65 'list:1: not a scenario' list
echo '{"suite":"nonsense","id":"X"}' >suite
expect 65 'suite:1: scenario X: unknown suite "nonsense"' suite
# processes that cannot be
glue() {
	printf '{"suite":"vm_glue","id":"G","cfg":{"pages":8,"procs":[%s]},' \
	    "$1" >glue
	printf '"ops":[%s]}\n' "$2" >>glue
}
glue '{"pid":7,"groups":[]},{"pid":7,"groups":[]}' ''
expect 65 'two processes 7' glue
glue '{"pid":7,"groups":[]}' '{"op":"faultin","pid":8,"exp":{}}'
expect 65 '"pid": there is no process 8' glue
glue '{"pid":7,"groups":[]}' '{"op":"proc_swapin","pid":7,"exp":{}}'
expect 1 'UAREA_NONE' glue
for op in '{"op":"fly"}' '{"op":"free","m":4}' '{"op":"free","m":-1}' \
    '{"op":"free","m":0.5}' '{"op":"free","m":"0"}' '{"op":"free"}' \
    '{"op":"lookup","o":1,"pi":0}' '{"op":"lookup","o":0}' '{"op":7}' '{}' \
    '{"op":"alloc","o":0,"pi":0,"cls":"Q"}' \
    '{"op":"setvar","name":"none","v":1}' '{"op":"find","base":"X"}' \
    '{"op":"wire","m":0,"n":99999999}' '7' \
    '{"op":"vm_wait","sleeps":[[{"op":"fly"}]]}' \
    '{"op":"vm_wait","sleeps":[[{"op":"vm_wait","sleeps":[]}]]}' \
    '{"op":"vm_wait","sleeps":7}' '{"op":"vm_wait","sleeps":[7]}' \
    '{"op":"startup"}' '{"op":"startup","boot_pages":1,"vaddr":"0x0","phys":[]}' \
    '{"op":"startup","boot_pages":1,"vaddr":"0x0","phys":[["0x2000","0x1000"]]}'; do
	scenario "$op" >op
	expect 65 '^vmsim: conform: op:1: ' op
done
for c in '"pages":4,"l2":3' '"l2":1' '"pages":-1' '"pages":1e300' \
    '"pages":4,"objs":[{"id":1,"type":"swap"}]' \
    '"pages":4,"objs":[{"id":0,"type":"tree"}]' '"pages":4,"objs":7' \
    '"pages":4,"thr":{"x":1}' '"pages":4,"thr":{"free_min":-1}'; do
	printf '{"suite":"vm_page","id":"T","cfg":{%s},"ops":[]}\n' "$c" >cfg
	expect 65 '^vmsim: conform: cfg:1: ' cfg
done

# files
expect 66 'no-such-file: No such file' no-such-file
expect 64 'no file given'
expect 64 'usage' --fly good
expect 0 '^usage' --help
zstd -q -f good
expect 0 '^1 passed' good.zst
head -c 30 good.zst >cut.zst
expect 65 'cut.zst: the compressed file is cut off' cut.zst
: >empty
expect 0 '^0 passed, 0 failed$' empty
"$vmsim" conform --emit good >/dev/full 2>err && fail "a full disk"
[ $failed -eq 0 ] && echo ok
exit $failed
