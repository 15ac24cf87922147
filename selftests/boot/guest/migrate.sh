# SPDX-License-Identifier: GPL-2.0
# Computes on both processors and looks at the clocks, for a host that moves the machine
# meanwhile, until the host has written "enough" to a disk that is only read; then it says
# what has come of it, a line `NAME: VALUE` each.
sh /scripts/virtio
dmesg -c >/dev/null
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
# centiseconds since the boot
watch() {
	last=0 back=0
	while [ ! -e /tmp/enough ]; do
		read -r up rest </proc/uptime
		up=${up%.*}${up#*.}
		[ "$up" -ge $last ] || back=$((back + 1))
		last=$up
		sleep 0.1
	done
	echo $back >/tmp/back
}
work 1 &
work 2 &
watch &
until dd if=/dev/vda bs=512 skip=1 count=1 iflag=direct 2>/dev/null | grep -q enough; do
	sleep 0.3
done
touch /tmp/enough
wait
echo "sums: $(cat /tmp/sum1) $(cat /tmp/sum2)"
echo "backwards: $(cat /tmp/back)"
dmesg
echo "complaints: $(dmesg | grep -cE 'BUG:|WARNING: CPU|Oops|Call Trace|I/O error|unstable|stall|lockup')"
