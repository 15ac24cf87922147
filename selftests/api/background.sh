#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Machines in the background: `lodge run -d`, `console`, `logs`, `pause`, `resume`, `stop`,
# `rm`, `inspect` and `wait`, machines in the foreground, what is left behind, and what
# another user can do about it.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
place=/run/lodge
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir -m 700 "$dir/nobody"
chown 65534 "$dir/nobody"
# Rounds of starting and stopping.
ROUNDS=20
# A kernel for debugging takes ten times as long.
[ ! -e /sys/kernel/debug/kmemleak ] || ROUNDS=4
# Sends back what the serial port receives, and powers off when the button is pressed:
# 1: mov $0x3fd,%dx; in; test $1,%al; jz 2f; mov $0x3f8,%dx; in; out
# 2: mov $0x601,%dx; in; test $1,%al; jz 1b; mov $0x604,%dx; mov $0x2000,%ax; out; jmp 1b
printf '\272\375\003\354\250\001\164\005\272\370\003\354\356\272\001\006\354\250\001\164\353\272\004\006\270\000\040\357\353\342' \
	>"$dir/echo"
# Hears no button: HLT with interrupts disabled.
printf '\372\364\353\375' >"$dir/deaf"
# Ends by isa-debug-exit: mov $0x10,%al; out %al,$0xf4
printf '\260\020\346\364\353\376' >"$dir/exit"

# start STATUS IMAGE OPTION...: a machine in the background
start() {
	status=$1
	image=$2
	shift 2
	lodge "$status" run -d --kernel "$dir/$image" --flat 0x7c00 --memory 1M "$@"
}

as_nobody() {
	su -s /bin/sh nobody -c "XDG_RUNTIME_DIR=$2 $LODGE $3" >"$out" 2>&1
	[ $? -eq "$1" ]
}

# pid NAME: the process of its controller
pid() { "$LODGE" inspect --state "$1" | sed -nE 's/.*"pid": ([0-9]+).*/\1/p'; }
exits() { "$LODGE" stat "$1" --json | sed -nE 's/.*"io": ([0-9]+).*/\1/p'; }
# talk NAME TEXT [OPTION]: takes keys to the guest, until the console has a text
talk() {
	# shellcheck disable=SC2086
	"$LODGE" console $3 "$1" <"$dir/keys" >"$dir/echoed" 2>"$out" &
	talker=$!
	soon grep -q "$2" "$dir/echoed"
	result=$?
	kill $talker
	wait $talker
	return $result
}
has_grown() { [ "$(exits web)" -gt "$1" ]; }
stands_still() {
	before=$(exits web)
	sleep 2
	[ -n "$before" ] && [ "$(exits web)" = "$before" ]
}
has_not() { sleep 2; [ ! -e "$1" ]; }
# A user without a directory for what runs.
no_place() {
	chgrp 65534 /dev/lodge
	su -s /bin/sh nobody -c "unset XDG_RUNTIME_DIR; exec $LODGE run --kernel $dir/exit \
		--flat 0x7c00 --memory 1M" >"$out" 2>&1 </dev/null
	result=$?
	chgrp 0 /dev/lodge
	[ $result = 33 ] && [ ! -s "$out" ]
}
is_empty() { [ -z "$(ls -A "$1" 2>&1)" ]; }
no_controllers() { ! pidof lodge; }
no_vms() { [ "$("$LODGE" ps | wc -l)" = 1 ]; }
no_sockets() { ! grep -q lodge /proc/net/unix; }

rounds() {
	for round in $(seq $ROUNDS); do
		start 0 echo --name again && lodge 0 stop again --time 600 &&
			lodge 0 rm again || return 1
	done
}

echo 1..100
check "a machine starts in the background" start 0 echo --name web
check "its name is told" [ "$(cat "$out")" = web ]
controller=$(pid web)
check "its controller is a process" kill -0 "$controller"
check "in a session of its own" [ "$(cut -d ' ' -f 6 "/proc/$controller/stat")" = "$controller" ]
check "without a terminal" [ "$(readlink "/proc/$controller/fd/0")" = /dev/null ]
check "in no directory of the caller's" [ "$(readlink "/proc/$controller/cwd")" = / ]
check "it is listed" lodge 0 ps
check "by its name" says "^web  *root  *$controller "
check "another one of this name is refused" start 64 echo --name web
check "with the reason" says 'web: a machine of this name runs'
check "the first one runs on" [ "$(pid web)" = "$controller" ]
check "another user does not find it" as_nobody 68 "$dir/nobody" 'stop web'
check "in its own directory neither" as_nobody 77 /run 'stop web'
check "only its user may enter its directory" [ "$(stat -c %a $place $place/web | sort -u)" = 700 ]
check "and use its socket" [ "$(stat -c %a $place/web/control)" = 600 ]
echo 'echo this' >"$dir/keys"
check "the console has what the guest sends" talk web 'echo this'
check "so has the log" lodge 0 logs web
check "in full" says 'echo this'
: >"$dir/keys"
check "the console shows it again" talk web 'echo this' --history
check "a machine is paused" lodge 0 pause web
check "its guest stands still" stands_still
check "its state is told" lodge 0 inspect --state web
check "as paused" says '"state": "paused"'
check "in the list, too" lodge 0 ps
check "in a word" says '^web .* paused'
check "it may be paused again" lodge 0 pause web
before=$(exits web)
check "it is resumed" lodge 0 resume web
check "its guest runs on" soon has_grown "$before"
check "the list says so" lodge 0 ps
check "by its usual word" says '^web .* alive'
check "it is put back to no state that was not kept" lodge 75 rewind web
check "with the remedy" says 'web: it has no checkpoint; make one with `lodge checkpoint`'
check "its state is kept" lodge 0 checkpoint web
check "and put back" lodge 0 rewind web
before=$(exits web)
check "its guest runs on" soon has_grown "$before"
lodge 0 pause web
check "one that is paused is put back" lodge 0 rewind web
check "and stays so" stands_still
lodge 0 resume web
check "what was kept is dropped" lodge 0 checkpoint --drop web
check "and is gone" lodge 75 rewind web
head -c 65536 /dev/zero >"$dir/disk"
start 0 echo --name disk --disk "$dir/disk"
check "a disk that cannot be put back is named" lodge 75 checkpoint disk
check "with reason and remedy" says "disk: virtio-blk 0: $dir/disk: what the guest writes to it cannot be put back; start it with snapshot, or with ro"
check "the guest runs on all the same" lodge 0 stop --time 600 disk
lodge 0 rm disk
check "its options are shown" lodge 0 inspect web
check "with the image" says "\"kernel\": \"$dir/echo\""
cp "$out" "$dir/config"
check "they start another one" lodge 0 run --config "$dir/config" --name wiki
check "whose options are the same but for the name" sh -c \
	"$LODGE inspect wiki | sed s/wiki/web/ | cmp - $dir/config"
check "both are stopped at once" lodge 0 stop --time 600 web wiki
check "the list of what runs has none" no_vms
check "their ends are known" lodge 0 inspect --state web wiki
check "as the guest's" says '"end": "power-off", "code": 0'
check "what they wrote is kept" lodge 0 logs web
check "as it was" says 'echo this'
check "they have no console" lodge 75 console web
check "they are stopped already" lodge 0 stop web
check "the list of all has them" lodge 0 ps --all
check "as ended" says '^web .* ended'
check "they are forgotten" lodge 0 rm web wiki
check "with all that they had" is_empty $place
check "and are unknown then" lodge 68 rm web
check "a guest may hear no button" start 0 deaf --name deaf
check "it is ended after its time" lodge 1 stop --time 1 deaf
check "with a word" says 'did not power off within 1 s'
check "its name can be used at once" start 0 deaf --name deaf
check "it can be ended without asking" lodge 0 stop --now deaf
check "a paused guest can be stopped" sh -c \
	"$LODGE run -d --kernel $dir/echo --flat 0x7c00 --memory 1M --name deaf &&
	 $LODGE pause deaf && $LODGE stop --time 600 deaf"
check "a guest's own end is kept" start 0 exit --name exit
check "when it comes" soon sh -c "$LODGE inspect --state exit | grep '\"code\": 33'"
lodge 0 rm exit deaf
check "a machine may have no name" start 0 echo
check "and gets one" says '^machine-1$'
check "one that is killed ends" lodge 0 kill machine-1
check "with its controller" soon sh -c "$LODGE inspect --state machine-1 | grep '\"killed\"'"
lodge 0 rm machine-1
start 0 echo --name held
lodge 0 pause held
check "one that is killed while it is paused" lodge 0 kill held
check "ends, too" soon sh -c "$LODGE inspect --state held | grep '\"killed\"'"
lodge 0 rm held
check "what does not start is told" start 66 none --name none
start 0 echo --name dead
kill -9 "$(pid dead)"
soon no_vms
check "what a killed controller has left is found" lodge 68 console dead
check "and removed" is_empty $place
start 0 exit --name exit
check "the end of a machine is waited for, and its code told" lodge 33 wait exit
check "so it is when it has ended before" lodge 33 wait exit
lodge 0 rm exit
check "but not of one that is unknown" lodge 68 wait exit
start 0 echo --name web
{ "$LODGE" wait web; echo $? >"$dir/code"; } >"$out" 2>&1 &
check "one that runs is waited for" has_not "$dir/code"
check "until it is stopped" lodge 0 stop --time 600 web
check "and has its code" soon grep -q '^0$' "$dir/code"
lodge 0 rm web
start 0 echo --name web
{ "$LODGE" wait web; echo $? >"$dir/code"; } >"$out" 2>&1 &
sleep 2
kill -9 "$(pid web)"
check "the death of a controller ends the wait" soon grep -q '^6$' "$dir/code"
lodge 68 rm web
"$LODGE" run --name front --kernel "$dir/deaf" --flat 0x7c00 --memory 1M </dev/null >"$dir/front" 2>&1 &
runner=$!
check "a machine in the foreground is found by its name" soon lodge 0 inspect --state front
check "its process is that of the command" says "\"pid\": $runner"
check "its options are shown" lodge 0 inspect front
check "with the image" says "\"kernel\": \"$dir/deaf\""
check "it has no console for others" lodge 75 console front
check "it is paused" lodge 0 pause front
lodge 0 ps
check "as the list says" says '^front .* paused'
check "another one of its name is refused" lodge 64 run --name front --kernel "$dir/exit" --flat 0x7c00
check "it is resumed" lodge 0 resume front
check "and ended" lodge 0 stop --now front
wait $runner
check "with the code of its own" [ $? = 0 ]
check "and leaves nothing" is_empty $place
check "a machine in the foreground may have no place" no_place
check "machines come and go" rounds
check "and leave no file" is_empty $place
check "no process" soon no_controllers
check "no socket" no_sockets
