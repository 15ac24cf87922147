#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A machine is replicated while it computes, and its controller is killed: the one that
# stands by goes on from the last whole increment, and is replicated in its turn.  No step of
# the guest's is lost that was done before an increment began that was taken, all sums are
# right, and there are never two machines.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
names=first
. "${0%/*}/../lib/machines.sh"
runtime=$XDG_RUNTIME_DIR
[ "$(id -u)" != 0 ] || runtime=/run

# Much is done here within a second.
soon() {
	for _ in $(seq $((PATIENCE * 5))); do
		"$@" && return
		sleep 0.2
	done
	return 1
}
# No command of Lodge's reads the log of one whose controller was killed.
log() { sed -n 's/\r$//p' 2>/dev/null <"$runtime/lodge/$1/serial.log"; }
step_lines() { log "$1" | grep -E '^step [0-9]+ [0-9]+$'; }
number_of() { set -- $1; echo "${2:-0}"; }
last_step() { number_of "$(step_lines "$1" | tail -n 1)"; }
first_step() { number_of "$(step_lines "$1" | head -n 1)"; }
works() {
	before=$(last_step "$1")
	soon goes_on "$1"
}
goes_on() { [ "$(last_step "$1")" -gt "$before" ]; }
listens() { [ -S "$dir/socket" ]; }
taken() { grep -c '"increment"' "$dir/increments"; }
has_taken() { [ "$(taken)" -ge "$1" ]; }
pid() { "$LODGE" inspect --state "$1" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p'; }
gone() { ! kill -0 "$1"; }
forgotten() { ! is "$1" standby && ! is "$1" running; }
# receives NAME OPTION...
receives() {
	names="$names $1" name=$1
	shift
	"$LODGE" receive -d --name "$name" "$@" "unix:$dir/socket" \
		>"$dir/receiver" 2>&1 </dev/null &
	soon listens
}
# replicates FROM TO
replicates() {
	: >"$dir/increments"
	receives "$2" --standby || return 1
	"$LODGE" replicate "$1" --to "unix:$dir/socket" --every 500ms --json \
		>"$dir/increments" 2>"$dir/client" &
	client=$!
	soon has_taken 2 && is "$2" standby && is "$1" running
}
refuses() { lodge 75 takeover "$1" && says 'its source is connected' && works "$2"; }
# killed NAME DELAY: SIGKILL at any moment, once all that was done until now is surely there
killed() {
	kept=$(last_step "$1")
	soon has_taken $(($(taken) + 2)) || return 1
	victim=$(pid "$1")
	sleep "$2"
	kill -9 "$victim" && soon gone "$victim" || return 1
	lost=$(last_step "$1")
	echo "# $1: increments: $(taken), the last: $(tail -n 1 "$dir/increments")" >&3
}
# A standby may see a moment later that its source has gone.
taken_over() { lodge 0 takeover "$1"; }
# stands NAME OLD: it runs only when it is told to, and nobody else does
stands() { is "$1" standby && [ "$(last_step "$1")" = 0 ] && ! is "$2" running; }
# right NAME: all that it has told
right() {
	step_lines "$1" | awk -v from="$2" '
		BEGIN { sum = 1; at = 0 }
		{ while (at < $2) { at++; sum = (sum * 31 + at) % 1000000007 }
		  if ($3 != sum || (last && $2 != last + 1)) bad = 1; last = $2 }
		END { exit bad || !last }'
}
# continues NAME: not before what was kept, and not behind what was done
continues() {
	works "$1" || return 1
	began=$(first_step "$1")
	echo "# $1 goes on with step $began; $kept were surely there, and $lost done: $((lost + 1 - began)) are done again" >&3
	[ "$began" -gt "$kept" ] && [ "$began" -le $((lost + 2)) ] && right "$1"
}

exec 3>&1
echo 1..21
check "a machine starts" lodge 0 run -d --name first \
	--kernel "$LODGE_PAYLOAD/vmlinuz-6.1" --initrd "$LODGE_PAYLOAD/guest.cpio" \
	--append "console=ttyS0 quiet run=replicate" --memory 128M
check "the guest works" works first

receives plain
check "a receiver that does not stand by refuses" \
	lodge 75 replicate first --to "unix:$dir/socket"
check "and says what it needs" says 'receive --standby'
check "and the machine works on" works first

old=first delays='0.1 0.35 0.7'
for new in second third fourth; do
	check "$old is replicated to $new" replicates $old $new
	[ $new != second ] ||
		check "one whose source is there is not taken over" refuses second first
	check "$old is killed" killed $old "${delays%% *}"
	delays=${delays#* }
	check "$new stands by, and nothing runs" soon stands $new $old
	check "$new goes on from the last increment" eval "soon taken_over $new && continues $new"
	old=$new
done
check "it is replicated once more" replicates fourth fifth
kill $client
check "without its command it is no more, and the other side forgets it" soon forgotten fifth
check "and the machine works on" works fourth
