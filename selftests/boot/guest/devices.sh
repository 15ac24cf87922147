# SPDX-License-Identifier: GPL-2.0
# Tells facts of virtio devices, one a line: NAME: VALUE.
sh /scripts/virtio
echo "rng: $(cat /sys/class/misc/hw_random/rng_current)"
echo "random-bytes: $(dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c)"
echo "random-zeroes: $(dd if=/dev/hwrng bs=64 count=4 2>/dev/null | tr -dc '\0' | wc -c)"
echo "queue-interrupts: $(grep -c 'virtio.*input' /proc/interrupts)"

mkdir /cd
mount -t iso9660 -o ro /dev/sr0 /cd
echo "cd-says: $(cat /cd/what)"
echo "cd-is-memtest: $(grep -c Memtest86 /cd/memtest.bin)"
mkdir /pmem
mount -t iso9660 -o ro /dev/pmem0 /pmem
echo "pmem-says: $(cat /pmem/what)"
echo "to the file" | dd of=/dev/pmem1 conv=fsync,notrunc 2>/dev/null
echo "generation-drivers: $(ls -d /sys/bus/*/drivers/vmgenid/LODG* | wc -l)"

# network NUMBER: has the host echo a file by a card, from each processor
network() {
	card=eth$1 host=10.77.$1.1 equal=0 tries=60
	ip link set "$card" up
	ip addr add "10.77.$1.2/24" dev "$card"
	until ping -c 1 -W 1 "$host" >/dev/null 2>&1 || [ $tries -eq 0 ]; do
		tries=$((tries - 1))
	done
	for cpu in 0 1; do
		taskset -c $cpu nc "$host" 7 </tmp/sent >/tmp/echo
		! cmp /tmp/sent /tmp/echo || equal=$((equal + 1))
	done
	echo "$card-echoes: $equal"
	echo "$card-queues: $(ls "/sys/class/net/$card/queues" | grep -c tx)"
	device=$(basename "$(readlink "/sys/class/net/$card/device")")
	for queue in 0 1; do
		grep "$device-input.$queue" /proc/interrupts |
			awk -v name="$card-interrupts-$queue" \
				'{ print name ": " $2 + $3 }'
	done
}
dd if=/dev/urandom of=/tmp/sent bs=64k count=8 2>/dev/null
network 0
network 1

echo "port-name: $(cat /sys/class/virtio-ports/vport*p1/name)"
echo "to the host" >"/dev/$(ls /sys/class/virtio-ports | grep 'p1$')"
# Open all the time: what is typed at a terminal that nobody has open is lost.
exec 3<>/dev/hvc0
# Its echo would come in the middle of what the console shows.
stty -echo <&3
echo "say something" >&3
read -r line <&3
echo "heard: $line"

given_up() { sed -n 's/^balloon_inflate //p' /proc/vmstat; }
tries=30
while [ "$(given_up)" -lt 2048 ] && [ "$tries" -gt 0 ]; do
	sleep 1
	tries=$((tries - 1))
done
echo "given-up: $(given_up)"
echo "devices: told"
