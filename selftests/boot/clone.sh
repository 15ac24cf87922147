#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A machine with Debian's kernel is frozen, and cloned several times at once: the clones go
# on from there, each by itself, share what they only read, and leave the disk as it is,
# while the machine stands still.  Clones are made of a machine that runs, and of a file, too.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
leave() {
	for name in web web-1 web-2 web-3 web-4 copy filed-1 filed-2 orphan; do
		"$LODGE" stop --now $name >/dev/null 2>&1
		"$LODGE" rm $name >/dev/null 2>&1
	done
	rm -rf "$dir"
}
trap leave EXIT
export XDG_RUNTIME_DIR=$dir/run
mkdir -p -m 700 "$dir/run"
printf '%-1048576s' first >"$dir/disk"

explain() {
	cat "$out"
	for name in web web-1 web-2 web-3; do
		echo "$name:"
		"$LODGE" logs $name 2>&1 | tail -n 5
		"$LODGE" logs --messages $name 2>&1 | tail -n 5
	done
}
asked=0
# answered NAME: what it has said to the last question
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
# Each question has a number of its own, in this shell.
next() { asked=$((asked + 1)); }
says_back() {
	next
	[ "$(ask "$1" hello)" = hello ]
}
ready() { "$LODGE" logs web 2>/dev/null | tr -d '\r' | grep -q '^ready$'; }
is() { lodge 0 inspect --state "$1" && says "\"state\": \"$2\""; }
refused() { lodge 75 "$@" && says 'it is frozen'; }
counts() { "$LODGE" logs web | grep -c '^count'; }
counts_on() { [ "$(counts)" -gt "$counted" ]; }
three() { [ "$(cat "$out")" = "web-1
web-2
web-3" ]; }
# all QUESTION: the answers of the clones, a line each
all() {
	for name in web-1 web-2 web-3; do
		next
		ask $name "$1"
	done
}
each_says_back() { says_back web-1 && says_back web-2 && says_back web-3; }
same() {
	all "$1" >"$dir/same"
	[ "$(wc -l <"$dir/same")" = 3 ] && [ "$(sort -u "$dir/same" | wc -l)" = 1 ]
}
differ() {
	all "$1" >"$dir/differ"
	[ "$(wc -l <"$dir/differ")" = 3 ] &&
		[ "$(sort -u "$dir/differ" | wc -l)" = 3 ]
}
were_told() { same moved && [ "$(head -n 1 "$dir/same")" = 1 ]; }
# By its real-time clock: the others go on from where they stood.
knows_the_day() {
	next
	before=$(date +%s)
	day=$(ask web-1 day)
	[ "$day" -ge $((before - 5)) ] && [ "$day" -le $(($(date +%s) + 5)) ]
}
# field NAME FIELD: KiB that a machine's controller has
field() {
	pid=$("$LODGE" inspect --state "$1" | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
	sed -n "s/^$2: *\([0-9]*\) kB/\1/p" "/proc/$pid/smaps_rollup"
}
# Each has read all of the 64 MiB, so that it has them, and a third of them is its share.
is_shared() {
	for name in web-1 web-2 web-3; do
		rss=$(field $name Rss) pss=$(field $name Pss)
		echo "$name: $rss KiB resident, $pss KiB its own or its share" >>"$out"
		[ "$rss" -ge 65536 ] && [ "$pss" -lt 49152 ] || return 1
	done
}
writes_apart() {
	next
	[ "$(ask web-1 'write second')" = second ] || return 1
	next
	[ "$(ask web-1 disk)" = second ] || return 1
	next
	[ "$(ask web-2 disk)" = first ] && [ "$(head -c 5 "$dir/disk")" = first ]
}
# With a checkpoint, whose pages are put back into the memory that is the file's.
is_put_back() {
	lodge 0 checkpoint web-3 && lodge 0 freeze web-3 && lodge 0 resume web-3 &&
		says_back web-3 && lodge 0 rewind web-3 || return 1
	next
	[ "$(ask web-3 sum)" = "$sum" ]
}
writes_itself() {
	next
	[ "$(ask web 'write third')" = third ] && [ "$(head -c 5 "$dir/disk")" = third ]
}

echo 1..36
check "a machine starts" lodge 0 run -d --name web \
	--kernel "$LODGE_PAYLOAD/vmlinuz-6.1" --initrd "$LODGE_PAYLOAD/guest.cpio" \
	--append "console=ttyS0 quiet run=clone" --memory 192M --disk "$dir/disk"
check "the guest is ready" soon ready
check "as it runs it is not cloned, since it writes to a disk" lodge 75 clone web
check "and that is said" says 'lodge freeze'
check "it is frozen" lodge 0 freeze web
counted=$(counts)
check "and says so" is web frozen
check "a machine that is frozen stays so" lodge 0 freeze web
check "it makes no checkpoint" refused checkpoint web
check "it is not saved and ended" refused save --stop web "$dir/save"

check "three clones start at once" lodge 0 clone web -n 3
check "each with a name of its own" three
check "each answers on its console" each_says_back
check "each has the memory of the machine" same sum
sum=$(head -n 1 "$dir/same")
check "which they share" is_shared
check "each was told that it goes on elsewhere" were_told
check "and draws other random numbers" differ random
check "its real-time clock has the time of day" knows_the_day
check "what one writes to the disk the others do not see" writes_apart
check "another name that is free is found" lodge 0 clone web
check "which is the next one" says '^web-4$'
check "a name that is taken is refused" lodge 64 clone web --name web-4

check "the machine does not run on while they read its disk" lodge 75 resume web
check "and says why" says 'being read'
check "it has stood still" [ "$(counts)" = "$counted" ]

check "a machine that runs is cloned, if it writes to no disk" \
	lodge 0 clone web-2 --name copy
check "the clone answers, and the machine, too" eval 'says_back copy && says_back web-2'
check "one that was frozen goes back to a checkpoint from before" is_put_back
# A host of 1 GiB has no memory for all of them and a file, too.
"$LODGE" stop --now web-1 web-2 web-4 copy >/dev/null 2>&1
check "a clone is saved" lodge 0 save web-3 "$dir/save"
"$LODGE" stop --now web-3 >/dev/null 2>&1
check "a file is cloned" lodge 0 clone "$dir/save" -n 2 --name filed
check "each of its clones answers" eval 'says_back filed-1 && says_back filed-2'

"$LODGE" stop --now filed-1 filed-2 >/dev/null 2>&1
check "when they have ended the machine runs on" eval 'lodge 0 resume web && soon counts_on'
check "and has its disk" writes_itself
lodge 0 freeze web && lodge 0 clone web --name orphan && lodge 0 stop --now web
check "a clone goes on without the machine" says_back orphan

check "a name of nothing is refused" lodge 68 clone nothing
check "a file that is none of a machine is refused" lodge 66 clone "$dir/disk"
check "so is a count that is none" lodge 64 clone "$dir/save" -n 0
