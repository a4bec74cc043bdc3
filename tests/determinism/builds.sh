#!/bin/sh
# usage: builds.sh WORKDIR VMSIM...: every build writes the same database.
set -u
. "$(dirname "$0")/lib.sh"
mkdir -p "$1" && work=$(cd "$1" && pwd) || exit 1
shift
input
first=
for v; do
	db=$work/$(echo "$v" | tr / _).db
	record "$v" "$db" || exit 1
	d=$(digest "$db")
	echo "$d  $v"
	[ -n "$first" ] || first=$d
	[ "$d" = "$first" ] || { echo "the databases differ" >&2; exit 1; }
done
