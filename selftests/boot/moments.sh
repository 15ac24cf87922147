#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A machine is saved, restored, packed, cloned, put back and moved at random moments of its
# work, one after the other: Debian's kernel computes on two processors, with whole numbers,
# with broken ones and over its memory, and looks at its clocks; in the end all is right.
# SOAK_SECONDS and SOAK_SEED are as for the tests of soak/; twelve rounds are made in any case.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
names=m0 at=m0 round=0
. "${0%/*}/../lib/machines.sh"
truncate -s 1M "$dir/disk"

seed=${SOAK_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
echo "# SOAK_SEED=$seed"
# random COUNT: sets $chance to one of 0 to COUNT - 1
random() {
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	chance=$((seed / 65536 % $1))
}
# Up to two seconds of the guest's work.
a_moment() { random 2000; sleep "$(printf '%d.%03d' $((chance / 1000)) $((chance % 1000)))"; }
# Sets $next to the name of a machine that is not there yet.
new_name() { next=m$round names="$at m$round"; }
drop() { "$LODGE" stop --now "$1" >"$out" 2>&1 && lodge 0 rm "$1" && names=$at; }

restored() {
	lodge 0 save --stop "$at" "$dir/save" && lodge 0 rm "$at" &&
		lodge 0 restore -d "$dir/save"
}
packed() {
	lodge 0 save --stop "$at" "$dir/save" && lodge 0 rm "$at" &&
		lodge 0 image pack "$dir/save" "$dir/small" && rm "$dir/save" &&
		lodge 0 image unpack "$dir/small" "$dir/save" && rm "$dir/small" &&
		lodge 0 restore -d "$dir/save"
}
# The machine goes on in the controller of the clone, or the clone ends.
cloned() {
	new_name
	lodge 0 clone "$at" --name "$next" || return 1
	random 2
	[ "$chance" = 0 ] || { a_moment; drop "$next"; return; }
	old=$at at=$next
	drop "$old"
}
put_back() {
	lodge 0 checkpoint "$at" || return 1
	random 4
	for _ in $(seq "$chance") last; do
		a_moment
		lodge 0 rewind "$at" || return 1
	done
}
listens() { [ -S "$dir/socket" ]; }
# Its checkpoint, if it has one, would not go along.
moved() {
	new_name
	lodge 0 checkpoint --drop "$at" || return 1
	"$LODGE" receive --name "$next" -d "unix:$dir/socket" >"$dir/receiver" 2>&1 </dev/null &
	receiver=$!
	soon listens && lodge 0 migrate "$at" --to "unix:$dir/socket" &&
		wait $receiver && lodge 0 rm "$at" && at=$next names=$next
}
# Tells how often each of them was done.
rounds() {
	start=$(date +%s)
	while [ $round -lt 12 ] || [ $(($(date +%s) - start)) -lt "${SOAK_SECONDS:-0}" ]; do
		round=$((round + 1))
		random 5
		case $chance in
		0) what=restored ;;
		1) what=packed ;;
		2) what=cloned ;;
		3) what=put_back ;;
		4) what=moved ;;
		esac
		a_moment
		$what && works || return 1
		rm -f "$dir/save"
		echo $what >>"$dir/done"
	done
}

echo 1..5
check "a machine starts" lodge 0 run -d --name m0 \
	--kernel "$LODGE_PAYLOAD/vmlinuz-6.1" --initrd "$LODGE_PAYLOAD/guest.cpio" \
	--append "console=ttyS0 quiet $calm run=moments" --cpus 2 --memory 160M \
	--disk "$dir/disk,ro"
check "its guest works" soon has 'step 2 10$'
check "it works on after all that is done to it" rounds
echo "# $round rounds, in the last one it was $what"
sort "$dir/done" | uniq -c | sed 's/^/#/'
printf enough | dd of="$dir/disk" bs=512 seek=1 conv=notrunc,fsync 2>/dev/null
soon has '^complaints: '
check "all sums of the guest are right in the end" eval "right && has '^wrong: 0$'"
check "no clock of the guest went backwards, and its kernel has no complaint" \
	eval "has '^backwards: 0$' && has '^complaints: 0$'"
