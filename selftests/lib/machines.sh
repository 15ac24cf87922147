# SPDX-License-Identifier: GPL-2.0
#
# What tests that are shell scripts share if their machines run in the background, with
# guests of boot/guest/.  Sourced after checks.sh, with $dir set: a directory of the test's
# own, in which its machines are found.  $names has the machines that end with the test,
# $at the one whose guest is asked.
export XDG_RUNTIME_DIR=$dir/run
mkdir -p -m 700 "$dir/run"

# For a guest's kernel that is not to complain of what a busy host lets it wait for.
calm='nowatchdog rcupdate.rcu_cpu_stall_suppress=1'

# leave: what a test does at its end
leave() {
	for name in $names; do
		"$LODGE" stop --now "$name" >/dev/null 2>&1
		"$LODGE" rm "$name" >/dev/null 2>&1
	done
	rm -rf "$dir"
}
trap leave EXIT

explain() {
	cat "$out"
	for name in $names; do
		echo "$name:"
		"$LODGE" logs "$name" 2>&1 | tail -n 10
		"$LODGE" logs --messages "$name" 2>&1 | tail -n 5
	done
}

# is NAME STATE: running, paused, ...
is() { lodge 0 inspect --state "$1" && says "\"state\": \"$2\""; }

# told: the lines that the guest has written to its console, but for one that it has not ended
told() { "$LODGE" logs "$at" 2>/dev/null | sed -n 's/\r$//p'; }
has() { told | grep -q "$1"; }

# steps: how many the guest has told this controller of
steps() { told | grep -c '^step'; }
goes_on() { [ "$(steps)" -gt "$before" ]; }
# works: its guest comes further from here on
works() { before=$(steps); soon goes_on; }

# sum NUMBER STEPS: as the guests' work() counts
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
	set -- $(told | sed -n 's/^sums: //p')
	[ $# = 4 ] && [ "$1" -ge 10 ] && [ "$3" -ge 10 ] &&
		[ "$*" = "$(sum 1 "$1") $(sum 2 "$3")" ]
}

# answered NAME: what boot/guest/clone.sh has said to the last question, whose number is
# $asked
answered() {
	"$LODGE" logs "$1" 2>/dev/null | tr -d '\r' |
		sed -n "s/^$asked answer: //p" | tail -n 1
}
has_answered() { [ -n "$(answered "$1")" ]; }
# ask NAME QUESTION: writes the answer
ask() {
	echo "$asked $2" | "$LODGE" console "$1" >/dev/null 2>&1 &
	console=$!
	soon has_answered "$1"
	kill $console
	wait $console 2>/dev/null
	answered "$1"
}
