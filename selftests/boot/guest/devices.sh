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
echo "generation-drivers: $(ls -d /sys/bus/*/drivers/vmgenid/LODG* | wc -l)"

echo "port-name: $(cat /sys/class/virtio-ports/vport*p1/name)"
echo "to the host" >"/dev/$(ls /sys/class/virtio-ports | grep 'p1$')"
# Open all the time: what is typed at a terminal that nobody has open is lost.
exec 3<>/dev/hvc0
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
