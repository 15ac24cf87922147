#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# `lodge doctor` on a host that can run virtual machines, on one where
# the module is not loaded, and of one where the user may not use it.
out=$(mktemp)
. "${0%/*}/../lib/checks.sh"
trap 'rm -f "$out"' EXIT

# doctor STATUS OPTION...: it ends with STATUS
doctor() {
	wanted=$1
	shift
	"$LODGE" doctor "$@" >"$out" 2>&1
	[ $? -eq "$wanted" ]
}

# doctor_as_nobody STATUS: as a user outside of the group
doctor_as_nobody() {
	chmod 660 /dev/lodge
	su -s /bin/sh nobody -c "$LODGE doctor" >"$out" 2>&1
	[ $? -eq "$1" ]
}

echo 1..14
check "a host that can run virtual machines ends in success" doctor 0
check "a virtual machine has run for it" says '^ok *trial'
check "so it does with --json" doctor 0 --json
check "the answer is one object that says so" says '^{"ready": true, .*}$'
check "a user outside of the group ends in failure" doctor_as_nobody 1
check "the group to join is named" says 'group lodge'
groups=$(cat /etc/group 2>/dev/null)
echo 'lodge:x:200:' >>/etc/group
check "so it does where the device is not the group's" doctor_as_nobody 1
check "udev is named" says 'udevadm trigger'
chgrp 200 /dev/lodge
check "so it does where it is" doctor_as_nobody 1
check "the way into the group is named" says 'adduser nobody lodge'
echo "$groups" >/etc/group
rmmod lodge
check "a host without the module ends in failure" doctor 1
check "the remedy is named" says 'modprobe lodge'
check "so it does with --json" doctor 1 --json
check "the answer says that it is not ready" says '^{"ready": false, .*}$'
# shellcheck disable=SC2086
insmod "$LODGE_MODULE" $LODGE_PARAMETERS
