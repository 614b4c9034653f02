#!/bin/sh
# same_decisions.sh PROGRAM OTHER: two builds of the program make the same
# scenario, and decide it and those that are shipped alike, byte for byte.
# Run by tools/run-tests with gcc's, clang's and the sanitizers' builds.
set -u
cd "$(dirname "$0")/.."
one=$1
two=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

for command in replay simulate; do
	"$one" help $command >/dev/null 2>&1 || {
		echo "ok builds decide alike # SKIP no command $command yet"
		exit 0
	}
done

attack=$("$one" simulate --list | sed -n 's/^ *\([a-z][a-z0-9-]*\).*/\1/p' |
    grep drip | head -n 1)
for program in "$one" "$two"; do
	"$program" simulate --seed 7 --preset small \
	    ${attack:+--attack "$attack"} -o "$dir/made-$(basename \
	    "$(dirname "$program")").jsonl" || {
		echo "not ok builds simulate: exit status of $program"
		exit 1
	}
done
set -- "$dir"/made-*
if cmp -s "$1" "$2"; then
	echo "ok builds make the same scenario, byte for byte"
else
	echo "not ok builds make the same scenario, byte for byte:" \
	    "$(cmp "$1" "$2" 2>&1)"
	status=1
fi
for scenario in etc/scenarios/*.jsonl "$1"; do
	[ -f "$scenario" ] || continue
	n=0
	for program in "$one" "$two"; do
		n=$((n + 1))
		"$program" replay --policy etc/default.policy --reviewer \
		    oracle:30 --report json --decisions "$dir/$n.decisions" \
		    "$scenario" | sed '/"[a-z_]*seconds*": [0-9.]/d' \
		    >"$dir/$n.report"
	done
	name=$(basename "$scenario")
	if [ -s "$dir/1.decisions" ] &&
	    cmp -s "$dir/1.decisions" "$dir/2.decisions" &&
	    cmp -s "$dir/1.report" "$dir/2.report"; then
		echo "ok builds decide $name alike"
	else
		echo "not ok builds decide $name alike:" \
		    "$(cmp "$dir/1.decisions" "$dir/2.decisions" 2>&1)"
		status=1
	fi
done
exit $status
