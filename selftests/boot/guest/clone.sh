# SPDX-License-Identifier: GPL-2.0
# Fills 64 MiB of memory and then answers questions of the console, a line each, by a line
# `NUMBER answer: ...` each; meanwhile it counts aloud.
sh /scripts/virtio
head -c 1048576 /dev/urandom >/tmp/piece
for i in $(seq 64); do cat /tmp/piece; done >/tmp/fill
stty -echo 2>/dev/null
count() {
	i=0
	while :; do
		i=$((i + 1))
		echo "count $i"
		sleep 1
	done
}
count &
echo ready
while read -r number what value; do
	case $what in
	sum) answer=$(sha256sum /tmp/fill | cut -c 1-16) ;;
	random) answer=$(head -c 8 /dev/urandom | sha256sum | cut -c 1-16) ;;
	moved) answer=$(cut -c 1-8 /sys/firmware/acpi/interrupts/gpe05 | tr -d ' ') ;;
	day) answer=$(cat /sys/class/rtc/rtc0/since_epoch) ;;
	write)
		printf '%-512s' "$value" | dd of=/dev/vda bs=512 oflag=direct conv=notrunc 2>/dev/null
		answer=$value
		;;
	disk) answer=$(dd if=/dev/vda bs=512 count=1 iflag=direct 2>/dev/null | tr -d ' \0') ;;
	*) answer=$what ;;
	esac
	echo "$number answer: $answer"
done
