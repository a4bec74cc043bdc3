#!/bin/sh
# usage: sysctls.sh VMSIM
# Every tunable of the seeds under its sysctl name, with the seed's default;
# the thresholds that boot computes, at five sizes of memory; and each can be
# set at boot and later, or says why not.
set -u
vmsim=$1
fail=0
bad() {
	echo "FAIL: $*" >&2
	fail=1
}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
vmsim=$(realpath "$vmsim")
cd "$tmp" || exit 1
"$vmsim" sysctl -d >all
"$vmsim" sysctl >values

# FreeBSD 11 vm_pageout.c
while read -r name want; do
	got=$("$vmsim" sysctl "$name")
	[ "$got" = "$name: $want" ] || bad "'$got', not '$name: $want'"
	grep "^$name:" all | grep -q "vm_pageout.c" ||
	    bad "$name does not name its source"
done <<'END'
vm.panic_on_oom 0
vm.max_launder 32
vm.pageout_update_period 600
vm.lowmem_period 10
vm.swap_enabled 1
vm.swap_idle_enabled 0
vm.defer_swapspace_pageouts 0
vm.disable_swapspace_pageouts 0
vm.pageout_lock_miss 0
vm.pageout_oom_seq 12
vm.pageout_wakeup_thresh 165
vm.max_wired 5461
END

# memory, reserved, severe, min, target, inactive target, wake-up threshold
while read -r mem reserved severe min target inactive wakeup; do
	"$vmsim" sysctl --mem "$mem" >booted
	for pair in "v_free_reserved $reserved" "v_free_severe $severe" \
	    "v_free_min $min" "v_free_target $target" \
	    "v_inactive_target $inactive" "pageout_wakeup_thresh $wakeup"; do
		name=vm.${pair% *}
		got=$(grep "^$name:" booted)
		[ "$got" = "$name: ${pair#* }" ] ||
		    bad "$mem: '$got', not ${pair#* }"
	done
done <<'END'
4M 43 45 47 59 88 44
16M 55 64 74 131 196 77
64M 71 111 151 391 586 165
256M 135 298 461 1439 2158 506
1G 391 1045 1700 5627 8440 1870
END

# all at boot in one run, all during another; those that refuse, one by one
refused() { # NAME=VALUE[@TIME]
	"$vmsim" run --quiet --no-db --set "$1" -- /bin/true 2>err
	rc=$?
	[ $rc = 77 ] || bad "--set $1: $rc, not 77: $(cat err)"
}
: >boot
: >later
while IFS=: read -r name value; do
	set_it=$name=${value# }
	case $(grep "^$name:" all) in
	*read-only*)
		refused "$set_it"
		continue
		;;
	*"at boot only"*) refused "$set_it@1ms" ;;
	*) echo "--set $set_it@1ms" >>later ;;
	esac
	echo "--set $set_it" >>boot
done <values
[ "$(wc -l <boot)" -gt 50 ] && [ "$(wc -l <later)" -gt 50 ] ||
    bad "too few tunables: $(wc -l boot later)"
for f in boot later; do
	# shellcheck disable=SC2046
	"$vmsim" run --quiet --no-db $(cat $f) -- /bin/true 2>err ||
	    bad "$f: $(cat err)"
done
echo "$(wc -l <all) tunables"
exit $fail
