#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The sandbox of a controller, as /proc shows it, for root and for a user of the group
# lodge, in the foreground and in the background; and --no-sandbox.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir -m 700 "$dir/nobody"
chown 65534 "$dir/nobody"
# Hears no button: HLT with interrupts disabled.
printf '\372\364\353\375' >"$dir/deaf"
: >"$dir/caller"
# Resets once by port 0xcf9, with a word in memory that stays; then it ends by
# isa-debug-exit: cmpb $1,0x7000; je 1f; movb $1,0x7000; mov $0xcf9,%dx; mov $6,%al; out;
# jmp .; 1: mov $0x10,%al; out %al,$0xf4
printf '\200\076\000\160\001\164\015\306\006\000\160\001\272\371\014\260\006\356\353\376\260\020\346\364\353\376' \
	>"$dir/reset"

# each_has PID LINE: every thread's status has it
each_has() {
	for task in /proc/"$1"/task/*; do
		grep -q "^$2\$" "$task/status" || return 1
	done
	[ -d /proc/"$1" ]
}
has_threads() { [ "$(ls /proc/"$1"/task 2>/dev/null | wc -l)" -ge "$2" ]; }
# filters PID: the number of threads with each number of filters
filters() {
	sed -n 's/^Seccomp_filters:\t//p' /proc/"$1"/task/*/status | sort | uniq -c |
		sed 's/^ *//' | tr '\n' ','
}
has_filters() { [ "$(filters "$1")" = "$2" ]; }
elsewhere() { [ "$(readlink /proc/"$1"/ns/"$2")" != "$(readlink /proc/self/ns/"$2")" ]; }
# pid: the process of the only machine
pid() { "$LODGE" ps --json | sed -nE 's/.*"pid": ([0-9]+).*/\1/p'; }
has_controller() { [ -n "$(pid)" ]; }
no_controller() { [ -z "$(pid)" ]; }
is_empty() { [ -z "$(ls -A "$1")" ]; }
nowhere() { [ "$(readlink /proc/"$1"/cwd)" = / ] && is_empty /proc/"$1"/root/; }

# holds_none PID FILE: it does not have it open
holds_none() { ! ls -l /proc/"$1"/fd | grep -qF "$2"; }

# inspect PID: eleven tests
inspect() {
	check "$2: it runs with all its threads" soon has_threads "$1" "$3"
	check "$2: no thread can gain privileges" each_has "$1" 'NoNewPrivs:	1'
	# Each thread takes its own when it begins.
	check "$2: each has a filter" soon each_has "$1" 'Seccomp:	2'
	check "$2: none has a capability" each_has "$1" 'CapEff:	0000000000000000'
	check "$2: none can get one back" each_has "$1" 'CapPrm:	0000000000000000'
	check "$2: or by a program" each_has "$1" 'CapBnd:	0000000000000000'
	for space in user mnt net ipc; do
		check "$2: its $space namespace is its own" elsewhere "$1" $space
	done
	check "$2: its files are none" nowhere "$1"
}

if [ ! -e /proc/self/ns/user ]; then
	echo 1..1
	echo 'ok 1 # SKIP this kernel has neither namespaces nor filters'
	exit 0
fi
echo 1..48
check "the host allows all of it" lodge 0 doctor --json
check "as doctor tells programs" says '"sandbox": {"no_new_privileges": true, "no_capabilities": true, "user_namespace": true, "mount_namespace": true, "empty_root": true, "network_namespace": true, "ipc_namespace": true, "filters": true}'

"$LODGE" run --name front --kernel "$dir/deaf" --flat 0x7c00 \
	--memory 1M --cpus 2 </dev/null >"$out" 2>&1 9<"$dir/caller" &
soon has_controller
controller=$(pid)
# The owner's, that of signals, the loop's and two vCPUs'.
inspect "$controller" "root" 5
check "root: it has no file that its caller had open" holds_none "$controller" "$dir/caller"
check "the kinds of threads have filters of their own" soon has_filters "$controller" "4 1,1 2,"
kill -TERM "$controller"
check "it ends by a signal" soon no_controller

check "one starts in the background" lodge 0 run -d --name back --kernel "$dir/deaf" --flat 0x7c00 --memory 1M
controller=$(pid)
inspect "$controller" "in the background" 4
check "it is paused" lodge 0 pause back
check "and runs on" lodge 0 resume back
check "with the same filters" soon has_filters "$controller" "3 1,1 2,"
check "and ends" lodge 0 stop --now back
check "its end is recorded" lodge 0 inspect --state back
lodge 0 rm back

chgrp 65534 /dev/lodge
su -s /bin/sh nobody -c "XDG_RUNTIME_DIR=$dir/nobody $LODGE run -d --name user --kernel $dir/deaf \
	--flat 0x7c00 --memory 1M" >"$out" 2>&1
controller=$(pid)
inspect "$controller" "a user" 4
check "its user ends it" su -s /bin/sh nobody -c "XDG_RUNTIME_DIR=$dir/nobody $LODGE stop --now user"
chgrp 0 /dev/lodge

check "a guest may reset" lodge 33 run --kernel "$dir/reset" --flat 0x7c00 --memory 1M
check "it runs without a sandbox" lodge 33 run --kernel "$dir/reset" --flat 0x7c00 --memory 1M --no-sandbox
check "with a warning" says 'warning: --no-sandbox'
