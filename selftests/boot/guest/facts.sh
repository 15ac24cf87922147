# SPDX-License-Identifier: GPL-2.0
# The facts that a Linux guest finds, a line `NAME: VALUE` each; the last one
# is `facts: told`.
fact() { echo "$1: $2"; }
centiseconds() { sed 's/\.\([0-9]*\).*/\1/' /proc/uptime; }
# counts NAME: this interrupt's counts, a number for each processor
counts() { sed -n "s/^ *$1: *\([0-9 ]*[0-9]\).*/\1/p" /proc/interrupts; }
# addresses PATTERN: what the kernel keeps for that
addresses() { sed -nE "s/^ *([0-9a-f-]+) : ($1)\$/\1/p" /proc/iomem | xargs; }

fact release "$(uname -r)"
fact processors "$(grep -c '^processor' /proc/cpuinfo)"
fact clocksource \
	"$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
fact apic "$(dmesg | grep -o 'x2apic enabled')"
fact pci-bridge "$(cat /sys/bus/pci/devices/0000:00:00.0/class)"
fact pci-config "$(addresses 'PCI (MMCONFIG|ECAM) 0000 .bus 00-00.')"
fact pci-memory "$(addresses 'PCI Bus 0000:00')"

# Prints the processor of a shell that may run on one only.
ran=
for cpu in $(sed -n 's/^processor.*: //p' /proc/cpuinfo); do
	ran="$ran $(taskset -c "$cpu" awk '{ print $39 }' /proc/self/stat)"
done
fact ran-on "${ran# }"

# The date within the uptime, however long it takes to read them.
up=$(centiseconds) date=$(date +%s)
sleep 2
fact date-advanced $(($(date +%s) - date))
fact slept $(($(centiseconds) - up))
fact date "$(date +%s)"
fact timer-interrupts "$(counts LOC)"
fact function-calls "$(counts CAL)"

done=0
for i in $(seq 100); do
	(exit "$i")
	[ $? -ne "$i" ] || done=$((done + 1))
done
fact children-in-turn $done
for i in $(seq 50); do
	(echo "$i" >"/tmp/child-$i") &
done
wait
fact children-at-once "$(cat /tmp/child-* | sort -nu | wc -l)"

# All memory but a few MiB.  Each block is a copy of the one before, with a
# number of its own behind it: what goes wrong anywhere shows in the last one.
mkdir /tmp/memory
mount -t tmpfs -o size=100% memory /tmp/memory
dd if=/dev/urandom of=/tmp/memory/0 bs=1M count=1 2>/dev/null
free=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
blocks=$((free / 1024 - 16))
for i in $(seq $blocks); do
	dd if=/tmp/memory/$((i - 1)) of="/tmp/memory/$i" bs=1M count=1 2>/dev/null
	echo "$i" >>"/tmp/memory/$i"
done
good=0
for i in $(seq $blocks); do
	[ "$(dd if="/tmp/memory/$i" bs=1M skip=1 2>/dev/null)" != "$i" ] ||
		good=$((good + 1))
done
fact blocks $blocks
fact good-blocks $good
fact last-block "$(head -c 1048576 "/tmp/memory/$blocks" |
	cmp - /tmp/memory/0 && echo good)"
umount /tmp/memory

complaints='BUG:|WARNING: CPU|unchecked MSR|XSAVE consistency|Oops|soft lockup'
complaints="$complaints|rcu.*stall|blocked for more than|Call Trace"
dmesg | grep -E "$complaints" | sed 's/^/complaint /'
fact complaints "$(dmesg | grep -cE "$complaints")"
fact facts told
