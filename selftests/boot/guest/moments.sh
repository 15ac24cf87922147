# SPDX-License-Identifier: GPL-2.0
# Computes on both processors, looks at its memory and at the clocks, for a host that does
# all to the machine that can be done to one, until the host has written "enough" to a disk
# that is only read; then it says what has come of it, a line `NAME: VALUE` each.
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
# The same broken numbers, and the same memory, give the same each time.
float() {
	awk 'BEGIN { x = 1; for (i = 1; i < 3000; i++) x = x * 1.0001 + i / (x + 0.1); printf "%.17g\n", x }'
}
memory() { sha256sum </tmp/memory; }
same() {
	broken=$(float) whole=$(memory) wrong=0
	[ -n "$broken" ] && [ -n "$whole" ] || wrong=1
	while [ ! -e /tmp/enough ]; do
		[ "$(float)" = "$broken" ] && [ "$(memory)" = "$whole" ] ||
			wrong=$((wrong + 1))
	done
	echo $wrong >/tmp/wrong
}
# centiseconds since the boot; and seconds of the day's time
watch() {
	last=0 lastday=0 back=0
	while [ ! -e /tmp/enough ]; do
		read -r up rest </proc/uptime
		up=${up%.*}${up#*.} day=$(date +%s)
		[ "$up" -ge $last ] && [ "$day" -ge $lastday ] || back=$((back + 1))
		last=$up lastday=$day
		sleep 0.1
	done
	echo $back >/tmp/back
}
dd if=/dev/urandom of=/tmp/memory bs=1M count=8 2>/dev/null
work 1 &
work 2 &
same &
watch &
until dd if=/dev/vda bs=512 skip=1 count=1 iflag=direct 2>/dev/null | grep -q enough; do
	sleep 0.3
done
touch /tmp/enough
wait
echo "sums: $(cat /tmp/sum1) $(cat /tmp/sum2)"
echo "wrong: $(cat /tmp/wrong)"
echo "backwards: $(cat /tmp/back)"
dmesg
echo "complaints: $(dmesg | grep -cE 'BUG:|WARNING: CPU|Oops|Call Trace|I/O error|unstable|stall|lockup')"
