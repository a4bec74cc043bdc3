#!/bin/sh
# usage: manual.sh VMSIM WORKDIR: the manual page and --help have the same
# options, every command is in both, and the page is well-formed.
. "$(dirname "$0")/lib.sh"
page=$src/../../docs/vmsim.1

# long options of a command in its help: only lines that begin with them
help_options() {
	"$vmsim" "$1" --help | sed -n \
	    's/^  \(-[a-zA-Z0-9], *\)\{0,1\}  *\(-[a-zA-Z], \)\{0,1\}--\([a-z][a-z-]*\).*/\3/p
	    s/^  \(-[a-zA-Z0-9], *\)\{0,1\}--\([a-z][a-z-]*\).*/\2/p' | sort -u
}

# ... and in the section of the page
page_options() {
	awk -v want="vmsim $1" '/^\.S[hs] / { on = $0 == ".Ss " want }
	    on && /^\.It / { print }' "$page" |
	    sed -n 's/.*Fl Fl \([a-z][a-z-]*\).*/\1/p' | sort -u
}

commands=$("$vmsim" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
[ -n "$commands" ] || bad "no commands in --help"
for c in $commands; do
	grep -q "^\.Ss vmsim $c\$" "$page" || bad "vmsim.1 has no 'vmsim $c'"
	"$vmsim" "$c" --help >help.txt 2>err.txt || bad "$c --help fails"
	[ -s help.txt ] || bad "$c --help is empty"
	[ ! -s err.txt ] || bad "$c --help: $(cat err.txt)"
	[ "$(awk 'length > 80' help.txt)" = "" ] || bad "$c --help is wide"
	help_options "$c" >h.txt
	page_options "$c" >p.txt
	diff h.txt p.txt >d.txt ||
	    bad "$c: options of --help (<) and vmsim.1 (>): $(cat d.txt)"
done
for c in run sysctl plot; do
	[ "$(help_options "$c" | wc -l)" -ge 5 ] || bad "$c: options not found"
done
if command -v mandoc >/dev/null; then
	mandoc -Tlint -Wwarning "$page" >lint.txt 2>&1 || bad "$(cat lint.txt)"
fi
[ "$("$vmsim" --version)" = "vmsim $(sed -n \
    's/^project(vmsim VERSION \([0-9.]*\).*/\1/p' "$src/../../CMakeLists.txt")" ] ||
    bad "--version and CMakeLists.txt disagree"
exit $fail
