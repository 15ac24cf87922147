#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A hundred clones of a machine with Debian's kernel run on a host with 2 GiB of memory:
# they share what they have not written, and each is another one.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
names=web at=web asked=7
. "${0%/*}/../lib/machines.sh"
explain() { cat "$out"; }
COUNT=100
# Of each clone, what it has written and its controller: KiB.
MOST=4096

# Those that have started end with the test, all or not.
starts() {
	lodge 0 clone web --count $COUNT
	code=$?
	names="web $(grep '^web-' "$out")"
	return $code
}
number() { [ "$(grep -c '^web-' "$out")" = "$COUNT" ]; }
run_all() { lodge 0 ps && [ "$(grep -c '^web-.* alive$' "$out")" = "$COUNT" ]; }
# taken: KiB that the clones have, each page by its share
taken() {
	lodge 0 ps || return
	for pid in $(awk '/^web-/ { print $3 }' "$out"); do
		cat "/proc/$pid/smaps_rollup"
	done | awk '/^Pss:/ { sum += $2 } END { print sum + 0 }'
}
small() {
	all=$(taken)
	echo "$all KiB" >"$out"
	[ "$all" -gt 0 ] && [ "$all" -lt $((COUNT * MOST)) ]
}
# Of all answers there are no two alike; the first, the last and some between are asked.
differ() {
	for name in web-1 web-2 web-25 web-50 web-75 web-99 web-100; do
		ask $name random
	done >"$out"
	[ "$(sort -u "$out" | grep -c .)" = 7 ]
}

echo 1..6
check "a machine starts" lodge 0 run -d --name web --kernel "$LODGE_PAYLOAD/vmlinuz-6.1" \
	--initrd "$LODGE_PAYLOAD/guest.cpio" --append "console=ttyS0 quiet run=clone" \
	--memory 256M
soon has '^ready$'
check "it is frozen" lodge 0 freeze web
check "a hundred clones of it start" eval 'starts && number'
check "all of them run" run_all
check "they share what they have not written" small
check "no two of them have the same random numbers" differ
