#!/bin/sh
# usage: bad.sh VMSIM WORKDIR: bad command lines, configurations, databases
# and programs: one clear line, the right exit code, nothing left behind.
. "$(dirname "$0")/lib.sh"

# commands and options
refused 64 "unknown command 'rum'; did you mean 'run'?" "$vmsim" rum
refused 64 "unknown command 'xyzzyx'" "$vmsim" xyzzyx
refused 64 "unknown option '--memm'; did you mean '--mem'?" \
    "$vmsim" run --memm 4M -- true
refused 64 "unknown option '-Z'" "$vmsim" run -Z true
refused 64 "option '--mem' wants an argument" "$vmsim" run --mem
refused 64 "option '--quiet' takes no argument" "$vmsim" run --quiet=1 -- true
refused 78 "no program to run" "$vmsim" run
refused 78 "--mem: 'lots' is not a size" "$vmsim" run --mem lots -- true
refused 78 "--cpus: 0 is out of range (1 to 64)" "$vmsim" run --cpus 0 -- true
refused 78 "--env: 'X' is not NAME=VALUE" "$vmsim" run --env X -- true
refused 78 "--set: 'vm.x' is not name=value" "$vmsim" run --set vm.x -- true
refused 78 "--vmstat: 'often' is not a number" \
    "$vmsim" run --vmstat often -- true
refused 78 "--max-time: 'late' is not a time" \
    "$vmsim" run --max-time late -- true
refused 78 "--log: 'fault' cannot be logged; did you mean 'faults'?" \
    "$vmsim" run --log io,fault -- true
refused 66 "--cwd nowhere: No such file" "$vmsim" run --cwd nowhere -- true
refused 66 "--bind-rw nowhere: No such file" \
    "$vmsim" run --bind-rw nowhere -- true

# configurations
refused 66 "none.json: cannot read the configuration" \
    "$vmsim" run --config none.json -- true
printf '{\n  "mem": "4M",\n  "swap" "8M"\n}\n' >syntax.json
refused 78 "syntax.json:3:10: malformed JSON" \
    "$vmsim" run --config syntax.json -- true
printf '{ "tunable": {} }' >key.json
refused 78 "key.json: \$.tunable: unknown key 'tunable'; did you mean 'tunables'?" \
    "$vmsim" run --config key.json -- true
printf '{ "cpus": 99 }' >range.json
refused 78 "range.json: \$.cpus: 99 is out of range (1 to 64)" \
    "$vmsim" run --config range.json -- true
: >empty.json
refused 78 "empty.json:1:1: the JSON text ends too early" \
    "$vmsim" run --config empty.json -- true
printf '{ "swap_disk": "da7" }' >disk.json
refused 78 "swap_disk: there is no disk 'da7'; did you mean 'da0'?" \
    "$vmsim" run --config disk.json -- true
printf '{ "disks": [ { "model": "no-such-model" } ] }' >model.json
refused 66 "no-such-model" "$vmsim" run --config model.json -- true
refused 78 "--set: unknown tunable" "$vmsim" run --set vm.max_laundre=1 -- true
refused 78 "--set: unknown tunable" "$vmsim" run --set vm.max_laundre=1@2s -- true
printf '{ "tunables": { "vm.max_laundre": 1 } }' >tunable.json
refused 78 "tunable.json: \$.tunables.vm.max_laundre: unknown tunable" \
    "$vmsim" run --config tunable.json -- true
refused 78 "--set: " "$vmsim" run --set vm.max_launder=many -- true

# memory
refused 78 "below the kernel's reserve" "$vmsim" run --mem 16K -- true
refused 78 "--mem: 1024 is out of range" "$vmsim" run --mem 1K -- true

# programs
refused 66 "no-such-program: no such program in the guest's PATH" \
    "$vmsim" run -- no-such-program
refused 66 "no-such-file" "$vmsim" run -- ./no-such-file
mkdir dir
refused 65 "dir" "$vmsim" run -- ./dir
printf 'hello\n' >text
chmod 755 text
refused 65 "text" "$vmsim" run -- ./text

# databases
printf 'Dear reader' >letter.txt
refused 73 "letter.txt: this file exists and is not a vmsim database" \
    "$vmsim" run --db letter.txt -- true
refused 73 "no/such/dir/run.db: cannot create the database" \
    "$vmsim" run --db no/such/dir/run.db -- true
refused 78 "dir: this is a directory" "$vmsim" run --db dir -- true
refused 78 "--db" "$vmsim" run --db '' -- true
sqlite3 foreign.db 'CREATE TABLE t(a); INSERT INTO t VALUES(1)'
refused 73 "foreign.db: this file exists and is not a vmsim database" \
    "$vmsim" run --db foreign.db -- true
# a full disk: at the start, and in the middle of a run
awk 'BEGIN { for (i = 0; i < 40000; i++) print (i * 7919) % 40009, "text" }' \
    >in.txt
refused 74 "run.db: the disk is full" \
    sh -c 'ulimit -f 8; exec "$0" run --quiet -- true' "$vmsim"
refused 74 "run.db: the disk is full" \
    sh -c 'ulimit -f 600; exec "$0" run --quiet --mem 3M -- sort -o /dev/null in.txt' \
    "$vmsim"
refused 73 "no/such/dir/sum.json: cannot write this file" \
    "$vmsim" run --no-db --json=no/such/dir/sum.json -- true

# sysctl
refused 64 "unknown tunable 'vm.max_laundre'; did you mean 'vm.max_launder'?" \
    "$vmsim" sysctl vm.max_laundre
refused 64 "sysctl only prints" "$vmsim" sysctl vm.max_launder=5
exit $fail
