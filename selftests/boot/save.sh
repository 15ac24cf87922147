#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A machine is saved in the midst of its work, several times, and restored: Debian's kernel
# computes on two processors, writes to two disks, one of them a snapshot, and looks at its
# clocks, and in the end all is right.  What goes wrong while it is saved leaves the old
# file, and the machine running.  From then on the file is all that the machine needs: to be
# reset, to get a checkpoint.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
names=web at=web
. "${0%/*}/../lib/machines.sh"
leave_all() {
	umount "$dir/small" 2>/dev/null
	leave
}
trap leave_all EXIT
mkdir "$dir/small"
mount -t tmpfs -o size=4M tmpfs "$dir/small"
truncate -s 1M "$dir/disk"
for block in $(seq 64); do
	printf base
	dd if=/dev/zero bs=4092 count=1 2>/dev/null
done >"$dir/base"
cp "$dir/base" "$dir/same"
cp "$LODGE_PAYLOAD/vmlinuz-6.1" "$dir/kernel"
cp "$LODGE_PAYLOAD/guest.cpio" "$dir/initrd"

restore() { lodge 0 rm web && lodge 0 restore -d "$1"; }
written() {
	for block in $(seq 0 31); do
		printf 'block %08d' "$block"
		dd if=/dev/zero bs=4082 count=1 2>/dev/null
	done | sha256sum | cut -c 1-16
}
# tells_written FILE: of disks
tells_written() { lodge 0 image info --json "$1" && says '"written": [1-9]'; }
same() { [ "$(cat "$dir/small/save")" = "$old" ]; }
# seen: what tells the file from another one
seen() { ls -i "$dir/old" && "$LODGE" image info "$dir/old"; }
# killed MILLISECONDS: a client, so long after its start.  The file is the old one then, or
# whole.  Sets $quick if the client has ended by itself.
killed() {
	before=$(seen)
	"$LODGE" save web "$dir/old" &
	client=$!
	sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
	kill -9 $client
	wait $client
	case $? in
	0) quick=1 ;;
	137) ;;
	*) return 1 ;;
	esac
	soon is web running || return 1
	[ "$(seen)" = "$before" ] || lodge 0 image check "$dir/old"
}
# number NAME: of what was said
number() { sed -nE "s/.*\"$1\": ([0-9]+).*/\1/p" "$out"; }
wrote() { sed -n 's/^wchar: //p' "/proc/$controller/io"; }
# given_up: killed when the controller has begun, which then writes no half of a file
given_up() {
	lodge 0 inspect --state web && controller=$(number pid) &&
		lodge 0 image info --json "$dir/old" && whole=$(number stored) || return 1
	# A kernel that does not count tells nothing of it.
	[ -e "/proc/$controller/io" ] || return 0
	for _ in $(seq 20); do
		start=$(wrote)
		"$LODGE" save web "$dir/old" &
		client=$!
		while [ $(($(wrote) - start)) -lt 1000000 ] && kill -0 $client 2>/dev/null; do
			:
		done
		kill -9 $client
		wait $client
		soon is web running || return 1
		echo "$(($(wrote) - start)) bytes of $whole" >"$out"
		[ $(($(wrote) - start)) -ge $((whole / 2)) ] || return 0
	done
	return 1
}

# From the moment before it has asked to that after it has named the file.
killed_anywhere() {
	delay=0 quick=
	until [ "$quick" ]; do
		killed $delay || return 1
		delay=$((delay * 3 / 2 + 20))
	done
	lodge 0 save web "$dir/old" && lodge 0 image check "$dir/old"
}
last_step() { told | grep '^step' | tail -n 1; }
# twice LINE: it was told again, as it is after a rewind
twice() { [ "$(told | grep -cFx "$1")" -ge 2 ]; }
# tell WORD SECTOR: has the guest do what it looks for
tell() { printf %s "$1" | dd of="$dir/disk" bs=512 seek="$2" conv=notrunc,fsync 2>/dev/null; }

echo 1..41
check "a machine starts" lodge 0 run -d --name web --kernel "$dir/kernel" \
	--initrd "$dir/initrd" --append "console=ttyS0 quiet $calm run=save" --cpus 2 \
	--memory 160M --disk "$dir/disk" --disk "$dir/base,snapshot=on"
check "its guest works" soon has 'step 1 10$'
check "the machine is saved while its guest works" lodge 0 save web "$dir/old"
check "a machine that was saved runs on" is web running
check "the file that was written is whole" lodge 0 image check "$dir/old"

old=$(printf '\211LODGE\r\nold')
printf %s "$old" >"$dir/small/save"
check "a save to a full disk fails" lodge 75 save web "$dir/small/save"
check "it fails with its reason" says 'No space left'
check "a save that fails leaves the old file" same
check "a save that fails leaves the machine running" is web running
check "a file of another kind is not replaced" lodge 73 save web "$dir/disk"
check "a client that is killed leaves a whole file, and the machine running" killed_anywhere
check "no controller writes on for a client that was killed" given_up

lodge 0 pause web
check "a machine that is paused is saved" lodge 0 save web "$dir/paused"
check "a machine that was paused stays so" is web paused
lodge 0 resume web
rm "$dir/old" "$dir/paused"

# No file of the boot is needed any more.
rm "$dir/kernel" "$dir/initrd"
check "a machine is saved and ends" lodge 0 save --stop web "$dir/save"
head -c 20000000 "$dir/save" >"$dir/short"
check "a file that is cut off is refused" lodge 66 restore -d "$dir/short"
check "the machine is restored from the whole file" restore "$dir/save"
check "its guest goes on" works
rm "$dir/short"
check "what has changed since a save is saved" lodge 0 save web "$dir/changes" --since "$dir/save"
check "a base and what has changed make a whole file" lodge 0 image join "$dir/save" "$dir/changes" "$dir/whole"
check "the whole file has what was written to the snapshot" tells_written "$dir/whole"
check "the whole file is sound" lodge 0 image check "$dir/whole"
rm "$dir/changes" "$dir/whole"
check "a machine that was restored is saved again" lodge 0 save --stop web "$dir/again"
check "it is restored again" restore "$dir/again"
check "its guest goes on again" works
tell enough 2047
soon has '^sums: '
check "all sums of the guest are right in the end" right
check "what the guest has written is on its disk" \
	soon has "^written: $(written)$"
check "what the guest has written is on its snapshot" soon has '^kept: [1-9][0-9]* 0$'
check "the snapshot's file is as it was" cmp "$dir/base" "$dir/same"
soon has '^complaints: '
check "the guest was told each time that it goes on elsewhere" has '^moved: 2$'
check "no clock of the guest went backwards, and its kernel has no complaint" \
	eval "has '^backwards: 0' && has '^complaints: 0'"

tell 'anything but' 2047
"$LODGE" stop --now web >/dev/null 2>&1
lodge 0 rm web
truncate -s 300K "$dir/base"
check "a snapshot of a file of another size is refused" lodge 66 restore -d "$dir/again"
check "the refusal names the snapshot" says "virtio-blk 1: $dir/base: has another size"
cp "$dir/same" "$dir/base"
check "a machine is restored from a file that it has gone on from before" \
	lodge 0 restore -d "$dir/again"
check "its guest goes on from there" works
tell reset 2046
check "a guest that resets a restored machine starts from the file's images" \
	soon has 'step 1 10$'

# A checkpoint can be made where the guest cannot write to the disk.
"$LODGE" stop --now web >/dev/null 2>&1
lodge 0 rm web
lodge 0 run -d --name web --kernel "$LODGE_PAYLOAD/vmlinuz-6.1" \
	--initrd "$LODGE_PAYLOAD/guest.cpio" --append "console=ttyS0 quiet $calm run=save" \
	--memory 160M --disk "$dir/disk,ro" --disk "$dir/base,snapshot=on"
soon has 'step 1 10$'
check "a machine whose disk is read-only is saved" lodge 0 save --stop web "$dir/save"
check "it is restored" restore "$dir/save"
check "a restored machine gets a checkpoint" lodge 0 checkpoint web
works
step=$(last_step)
check "it is put back to it" lodge 0 rewind web
check "its guest does again what it did since" soon twice "$step"
