#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# `lodge ps`, `stat`, `events`, `kill` and `limit` with a real VM, and `lodge run` whose
# VM has a name, is killed, or is one too many.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
trap 'rm -rf "$dir"' EXIT
# A boot sector: OUT to port 0x80, twice, and HLT with interrupts disabled.
printf '\346\200\346\200\372\364\353\375' >"$dir/image"

# as_nobody STATUS ARGUMENTS: the same, as a user who has no VM
as_nobody() {
	su -s /bin/sh nobody -c "$LODGE $2" >"$out" 2>&1
	[ $? -eq "$1" ]
}

# run NAME: starts a VM, as process $vm
run() {
	"$LODGE" run --kernel "$dir/image" --flat 0x7c00 --memory 1M \
		--serial none --name "$1" </dev/null >"$dir/run" 2>&1 &
	vm=$!
}

# lists NAME: the VM is there
lists() { lodge 0 ps && says "^$1 "; }
is_halted() { lodge 0 stat "$1" --json && says '"state": "halted"'; }
# gone STATUS: the VM's controller has ended so
gone() {
	wait "$vm"
	[ $? -eq "$1" ]
}
followed() { grep -q -- "$1" "$dir/followed"; }

echo 1..38
check "without VMs, ps has one line" lodge 0 ps
check "that of the headings" [ "$(cut -d ' ' -f 1 "$out")" = NAME ]
"$LODGE" events --follow --json >"$dir/followed" 2>"$dir/unloaded" &
follower=$!
run web
check "a VM is listed by its name" soon lists web
check "its user and its controller are told" says "^web  *root  *$vm "
check "so they are in JSON" lodge 0 ps --json
check "with the same words" says '"name": "web", "user": "root"'
check "another VM of this name is refused" lodge 64 run --kernel "$dir/image" \
	--flat 0x7c00 --memory 1M --name web
check "the name is told" says "web: a machine of this name runs"
check "a guest that waits is seen to wait" soon is_halted web
check "each of its exits is counted" says '"io": 2,'
check "so they are for people" lodge 0 stat web
check "in a table" says '^io  *2 '
check "an interval has a line" lodge 0 stat web --interval 1 --count 1
check "below its headings" says '^ *EXITS/s'
check "another user does not see the VM" as_nobody 0 ps
check "in any way" says_not web
check "another user does not kill it" as_nobody 68 'kill web'
check "another user sets no limits" as_nobody 77 'limit vms=1'
check "a VM that does not exist is not killed" lodge 68 kill wiki
check "a VM is killed" lodge 0 kill web
check "its controller ends with a code of its own" gone 6
check "and says why" grep -q 'the VM was killed' "$dir/run"
check "events has its life" lodge 0 events
check "from its creation" says 'vm-created  *web'
check "by its killing" says 'vm-killed  *web'
check "to its end" says 'vm-gone  *web'
check "who follows events has seen the same" soon followed '"vm-gone".*"web"'
check "a limit is set" lodge 0 limit --user root vms=0
check "a VM above it is refused" lodge 71 run --kernel "$dir/image" \
	--flat 0x7c00 --memory 1M
check "the place where limits are shown is told" says 'lodge limit'
check "a user without limits of its own has the default ones" \
	lodge 0 limit --user root --inherit
run wiki
soon lists wiki
check "ps has the ID of a VM" lodge 0 ps --json
id=$(sed -nE 's/^\[\{"id": ([0-9]+), .*/\1/p' "$out")
check "that VM's statistics are asked for by it" lodge 0 stat --id "$id"
check "they are of the VM that has it" says "^wiki: VM $id of root,"
check "it is killed by it" lodge 0 kill --id "$id"
gone 6
rmmod lodge
wait "$follower"
check "who follows events is told of the module's end" [ $? -eq 69 ]
check "without the module, ps ends in failure" lodge 69 ps
check "and the remedy is named" says 'modprobe lodge'
# shellcheck disable=SC2086
insmod "$LODGE_MODULE" $LODGE_PARAMETERS
