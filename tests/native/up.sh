#!/bin/sh
# The way up from the caller's directory, by programs that cut ".." off a name
# themselves: shells, python. The directory is called cwd on the host too.
#
# usage: up.sh VMSIM WORKDIR
set -eu
vmsim=$1 work=$2/up
rm -rf "$work"
mkdir -p "$work/a/b/cwd/sub" "$work/a/side" "$work/a/b/next"
echo next >"$work/a/b/next/file"
echo side >"$work/a/side/file"
cat >"$work/a/b/cwd/walk.sh" <<'S'
last() { pwd | sed 's|.*/||'; }
last
cd ../next && last && cat file && ls ..
cd "$OLDPWD" && last && cat ../../side/file
cd ../../side && last && cat file && ls ..
cd ../b/cwd/sub && last && cd .. && last
cd ../../b/../side && last
test "$(pwd -P)" = "$(/bin/pwd)" && echo one name
S
cat >"$work/a/b/cwd/walk.py" <<'P'
import os
for p in "../next/file", "../../side/file", "../cwd/walk.sh", "../..":
    q = os.path.abspath(p)
    print(p, os.path.exists(q), os.path.samefile(p, q),
          os.path.relpath(q) == os.path.normpath(p).replace("../cwd/", ""))
os.chdir(os.path.dirname(os.getcwd()))
print(sorted(os.listdir(".")))
P
cd "$work/a/b/cwd"
fail=0
for cmd in "/bin/sh walk.sh" "/bin/bash walk.sh" "/usr/bin/python3 walk.py"; do
	[ -x "${cmd% *}" ] || continue
	# shellcheck disable=SC2086
	env -i PATH=/usr/bin:/bin LC_ALL=C $cmd </dev/null >"$work/host" 2>&1
	# shellcheck disable=SC2086
	"$vmsim" run --quiet --no-db --env LC_ALL=C -- $cmd </dev/null \
	    >"$work/guest" 2>&1 || true
	if ! cmp -s "$work/host" "$work/guest"; then
		echo "FAIL: $cmd" >&2
		diff "$work/host" "$work/guest" >&2 || true
		fail=1
	fi
done
exit $fail
