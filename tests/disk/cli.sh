#!/bin/sh
# usage: cli.sh VMSIM WORKDIR: vmsim disk from outside: what it prints, and
# what it refuses, with file, line and reason, leaving nothing behind.
. "$(dirname "$0")/../cli/lib.sh"

printf 'arrival_ms,op,lbn,blocks\n0,R,0,8\n1.5,W,800,16\n2,F,0,0\n' >ok.csv
"$vmsim" disk replay ok.csv -d hp97560 -o out.csv >s.txt 2>e.txt ||
    bad "a good list: $(cat e.txt)"
[ "$(wc -l <out.csv)" = 4 ] || bad "out.csv: $(cat out.csv)"
grep -q '^response ms' s.txt || bad "no summary: $(cat s.txt)"
"$vmsim" disk replay - -d ram <ok.csv >s.txt || bad "standard input"
"$vmsim" disk replay ok.csv -d ram --json >s.json || bad "--json"
[ "$(head -c 1 s.json)" = '{' ] && [ "$(tail -c 2 s.json)" = '}' ] ||
    bad "not an object: $(cat s.json)"

"$vmsim" disk list >list.txt || bad "list"
for m in hp97560 hp97560_regions cheetah9lp hp_c2247a sata7200_500gb \
    nvme_mlc_mqsim nvme_970pro_class nvme_minimal sata_ssd_256gb ram; do
	grep -q "^$m " list.txt || bad "list has no $m"
	"$vmsim" disk show "$m" >"$m.json" || bad "show $m"
	# what is shown is a parameter file that means the same
	"$vmsim" disk replay ok.csv -d "$m" -o a.csv >/dev/null || bad "$m"
	"$vmsim" disk replay ok.csv -d "./$m.json" -o b.csv >/dev/null ||
	    bad "./$m.json"
	cmp -s a.csv b.csv || bad "$m: the file shown behaves differently"
	grep -q '"source"' "$m.json" || bad "$m names no source"
done
for s in fcfs sstf sstf-cyl scan clook vscan vscan:0.3 sptf aged-sptf \
    deadline none clook,reads-first clook,merge,reads-first:4; do
	"$vmsim" disk replay ok.csv -d hp97560 -s "$s" >/dev/null ||
	    bad "scheduler $s"
done

refused 66 'did you mean' "$vmsim" disk replay ok.csv -d hp97561
refused 66 'nowhere.json' "$vmsim" disk replay ok.csv -d ./nowhere.json
refused 66 'nowhere.csv' "$vmsim" disk replay nowhere.csv -d ram
refused 64 'scheduler' "$vmsim" disk replay ok.csv -d ram -s elevator
refused 64 'did you mean' "$vmsim" disk repaly ok.csv -d ram
refused 64 'fault' "$vmsim" disk replay ok.csv -d ram --fault bad
refused 64 '--closed' "$vmsim" disk replay ok.csv -d ram --closed=0
refused 64 '--cache' "$vmsim" disk replay ok.csv -d ram --cache maybe
refused 65 'no column' "$vmsim" disk replay ok.csv -d ram --against x_ms
printf 'response_ms\n0\n0\n' >zero.csv
printf 'response_ms\n1\nabc\n' >text.csv
refused 65 'not above 0' "$vmsim" disk score zero.csv zero.csv
refused 65 'of numbers' "$vmsim" disk score text.csv text.csv
printf 'arrival_ms,op,lbn,blocks,want_ms\n0,R,0,8,0\n' >nil.csv
refused 65 'not above 0' "$vmsim" disk replay nil.csv -d ram --against want_ms
refused 73 'nodir' "$vmsim" disk replay ok.csv -d ram -o nodir/out.csv
refused 73 'directory' "$vmsim" disk replay ok.csv -d ram -o .
refused 73 'regular' "$vmsim" disk replay ok.csv -d ram -o /dev/null

# the list that a replay wrote can be drawn
"$vmsim" disk replay ok.csv -d hp97560 -o drawn.csv >/dev/null &&
    "$vmsim" plot disk drawn.csv -o drawn.svg 2>err.txt &&
    grep -q 'response time' drawn.svg && grep -q cylinder drawn.svg ||
    bad "plot disk: $(cat err.txt)"
"$vmsim" plot disk ok.csv -o no.svg 2>err.txt &&
    bad "plot disk drew a list without results"
[ ! -e no.svg ] || bad "plot disk left a file behind"

# a change must be of a parameter that the model has
"$vmsim" disk replay ok.csv -d hp97560 --set rpm=5400 --set cache.segments=2 \
    >/dev/null || bad "parameters cannot be changed"
refused 65 "'foo' is no parameter" "$vmsim" disk replay ok.csv -d ram \
    --set foo=3
refused 65 "'cache.rpm' is no parameter" "$vmsim" disk replay ok.csv \
    -d hp97560 --set cache.rpm=3

# line N of a list is wrong
wrong() { # LINE TEXT CONTENTS
	printf "$3" >bad.csv
	refused 65 "bad.csv:$1: " "$vmsim" disk replay bad.csv -d hp97560
	refused 65 "$2" "$vmsim" disk replay bad.csv -d hp97560
}
head='arrival_ms,op,lbn,blocks\n'
wrong 0 'empty' ''
wrong 1 "no line" "$head"
wrong 1 'must name the columns' '0,R,0,8\n1,R,0,8\n'
wrong 1 'must name the columns' 'arrival_ms;op;lbn;blocks\n0;R;0;8\n'
wrong 1 "no column 'op'" 'arrival_ms,lbn,blocks\n0,1,2\n'
wrong 1 'arrival_ms' 'op,lbn,blocks\nR,1,2\n'
wrong 1 'twice' 'arrival_ms,op,lbn,lbn,blocks\n0,R,1,1,2\n'
wrong 3 'fields' "${head}0,R,0,8\n1,R,0\n"
wrong 2 "op 'X'" "${head}0,X,0,8\n"
wrong 3 'before the line above' "${head}5,R,0,8\n4,R,0,8\n"
wrong 2 'not a time' "${head}-1,R,0,8\n"
for t in . e3 1e 1.2.3 1e5x 99999999999 1e11 1e999 nan; do
	wrong 2 'not a time' "${head}$t,R,0,8\n"
done
huge=4000000000,R,0,8
wrong 3 'add up' "think_ms,op,lbn,blocks\n$huge\n$huge\n"
wrong 2 'not a block' "${head}0,R,1e3,8\n"
wrong 2 'not a number of sectors' "${head}0,R,0,0\n"
wrong 2 "past the disk's end" "${head}0,R,99999999999,8\n"

# the same list in other hands: line ends, order of columns, notes, a byte
# order mark, times with an exponent, no line end at the end
"$vmsim" disk replay - -d hp97560 -o plain.csv >/dev/null <<EOF ||
arrival_ms,op,lbn,blocks
0.5,R,5000,8
150,W,100,16
150.25,R,116,8
EOF
	bad "the plain list is refused"
same() { # WHAT CONTENTS
	printf "$2" >other.csv
	"$vmsim" disk replay other.csv -d hp97560 -o o.csv >/dev/null ||
	    bad "$1: refused"
	cmp -s o.csv plain.csv || bad "$1: other results"
}
rows='0.5,R,5000,8\n150,W,100,16\n150.25,R,116,8'
same 'no last line end' "$head$rows"
same CRLF "arrival_ms,op,lbn,blocks\r\n0.5,R,5000,8\r\n\r\n150,W,100,16\r
150.25,R,116,8\r\n"
same 'byte order mark' "\357\273\277$head$rows\n"
same exponents "${head}.5,R,5000,8\n1.5e+02,W,100,16\n15025E-2,R,116,8\n"
same 'many digits' "${head}0.50000000000000000000,R,5000,8
150.0,W,100,16\n150.2500000000000001,R,116,8\n"
same order "# a note\n\nblocks, lbn ,id,op,arrival_ms
8,5000,0,read,0.5\n# one more\n16,100,1,w,150\n8,116,2,r,150.25\n"

# line N of a parameter file is wrong
param() { # TEXT SED: from hp97560.json
	sed "$2" hp97560.json >p.json
	cmp -s p.json hp97560.json && bad "sed changed nothing: $2"
	line=$(diff hp97560.json p.json | sed -n '1s/^[0-9,]*[acd]\([0-9]*\).*/\1/p')
	refused 65 "$1" "$vmsim" disk replay ok.csv -d ./p.json
	refused 65 "p.json:$line: " "$vmsim" disk replay ok.csv -d ./p.json
}
param 'did you mean' 's/"rpm"/"rpn"/'
param 'must be a number' 's/"rpm": 4002/"rpm": "fast"/'
param 'must lie in' 's/"rpm": 4002/"rpm": 0/'
param 'whole number' 's/"heads": 19/"heads": 1.5/'
param 'not valid JSON' 's/"heads": 19,/"heads": ,/'
param 'given twice' 's/"rpm": 4002/"rpm": 4002, "rpm": 4003/'
param 'did you mean' 's/"bytes_per_s"/"byte_per_s"/'
param 'must be off, sectors' 's/"read_ahead": "sectors"/"read_ahead": "x"/'
exit $fail
