# SPDX-License-Identifier: GPL-2.0
# Computes on both processors, writes to two disks and looks at the clocks, for a host that
# saves and restores the machine meanwhile, until the host has written "enough" to the
# first disk's last sector; then it says what has come of it, a line `NAME: VALUE` each.  When
# the host has written "reset" to the sector before, it resets the machine.
sh /scripts/virtio
# Those of the boot are none of this machine's being saved.
dmesg -c >/dev/null
# said WORD SECTOR: the host has written it there
said() {
	dd if=/dev/vda bs=512 skip="$2" count=1 iflag=direct 2>/dev/null | grep -q "$1"
}
enough() { said enough 2047; }
# The next boot must not find the word.
reset() {
	said reset 2046 || return
	dd if=/dev/zero of=/dev/vda bs=512 seek=2046 count=1 conv=fsync,notrunc 2>/dev/null
	reboot -f
}
# work NUMBER: sums, now and then asleep
work() {
	i=0 sum=$1
	until [ $((i % 10)) = 0 ] && [ -e /tmp/enough ]; do
		i=$((i + 1))
		sum=$(((sum * 31 + i) % 1000000007))
		[ $((i % 10)) != 0 ] || { echo "step $1 $i"; sleep 0.4; }
	done
	echo $i $sum >/tmp/sum$1
}
# Blocks over and over, all of them at least once.
write() {
	block=0
	until [ $block -ge 32 ] && enough; do
		{ printf 'block %08d' $((block % 32)); dd if=/dev/zero bs=4082 count=1 2>/dev/null; } |
			dd of=/dev/vda bs=4096 seek=$((block % 32)) conv=fsync,notrunc 2>/dev/null
		block=$((block + 1))
		reset
		sleep 0.3
	done
	touch /tmp/enough
	echo 3 >/proc/sys/vm/drop_caches
	dd if=/dev/vda bs=4096 count=32 2>/dev/null | sha256sum | cut -c 1-16 >/tmp/written
}
# What it writes to vdb is there each time, between blocks that are as the file has them.
keep() {
	block=0 want= wrong=0
	until [ $block != 0 ] && [ -e /tmp/enough ]; do
		if [ $block -lt 32 ]; then
			{ printf 'kept%04d' $block; dd if=/dev/zero bs=4088 count=1 2>/dev/null; } |
				dd of=/dev/vdb bs=4096 seek=$((2 * block)) conv=fsync,notrunc 2>/dev/null
			want="${want}kept$(printf %04d $block)base" block=$((block + 1))
		fi
		got=$(dd if=/dev/vdb bs=4096 count=$((2 * block)) iflag=direct 2>/dev/null | tr -d '\0')
		[ "$got" = "$want" ] || wrong=$((wrong + 1))
		sleep 0.4
	done
	echo "$block $wrong" >/tmp/kept
}
# centiseconds since the boot; and seconds of the day's time
watch() {
	last=0 lastday=0 back=0
	while [ ! -e /tmp/done ]; do
		read -r up rest </proc/uptime
		up=${up%.*}${up#*.} day=$(date +%s)
		[ "$up" -ge $last ] && [ "$day" -ge $lastday ] || back=$((back + 1))
		last=$up lastday=$day
		sleep 0.1
	done
	echo $back >/tmp/back
}
watch &
work 1 &
one=$!
work 2 &
two=$!
keep &
three=$!
write &
wait $one $two $three $!
touch /tmp/done
wait
echo "sums: $(cat /tmp/sum1) $(cat /tmp/sum2)"
echo "written: $(cat /tmp/written)"
echo "kept: $(cat /tmp/kept)"
echo "moved: $(cut -c 1-8 /sys/firmware/acpi/interrupts/gpe05 | tr -d ' ')"
echo "backwards: $(cat /tmp/back)"
dmesg
echo "complaints: $(dmesg | grep -cE 'BUG:|WARNING: CPU|Oops|Call Trace|I/O error|unstable|stall|lockup')"
