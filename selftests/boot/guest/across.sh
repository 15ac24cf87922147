# SPDX-License-Identifier: GPL-2.0
# Counts and looks at its clock and at its time stamp counter, for a host that carries the
# machine to a host of another vendor meanwhile, until it is told "enough"; then it says what
# has come of it, a line `NAME: VALUE` each.
dmesg -c >/dev/null
stty -echo 2>/dev/null
# work: sums, now and then asleep
work() {
	i=0 sum=1
	until [ $((i % 10)) = 0 ] && [ -e /tmp/enough ]; do
		i=$((i + 1))
		sum=$(((sum * 31 + i) % 1000000007))
		[ $((i % 10)) != 0 ] || { echo "step $i"; sleep 0.2; }
	done
	echo $i $sum >/tmp/sum
}
# centiseconds since the boot: how often it has gone back, and how often by more than
# ten seconds at once
watch() {
	last=0 back=0 jumps=0
	while [ ! -e /tmp/enough ]; do
		read -r up rest </proc/uptime
		up=${up%.*}${up#*.}
		# With zeros in front it would be octal.
		up=${up#0}
		up=${up#0}
		[ "$up" -ge $last ] || back=$((back + 1))
		[ $last = 0 ] || [ $((up - last)) -le 1000 ] || jumps=$((jumps + 1))
		last=$up
		sleep 0.1
	done
	echo "$back $jumps" >/tmp/clock
}
work &
watch &
echo "source: $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
echo ready
until read -r line && [ "$line" = enough ]; do :; done
touch /tmp/enough
wait
echo "sums: $(cat /tmp/sum)"
echo "clock: $(cat /tmp/clock)"
dmesg
echo "complaints: $(dmesg | grep -cE 'BUG:|WARNING: CPU|Oops|Call Trace|unstable|stall|lockup')"
