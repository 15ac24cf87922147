#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The programs that serve devices: passt, virtiofsd and qemu-storage-daemon confine
# themselves, or are confined, as /proc shows it, and end with the machine, however that
# comes.
if grep -q '^rootfs / ' /proc/mounts && [ -z "$moved" ]; then
	# passt leaves the root directory by pivot_root(2), which the first one of a
	# kernel is not made for.  The tests after this one keep theirs: users who are
	# not at the root of their mounts get no namespaces.
	[ -n "$apart" ] || apart=1 exec unshare -m "$0"
	mkdir -p /tmp/root
	mount --rbind / /tmp/root && cd /tmp/root && mount --move . / &&
		moved=1 exec chroot . "$0"
fi
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
trap 'rm -rf "$dir"' EXIT
export XDG_RUNTIME_DIR=$dir/run
mkdir -p -m 700 "$dir/run" "$dir/share" "$dir/empty"
: >"$dir/share/file"
# Hears no button: HLT with interrupts disabled.
printf '\372\364\353\375' >"$dir/deaf"
# byte OFFSET OCTAL...: puts bytes into the image
byte() {
	at=$1
	shift
	printf "$(printf '\\%s' "$@")" |
		dd of="$dir/disk" bs=1 seek="$at" conv=notrunc 2>/dev/null
}
# A qcow2 image of version 2 with 1 MiB and nothing in it: header, refcount table, a block
# of refcounts, L1 table.
truncate -s 262144 "$dir/disk"
byte 0 121 106 111 373 0 0 0 2
byte 20 0 0 0 20 0 0 0 0 0 20 0 0
byte 36 0 0 0 1 0 0 0 0 0 3 0 0 0 0 0 0 0 1 0 0 0 0 0 1
byte 65536 0 0 0 0 0 2 0 0
byte 131072 0 1 0 1 0 1 0 1

# The connection to the rest of the world that passt looks for.
if [ -e /modules/dummy.order ]; then
	while read -r module; do
		insmod "/modules/$module.ko"
	done </modules/dummy.order
	ip address add 10.0.2.15/24 dev dummy0
	ip link set dummy0 up
	ip route add default via 10.0.2.2
fi

names='passt virtiofsd qemu-storage-daemon'
# pids NAME: its processes; the kernel keeps 15 letters of a name
pids() {
	short=$(printf %.15s "$1")
	for process in /proc/[0-9]*; do
		{ read -r comm <"$process/comm"; } 2>/dev/null || continue
		[ "$comm" != "$short" ] || echo "${process#/proc/}"
	done
}
run() { [ -n "$(pids "$1")" ]; }
# worker NAME: the one that serves; virtiofsd's first one waits for it outside
worker() { pids "$1" | sort -n | tail -n 1; }
# has NAME LINE: its status has it
has() { grep -q "^$2\$" /proc/"$(worker "$1")"/status; }
# elsewhere NAME SPACE: it is in a namespace of its own
elsewhere() {
	its=$(readlink /proc/"$(worker "$1")"/ns/"$2") &&
		[ "$its" != "$(readlink /proc/self/ns/"$2")" ]
}
# sees NAME DIRECTORY: its root has what that has
sees() {
	its=$(ls -A /proc/"$(worker "$1")"/root/.) && [ "$its" = "$(ls -A "$2")" ]
}
has_ended() {
	for name in $names lodge lodge-keeper lodge-leftover; do
		[ -z "$(pids $name)" ] || return 1
	done
}
explain() {
	cat "$out"
	ps
	for name in $names; do
		for pid in $(pids $name); do
			grep -E '^(Name|Uid|Cap|NoNew|Seccomp)' /proc/"$pid"/status
			ls -l /proc/"$pid"/ns /proc/"$pid"/root/
		done
	done
}
start() {
	lodge 0 run -d --name one --kernel "$dir/deaf" --flat 0x7c00 --memory 1M \
		--net user --share "$dir/share" --disk "$dir/disk,format=qcow2"
}
is_clean() { [ "$(ls /tmp)" = "$before" ] && [ -z "$(ls "$dir"/run/lodge)" ]; }

before=$(ls /tmp)
echo 1..21
check "a machine starts with all three" start
for name in $names; do
	check "$name runs" run $name
	check "$name cannot gain privileges" has $name 'NoNewPrivs:	1'
done
for name in virtiofsd qemu-storage-daemon; do
	check "$name does not have the host's network" elsewhere $name net
done
# It confines itself after it has begun to serve, and tells nobody when: the filter is the
# last of it.
check "passt has a filter" soon has passt 'Seccomp:	2'
check "passt runs as nobody" has passt 'Uid:	65534	65534	65534	65534'
check "passt has no capability" has passt 'CapEff:	0000000000000000'
check "passt has no files" sees passt "$dir/empty"
check "virtiofsd has a filter" has virtiofsd 'Seccomp:	2'
check "virtiofsd has the directory's files alone" sees virtiofsd "$dir/share"

check "the machine ends" lodge 0 stop --now one
check "and all three" soon has_ended
lodge 0 rm one
check "and nothing stays" is_clean
check "another one starts" start
kill -9 "$("$LODGE" ps --json | sed -nE 's/.*"pid": ([0-9]+).*/\1/p')"
check "when it is killed, all three end" soon has_ended
lodge 0 ps
check "and nothing stays" is_clean
