#!/bin/sh
# usage: scenario.sh VMSIM WORKDIR: bad scenarios are refused in one line that
# names the file, the place and what to do; good ones do what their keys say.
. "$(dirname "$0")/lib.sh"

scenario() { # text of one process
	printf '{ "mem": "8M", "processes": [ %s ] }' "$1" >s.json
}
# refuses CODE TEXT PROCESS
refuses() {
	scenario "$3"
	refused "$1" "$2" "$vmsim" run --scenario s.json
}

refused 66 "none.json: cannot read the configuration" \
    "$vmsim" run --scenario none.json
refused 78 "--scenario: there is no scenario 'trashing'; did you mean 'thrashing'?" \
    "$vmsim" run --scenario trashing
refused 78 "--machine: there is no machine 'pc-2004'; did you mean 'pc-2003'?" \
    "$vmsim" run --machine pc-2004 -- true
refused 78 "(built in: default, hp-1993, pc-2003, server-2016; a file's name" \
    "$vmsim" run --machine zzzzzzzz -- true
printf '{ "mem": "8M" }' >none.json
refused 78 'none.json: $: "processes" is missing' \
    "$vmsim" run --scenario none.json
printf '{ "processes": [] }' >empty.json
refused 78 'empty.json: $.processes: the list is empty' \
    "$vmsim" run --scenario empty.json
printf '{ "processes": {} }' >object.json
refused 78 'object.json: $.processes: this must be a list of objects' \
    "$vmsim" run --scenario object.json
printf '{ "proceses": [] }' >key.json
refused 78 "key.json: \$.proceses: unknown key 'proceses'; did you mean 'processes'?" \
    "$vmsim" run --scenario key.json
printf '{ "machine": "hp1993", "processes": [{"program": "true"}] }' >m.json
refused 78 "m.json: \$.machine: there is no machine 'hp1993'; did you mean 'hp-1993'?" \
    "$vmsim" run --scenario m.json
printf '{ "machine": {"memory": 1}, "processes": [{"program": "true"}] }' >m.json
refused 78 "m.json: \$.machine.memory: unknown key 'memory'" \
    "$vmsim" run --scenario m.json
printf '{ "machine": {"machine": "default"}, "processes": [] }' >m.json
refused 78 "m.json: \$.machine.machine: unknown key" \
    "$vmsim" run --scenario m.json
printf '{ "machine": 7, "processes": [] }' >m.json
refused 78 'm.json: $.machine: this must be the name of a machine or an object' \
    "$vmsim" run --scenario m.json
printf '{ "_comment": 7, "processes": [] }' >m.json
refused 78 'm.json: $._comment: this must be a string' \
    "$vmsim" run --scenario m.json
printf '{\n "processes": [\n  { "program": "true" },,\n ] }\n' >m.json
refused 78 "m.json:3:" "$vmsim" run --scenario m.json
refuses 78 "s.json: \$.processes[0].coutn: unknown key 'coutn'; did you mean 'count'?" \
    '{ "program": "true", "coutn": 2 }'
refuses 78 's.json: $.processes[1]: this must be an object, not a number' \
    '{ "program": "true" }, 5'
refuses 78 's.json: $.processes[0]: "program" is missing' '{ "name": "x" }'
refuses 78 's.json: $.processes[0].program: the string is empty' \
    '{ "program": "" }'
refuses 78 's.json: $.processes[0].count: 0 is out of range (1 to 1000)' \
    '{ "program": "true", "count": 0 }'
refuses 78 's.json: $.processes[0].count: 1001 is out of range' \
    '{ "program": "true", "count": 1001 }'
refuses 78 's.json: $.processes[0].start' '{ "program": "true", "start": "soon" }'
refuses 78 's.json: $.processes[0].start: -1 is out of range' \
    '{ "program": "true", "start": -1 }'
refuses 78 's.json: $.processes[0]: "every" is the time between the starts' \
    '{ "program": "true", "every": "1s" }'
refuses 78 's.json: $.processes[0]: "think" is the time between lines' \
    '{ "program": "true", "think": "1s" }'
refuses 78 "s.json: \$.processes[0].stdout: 'nul' is neither" \
    '{ "program": "true", "stdout": "nul" }'
refuses 78 "did you mean 'null'?" '{ "program": "true", "stdout": "nul" }'
refuses 78 's.json: $.processes[0].nice: 21 is not a whole number from -20' \
    '{ "program": "true", "nice": 21 }'
refuses 78 's.json: $.processes[0].nice: 0.5 is not a whole number' \
    '{ "program": "true", "nice": 0.5 }'
refuses 78 's.json: $.processes[0].nice: this must be a whole number' \
    '{ "program": "true", "nice": "5" }'
refuses 78 's.json: $.processes[0].env.A: this must be a string or null' \
    '{ "program": "true", "env": { "A": 5 } }'
refuses 78 's.json: $.processes[0].env.A=B: this is no name of a variable' \
    '{ "program": "true", "env": { "A=B": "x" } }'
refuses 78 "s.json: \$.processes[0].cwd: 'tmp' is not an absolute path" \
    '{ "program": "true", "cwd": "tmp" }'
refuses 78 's.json: $.processes[0].args[1]: this must be a string, not a number' \
    '{ "program": "true", "args": ["a", 5] }'
refuses 78 's.json: $.processes[0].program: this key is given twice' \
    '{ "program": "true", "program": "false" }'
refuses 66 's.json: $.processes[1].program: no-such-program: no such program' \
    '{ "program": "true" }, { "program": "no-such-program" }'
refuses 66 's.json: $.processes[0].program: /guest/nothing: vmsim has no such' \
    '{ "program": "/guest/nothing" }'
refuses 66 'no-such-file' '{ "program": "/no-such-file" }'
refuses 66 's.json: $.processes[0].cwd: /no/such/dir: No such file or directory; name a' \
    '{ "program": "true", "cwd": "/no/such/dir" }'
refuses 66 's.json: $.processes[0].stdin: /no/such/file: No such file or directory; na' \
    '{ "program": "true", "stdin": "/no/such/file" }'
refuses 66 's.json: $.processes[0].stdout: /no/such/file: No such file or directory; n' \
    '{ "program": "true", "stdout": "/no/such/file" }'
refuses 65 's.json: $.processes[1].program: /usr: is a directory' \
    '{ "program": "true" }, { "program": "/usr" }'
refuses 78 's.json: $.processes[1].racct_rss: resource accounting is off' \
    '{ "program": "true" }, { "program": "true", "racct_rss": "4M" }'
refuses 78 'u0000: no string here can have a NUL' \
    '{ "program": "true", "args": ["a\\\\", "b\u0000c"] }'
refuses 78 's.json: $.processes[4].count: with it there are 5000 processes, more' '{ "program": "true", "count": 1000 },
    { "program": "true", "count": 1000 }, { "program": "true", "count": 1000 },
    { "program": "true", "count": 1000 }, { "program": "true", "count": 1000 }'
refuses 78 's.json: $.processes[0].count: -3 is out of range (1 to 1000)' \
    '{ "program": "true", "count": -3 }'
refuses 78 's.json: $.processes[0].count: inf is out of range (1 to 1000)' \
    '{ "program": "true", "count": 1e999 }'
refuses 78 "start: '9999999999h' is out of range (0 to 1e9 seconds)" \
    '{ "program": "true", "start": "9999999999h" }'
refuses 78 's.json: $.processes[0].every: copy 27 of 30 would start after' \
    '{ "program": "true", "count": 30, "every": "100000h" }'
refuses 78 "s.json: \$.processes[2]: \"name\" is 'b' as in an entry before" \
    '{ "program": "true" }, { "program": "true", "name": "b" },
    { "program": "true", "name": "b" }'
refuses 78 's.json: $.processes[0].name: the string has a control character' \
    '{ "program": "true", "name": "a\nb" }'
long=$(printf %0131072d 0)
refuses 65 's.json: $.processes[1].args: ' \
    '{ "program": "true" }, { "program": "true", "start": "1s",
    "args": ["'"$long"'"] }'
[ ! -e run.db ] || bad "a program with too long an argument left a database"
# overlong forms, half a character, a surrogate, beyond the last one
for bytes in '\377' '\300\200' '\303' '\355\240\200' '\364\220\200\200' '\200'; do
	printf '{ "processes": [\n{ "program": "true", "name": "'"$bytes"'" }]}' \
	    >u.json
	refused 78 'u.json:2:31: a byte that is no UTF-8' \
	    "$vmsim" run --scenario u.json
done
printf '{ "disks": [{ "model": "hp97560" }, { "model": "nosuch" }],
    "processes": [{ "program": "true" }] }' >d.json
refused 66 "d.json: \$.disks[1]: disk 'nosuch' is unknown" \
    "$vmsim" run --scenario d.json
scenario '{ "program": "true" }'
refused 78 "true: a scenario names its programs itself" \
    "$vmsim" run --scenario s.json -- true

# what works: environment, directory, files, numbers, order, exit code
mkdir rw
cat >good.json <<J
{
  "_comment": ["two", "lines"],
  "machine": { "mem": "32M", "cpu_hz": "100MHz" },
  "bind_rw": ["$PWD/rw"],
  "env": { "A": "machine", "B": "machine" },
  "processes": [
    { "name": "late", "program": "sh", "start": "3s", "stdout": "$PWD/rw/late",
      "args": ["-c", "echo \$A \${B-unset} \$1; pwd; exit 4", "sh", "{i}{i}"],
      "env": { "A": "own", "B": null }, "cwd": "/usr" },
    { "name": "copy", "program": "sh", "count": 3, "every": "500ms",
      "start": "500ms",
      "args": ["-c", "echo copy {i}; echo error {i} >&2; exit {i}"],
      "stdout": "$PWD/rw/copy.{i}", "stderr": "$PWD/rw/copy.{i}" },
    { "name": "typed", "program": "cat", "stdin": "$PWD/lines", "think": "2s",
      "stdout": "$PWD/rw/typed" },
    { "name": "eof", "program": "cat" },
    { "name": "stdin", "program": "cat", "stdin": "inherit" }
  ]
}
J
printf 'one\ntwo\nthree' >lines
echo from outside | "$vmsim" run --quiet --scenario good.json --json=sum.json \
    --db good.db >out.txt 2>err.txt
rc=$?
[ $rc -eq 4 ] || bad "the worst exit code is 4, not $rc: $(cat err.txt)"
[ "$(cat out.txt)" = "from outside" ] || bad "standard output: $(cat out.txt)"
printf 'own unset 11\n/usr\n' | cmp - rw/late || bad "late: $(cat rw/late)"
for i in 1 2 3; do
	printf 'copy %s\nerror %s\n' $i $i | cmp - rw/copy.$i || bad "copy $i"
done
cmp lines rw/typed || bad "typed: $(cat rw/typed)"
q() { # what want query
	got=$(sqlite3 good.db "$3")
	[ "$got" = "$2" ] || bad "$1: '$got', not '$2'"
}
q "exit codes" "copy.1=1 copy.2=2 copy.3=3 eof=0 late=4 stdin=0 typed=0" \
    "SELECT group_concat(label || '=' || exit_code, ' ') FROM (SELECT * FROM
    processes ORDER BY label)"
q "start times" "1|1|1|1" "SELECT
    (SELECT start_s < 0.01 FROM v_processes WHERE label = 'eof'),
    (SELECT start_s BETWEEN 0.5 AND 0.6 FROM v_processes WHERE label = 'copy.1'),
    (SELECT start_s BETWEEN 1.5 AND 1.6 FROM v_processes WHERE label = 'copy.3'),
    (SELECT start_s BETWEEN 3 AND 3.1 FROM v_processes WHERE label = 'late')"
q "typing takes its time: three lines" 1 "SELECT end_s > 6 AND
    end_s < 7 FROM v_processes WHERE label = 'typed'"
q "the configuration" "good.json|7" "SELECT (SELECT value FROM config WHERE
    key = 'scenario'), (SELECT count(*) FROM processes)"
[ "$(grep -c '"name": "copy\.[123]"' sum.json)" = 3 ] || bad "sum.json"

# the command line comes last, then --machine and --config, then the file
echo '{ "cpus": 2 }' >two.json
"$vmsim" run --quiet --mem 16M --config two.json --machine pc-2003 --db o.db \
    --scenario good.json </dev/null >out.txt 2>err.txt
[ $? -eq 4 ] || bad "overridden: $(cat err.txt)"
[ "$(sqlite3 o.db "SELECT group_concat(value, ' ') FROM config WHERE key IN
    ('cpu_hz', 'cpus', 'mem')")" = "2000000000 2 16777216" ] ||
    bad "what overrides what: $(sqlite3 o.db "SELECT key, value FROM config")"
# a program killed by a signal counts as 128 and its number
scenario '{ "program": "sh", "args": ["-c", "exit 7"] },
    { "program": "sh", "args": ["-c", "kill -TERM $$"] }'
"$vmsim" run --scenario s.json --no-db 2>err.txt
[ $? -eq 143 ] || bad "killed: not 143"
grep -q 'signal 15' err.txt || bad "no 'signal 15': $(cat err.txt)"
# more programs than lines of the summary
scenario '{ "program": "true", "count": 30 }'
"$vmsim" run --scenario s.json --no-db 2>err.txt || bad "thirty programs"
grep -q 'and 6 more' err.txt || bad "thirty programs: $(cat err.txt)"
# every machine boots, and every preset is in the manual page
for m in "$src"/../../workloads/machines/*.json; do
	m=$(basename "$m" .json)
	"$vmsim" run --quiet --no-db --machine "$m" -- true ||
	    bad "--machine $m"
	grep -q "$m" "$src/../../docs/vmsim.1" || bad "vmsim.1 lacks $m"
	grep -q "\`$m\`" "$src/../../docs/scenarios.md" ||
	    bad "scenarios.md lacks $m"
	"$vmsim" run --help | tr -s '\n ' '  ' | grep -q "[( ]$m[,)]" ||
	    bad "--help lacks $m"
done
exit $fail
