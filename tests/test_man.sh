#!/bin/sh
# The manual pages: mandoc has nothing to say against them, and each command
# that the program lists is in drawbridge(1).
set -u
cd "$(dirname "$0")/.."
status=0
for page in man/*.[1-8]; do
	[ -f "$page" ] || continue
	if said=$(mandoc -T lint -W warning "$page" 2>&1); then
		echo "ok manual page $page"
	else
		echo "not ok manual page $page: $(echo "$said" | head -n 3 |
		    tr '\n' ' ')"
		status=1
	fi
done
prog=${DRAWBRIDGE:-build/drawbridge}
for command in $("$prog" help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'); do
	if grep -q "^\.Ss $command" man/drawbridge.1; then
		echo "ok drawbridge(1) knows $command"
	else
		echo "not ok the manual knows $command: not found"
		status=1
	fi
done
# Each long option in the source is in a page of the manual.
missing=
for option in $(sed -n 's/.*{ "\([a-z0-9-]*\)", [a-z]*_argument.*/\1/p' cli/*.[ch] |
    sort -u); do
	grep -q -- "Fl .-$option\([^a-z0-9-]\|\$\)" man/drawbridge*.1 ||
	    grep -q -- "[|] .-$option\([^a-z0-9-]\|\$\)" man/drawbridge*.1 ||
		missing="$missing --$option"
done
if [ -z "$missing" ]; then
	echo "ok the manual knows each option"
else
	echo "not ok the manual knows each option: not$missing"
	status=1
fi
# And in both completions; these have none that does not exist.
for file in etc/completion/drawbridge.bash etc/completion/_drawbridge; do
	wrong=
	known=$(sed -n 's/.*{ "\([a-z0-9-]*\)", [a-z]*_argument.*/--\1/p' \
	    cli/*.[ch] | sort -u)
	for option in $known; do
		[ "$option" != --help ] || continue
		grep -q -- "$option\([^a-z0-9-]\|\$\)" "$file" ||
			wrong="$wrong no $option"
	done
	for option in $(grep -o -- '--[a-z][a-z0-9-]*' "$file" | sort -u); do
		case $option in --version | --help) continue ;; esac
		echo "$known" | grep -qx -- "$option" ||
			wrong="$wrong unknown $option"
	done
	if [ -z "$wrong" ]; then
		echo "ok $file knows the options"
	else
		echo "not ok $file knows the options:$wrong"
		status=1
	fi
done
exit $status
