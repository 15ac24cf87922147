#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A machine goes from a host of one vendor to a host of the other, and back, as a file:
# Linux computes and looks at its clock all the time.  Each host runs this program: the first
# one starts the machine, each next one finds in /handed what the one before has given.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
leave() {
	"$LODGE" stop --now web >/dev/null 2>&1
	rm -rf "$dir"
}
trap leave EXIT
export XDG_RUNTIME_DIR=$dir/run
mkdir -p -m 700 "$dir/run"

explain() {
	cat "$out"
	"$LODGE" logs web 2>&1 | tail -n 20
	"$LODGE" logs --messages web 2>&1 | tail
}
has() { "$LODGE" logs web 2>/dev/null | sed -n 's/\r$//p' | grep -q "$1"; }
steps() { "$LODGE" logs web 2>/dev/null | grep -c '^step'; }
goes_on() { [ "$(steps)" -gt "$told" ]; }
works() { told=$(steps); soon goes_on; }
# sum STEPS: as the guest works it out
sum() {
	i=0 sum=1
	while [ $i -lt "$1" ]; do
		i=$((i + 1))
		sum=$(((sum * 31 + i) % 1000000007))
	done
	echo "$1 $sum"
}
right() {
	set -- $("$LODGE" logs web | sed -n 's/\r$//p' | sed -n 's/^sums: //p')
	[ $# = 2 ] && [ "$1" -ge 10 ] && [ "$*" = "$(sum "$1")" ]
}
finishes() {
	echo enough | "$LODGE" console web >/dev/null 2>&1 &
	console=$!
	soon has '^complaints: '
	finished=$?
	kill $console 2>/dev/null
	return $finished
}
# gives NUMBER: saves the machine, and hands it on
gives() {
	lodge 0 save --stop web "$dir/saved" &&
		lodge 0 image pack "$dir/saved" "$dir/machine-$1" &&
		/usr/bin/give "$dir/machine-$1"
}
takes() {
	lodge 0 image unpack "/handed/machine-$1" "$dir/saved" &&
		rm "/handed/machine-$1" && lodge 0 restore -d "$dir/saved"
}

if [ -e /handed/machine-2 ]; then
	echo 1..5
	check "the machine comes back to where it was started" takes 2
	check "it works on" works
	check "it finishes" finishes
	check "all sums are right" right
	check "its clock never went back or jumped, and nothing complains" \
		eval "has '^clock: 0 0' && has '^complaints: 0'"
elif [ -e /handed/machine-1 ]; then
	echo 1..3
	check "a machine comes from a host of the other vendor" takes 1
	check "it works on" works
	check "it goes back" gives 2
else
	echo 1..3
	check "a machine starts" lodge 0 run -d --name web \
		--kernel "$LODGE_PAYLOAD/vmlinuz-small" \
		--initrd "$LODGE_PAYLOAD/guest.cpio" \
		--append "console=ttyS0 quiet run=across" --memory 64M --cpu baseline
	check "it works" eval "soon has '^ready' && works"
	check "it is handed on" gives 1
fi
