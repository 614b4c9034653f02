#!/bin/sh
# tools/install-packages, with everything outside it played by stubs: what is
# there is left alone without asking the network, what is missing is named
# with its reason and installed, through sudo where not root.
set -u
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bin" "$dir/tools"
cp tools/install-packages "$dir/tools/"
cat >"$dir/tools/packages" <<'LIST'
# a list
here     build  here     is here
lib-dev  build  libhere  a library that is here
gone     build  gone     reads tea leaves
later    bench  later    not asked for
both     check,build both  for two steps
LIST
stub() {	# NAME BODY
	printf '#!/bin/sh\n%s\n' "$2" >"$dir/bin/$1"
	chmod +x "$dir/bin/$1"
}
for tool in sh dirname grep cat; do
	ln -s "$(command -v $tool)" "$dir/bin/$tool"
done
stub here ''
stub pkg-config '[ "$2" = libhere ]'
stub dpkg-query 'exit 1'
stub id 'echo "${WHO:-0}"'
stub apt-get "echo \"apt-get \$*\" >>$dir/calls"
stub sudo "echo sudo >>$dir/calls; exec \"\$@\""
status=0
run() {
	: >"$dir/calls"
	PATH=$dir/bin WHO=$1 "$dir/bin/sh" "$dir/tools/install-packages" \
	    build >"$dir/said" 2>&1
	code=$?
}
check() {	# NAME, then a condition that was tested
	if [ "$2" = 0 ]; then
		echo "ok $1"
	else
		echo "not ok $1: $(tr '\n' ' ' <"$dir/said")"
		status=1
	fi
}

run 0
[ $code = 0 ] && grep -q 'gone  *reads tea leaves' "$dir/said"
check 'a missing package is named with its reason' $?
grep -q '^apt-get install .* gone both$' "$dir/calls" &&
    ! grep -q 'later\|here\|lib-dev\|sudo' "$dir/calls"
check 'only what is missing is installed' $?
run 1000
[ $code = 0 ] && grep -q '^sudo' "$dir/calls"
check 'not root: through sudo' $?
rm "$dir/bin/sudo"
run 1000
[ $code = 1 ] && ! grep -q apt-get "$dir/calls" &&
    grep -q 'apt-get install gone both' "$dir/said"
check 'neither root nor sudo: says what to run' $?
stub gone ''
stub both ''
run 1000
[ $code = 0 ] && [ ! -s "$dir/calls" ] && [ ! -s "$dir/said" ]
check 'nothing missing: silent, and the network is not asked' $?
exit $status
