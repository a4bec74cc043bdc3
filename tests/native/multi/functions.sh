# Functions, subshells, traps, pipes, process substitution, background jobs.
set -u
count() {
	local -A seen=()
	local n word
	while read -r n word _; do
		seen[$word]=$((${seen[$word]-0} + n))
	done
	for word in "${!seen[@]}"; do
		echo "$word ${seen[$word]}"
	done | sort
}
fail() { return "$1"; }
trap 'echo "leaving with $?"' EXIT
trap 'echo "usr1 in $BASH_SUBSHELL"' USR1
count <in.txt | head -n 8
fail 7; echo "status $?"
(cd /; echo "in $PWD"; exit 4); echo "subshell $?"
x=$(echo nested $(echo deeper $(echo deepest))); echo "$x"
kill -USR1 $$
(trap - EXIT; kill -TERM $BASHPID; echo not reached); echo "killed $?"
(trap 'echo "child took term"; exit 9' TERM; kill -TERM $BASHPID; sleep 1)
echo "handled $?"
for i in 1 2 3 4; do (exit $i) & pids[$i]=$!; done
for i in 4 3 2 1; do wait ${pids[$i]}; echo "job $i: $?"; done
diff <(echo a; echo b) <(echo a; echo c)
cat <(sort in.txt) | md5sum
set -o pipefail
false | cat; echo "pipefail $?"
exec 3>file 4<in.txt; echo written >&3; exec 3>&-; read -r line <&4; cat file
echo "$line"
coproc { while read -r l; do echo "co $l"; done; }
echo hello >&"${COPROC[1]}"; read -r answer <&"${COPROC[0]}"; echo "$answer"
eval "exec ${COPROC[1]}>&-"; wait
sleep 0.2 & sleeper=$!; kill -STOP $sleeper; kill -CONT $sleeper; wait $sleeper
echo "continued $?"
( ulimit -n 16; ulimit -n )
mkfifo pipe; (echo through the fifo >pipe &) ; cat pipe; rm -f pipe file
yes | head -n 2
printf '%s\n' {1..300} | while read -r i; do echo $((i * i)); done | tail -n 1
