#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A machine moves from controller to controller in the midst of its work: Debian's kernel
# computes on two processors and looks at its clocks, and in the end all is right.
# Whoever is killed while it moves, there are never two of it, and there is none only if
# that was its own controller.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
names=web
leave() {
	for name in $names; do
		"$LODGE" stop --now "$name" >/dev/null 2>&1
		"$LODGE" rm "$name" >/dev/null 2>&1
	done
	rm -rf "$dir"
}
trap leave EXIT
export XDG_RUNTIME_DIR=$dir/run
mkdir -p -m 700 "$dir/run"
truncate -s 1M "$dir/disk"
cp "$LODGE_PAYLOAD/vmlinuz-6.1" "$dir/kernel"
cp "$LODGE_PAYLOAD/guest.cpio" "$dir/initrd"

explain() {
	cat "$out" "$dir/receiver"
	for name in $names; do
		echo "$name:"
		"$LODGE" logs "$name" 2>&1 | tail -n 10
		"$LODGE" logs --messages "$name" 2>&1 | tail -n 5
	done
}
has() { "$LODGE" logs "$at" 2>/dev/null | sed -n 's/\r$//p' | grep -q "$1"; }
is() { lodge 0 inspect --state "$1" && says "\"state\": \"$2\""; }
to=unix:$dir/socket
# listens: somebody waits at the socket, or at port 4000
listens() { [ -S "$dir/socket" ] || grep -q ':0FA0 00000000:0000 0A' /proc/net/tcp; }
# receives NAME OPTION...: as a process of its own
receives() {
	names="$names $1" name=$1
	shift
	"$LODGE" receive --name "$name" "$@" "$to" \
		>"$dir/receiver" 2>&1 </dev/null &
	receiver=$!
	soon listens
}
# moves OPTION...: to where receives() has said
moves() { lodge 0 migrate "$at" --to "$to" "$@"; }
ended() { lodge 0 inspect --state "$1" && says '"end": "migrated"'; }
# steps: how many the guest has told this controller of
steps() { "$LODGE" logs "$at" 2>/dev/null | grep -c '^step'; }
goes_on() { [ "$(steps)" -gt "$told" ]; }
# steps fails where it counts none.
works() { told=$(steps); soon goes_on; }
# sum NUMBER STEPS: as the guest works it out
sum() {
	i=0 sum=$1
	while [ $i -lt "$2" ]; do
		i=$((i + 1))
		sum=$(((sum * 31 + i) % 1000000007))
	done
	echo "$2 $sum"
}
# right: the guest's two sums, which follow the number of their steps
right() {
	set -- $("$LODGE" logs "$at" | sed -n 's/\r$//p' | sed -n 's/^sums: //p')
	[ $# = 4 ] && [ "$1" -ge 10 ] && [ "$3" -ge 10 ] &&
		[ "$*" = "$(sum 1 "$1") $(sum 2 "$3")" ]
}
# slowly: begins to move, for longer than anybody waits
slowly() {
	"$LODGE" migrate "$at" --to "unix:$dir/socket" --bandwidth 500K \
		>"$dir/client" 2>&1 &
	client=$!
}
gone() { ! readlink "/proc/$1/exe"; }
nowhere() { ! is "$1" running && ! is "$1" paused; }
# killed WHO: it is killed after various times, and the machine stays where it is
killed() {
	for delay in 0.1 1 3; do
		receives "$1$delay" || return 1
		slowly
		sleep $delay
		eval "kill -9 \$$1"
		wait $client 2>/dev/null
		# Where the client has not come yet, the name is still there, and so does
		# the receiver wait for another one.
		! listens || kill $receiver
		wait $receiver 2>/dev/null
		rm -f "$dir/socket"
		soon is "$at" running && works && nowhere "$1$delay" || return 1
	done
}
pid() { "$LODGE" inspect --state "$1" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p'; }
# Without its controller there is no machine, and the other one does not have it yet.
source_killed() {
	names="$names early" at=early
	lodge 0 run -d --name early --kernel "$dir/kernel" --memory 160M &&
		receives late || return 1
	slowly
	sleep 2
	kill -9 "$(pid "$at")"
	soon gone $receiver && soon gone $client && nowhere late && nowhere "$at"
}

echo 1..23
at=web
check "a machine starts" lodge 0 run -d --name web --kernel "$dir/kernel" \
	--initrd "$dir/initrd" --append "console=ttyS0 quiet run=migrate" --cpus 2 \
	--memory 160M --disk "$dir/disk,ro"
check "the guest works" soon has 'step 1 10$'
# No file of the boot is needed any more.
rm "$dir/initrd"

receives web -d
check "a receiver that cannot have it refuses" \
	lodge 75 migrate web --to "unix:$dir/socket"
check "and says why" says 'the other side refuses it: .*a machine of this name runs'
check "and the machine works on" works
check "where nobody receives is no place" lodge 73 migrate web --to "unix:$dir/socket"

receives two -d
check "it moves while it works" moves
check "and says how long it was held" says 'held for [0-9]* ms'
check "and has ended where it was" ended web
at=two
check "and works on at the other place" works
names="$names three"
check "it moves by a command" lodge 0 migrate two --json --downtime 0 \
	--to "exec:$LODGE receive -d --name three stdio"
check "and says so for programs" says '"state": *"migrated"'
at=three
check "and works on there" works

printf '%032d\n' 1 >"$dir/key"
printf '%032d\n' 2 >"$dir/other"
chmod 600 "$dir/key" "$dir/other"
to=tcp:127.0.0.1:4000
check "a port is none without a key" \
	eval 'lodge 64 migrate three --to $to && says "key FILE"'
receives port -d --key "$dir/key"
check "who has another key is turned away" \
	lodge 77 migrate three --to $to --key "$dir/other"
check "who has the key moves it through the port" moves --key "$dir/key"
at=port to=unix:$dir/socket
check "and it works on there" works

check "a client that is killed leaves one machine" killed client
check "and so does a receiver that is killed" killed receiver

printf enough | dd of="$dir/disk" bs=512 seek=1 conv=notrunc,fsync 2>/dev/null
soon has '^sums: '
check "all sums are right in the end" right
soon has '^complaints: '
check "its clock never went backwards, and nothing complains" \
	eval "has '^backwards: 0' && has '^complaints: 0'"
check "a machine that writes to a disk is refused" \
	eval 'lodge 0 run -d --name disk --kernel "$dir/kernel" --disk "$dir/disk,raw" &&
	names="$names disk" at=disk && receives four && lodge 75 migrate disk --to "unix:$dir/socket" &&
	says "lodge save --stop"; wait $receiver; lodge 0 stop --now disk; at=port'
check "a source that is killed leaves none" source_killed
