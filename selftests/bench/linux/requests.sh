# SPDX-License-Identifier: GPL-2.0
# Makes the requests of bench/devices: see requests.c.  Card N has the address 10.77.N.2, and
# its peer, the host, 10.77.N.1.
sh /scripts/virtio
for card in 0 1; do
	ip addr add "10.77.$card.2/24" dev "eth$card"
	ip link set "eth$card" up
done
# A byte is what it says, and nothing comes back that was not asked for.
stty -F /dev/ttyS0 raw -echo
exec /bin/requests </dev/ttyS0 >/dev/ttyS0
