# SPDX-License-Identifier: GPL-2.0
# Loads the drivers for virtio devices, in the order of a list that comes with them.
modules=/lib/modules/$(uname -r)
while read -r driver; do
	insmod "$modules/$driver.ko" || echo "virtio: no $driver"
done <"$modules/virtio"
