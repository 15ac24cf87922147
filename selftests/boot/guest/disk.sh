# SPDX-License-Identifier: GPL-2.0
# What a Linux guest finds of its disks: vda to be written, vdb read-only, vdc whose file
# keeps what it has.  A line `NAME: VALUE` each; in the end it writes block after block to
# vda, for ever, and prints the number of each that is stable.
fact() { echo "$1: $2"; }
# sum DEVICE BLOCKS: of the first blocks of 4 KiB, as the device has them
sum() {
	echo 3 >/proc/sys/vm/drop_caches
	dd if="$1" bs=4k count="$2" 2>/dev/null | sha256sum | cut -c 1-16
}
status() { "$@" >/dev/null 2>&1; echo $?; }

sh /scripts/virtio
[ -b /dev/vdc ] || { dmesg | tail -n 40; lsmod; cat /proc/bus/pci/devices; exit 1; }
for disk in vda vdb vdc; do
	fact "$disk-sectors" "$(cat /sys/block/$disk/size)"
	fact "$disk-read-only" "$(cat /sys/block/$disk/ro)"
done
fact serial "$(cat /sys/block/vda/serial)"
fact queues "$(ls /sys/block/vda/mq | wc -l)"
fact cache "$(cat /sys/block/vda/cache_type)"

# As much as the guest can hold in flight, and all of it read back.
dd if=/dev/urandom of=/tmp/random bs=1M count=8 2>/dev/null
dd if=/tmp/random of=/dev/vda bs=1M conv=fsync,notrunc 2>/dev/null
fact written "$(sum /tmp/random 2048)"
fact read-back "$(sum /dev/vda 2048)"
for part in 0 1 2 3; do
	dd if=/tmp/random of=/dev/vda bs=4k skip=$((part * 512)) count=512 \
		seek=$(((3 - part) * 512)) conv=fsync,notrunc 2>/dev/null &
done
wait
fact first-part "$(dd if=/tmp/random bs=4k skip=1536 2>/dev/null | sha256sum | cut -c 1-16)"
fact first-read "$(sum /dev/vda 512)"

fact read-only-write "$(status dd if=/tmp/random of=/dev/vdb bs=4k count=1 conv=fsync)"
fact read-only-sum "$(sum /dev/vdb 256)"
dd if=/tmp/random of=/dev/vdc bs=1M seek=1 count=2 conv=fsync,notrunc 2>/dev/null
echo 3 >/proc/sys/vm/drop_caches
fact snapshot "$(dd if=/dev/vdc bs=1M skip=1 count=2 2>/dev/null | sha256sum | cut -c 1-16)"
fact snapshot-expected "$(sum /tmp/random 512)"

fact discard "$(status blkdiscard -o 0 -l 4194304 /dev/vda)"
fact discarded-sum "$(sum /dev/vda 1024)"
fact discard-read-only "$(status blkdiscard -o 0 -l 4194304 /dev/vdb)"
# Behind the end, by a request of the guest's own making.
fact beyond "$(status dd if=/tmp/random of=/dev/vda bs=4k count=1 seek=1000000 conv=fsync,notrunc)"
fact complaints "$(dmesg | grep -cE 'BUG:|WARNING: CPU|Oops|Call Trace|I/O error')"
fact facts told

block=2048
while true; do
	{ printf 'block %08d' $block; dd if=/dev/zero bs=4082 count=1 2>/dev/null; } |
		dd of=/dev/vda bs=4096 seek=$block conv=fsync,notrunc 2>/dev/null &&
		echo "stable: $block"
	block=$((block + 1))
	[ $block -lt 4096 ] || block=2048
done
