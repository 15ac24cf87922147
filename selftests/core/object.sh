#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A VM and a vCPU without a descriptor: lodge_core.ko, beside this program, makes
# them as it is loaded, runs them and ends them.  Meanwhile lodge.ko is not there: a
# kernel has one hook for crashes, and without probes they could not share it.
module=$(dirname "$0")/lodge_core.ko

echo "TAP version 13"
echo "1..3"
number=0
rmmod lodge
for text in "a VM and a vCPU without descriptors run and end" \
	"they run and end once more"; do
	number=$((number + 1))
	if insmod "$module"; then
		echo "ok $number - $text"
	else
		echo "not ok $number - $text"
	fi
	rmmod lodge_core 2>/dev/null
done
# shellcheck disable=SC2086
if insmod "$LODGE_MODULE" $LODGE_PARAMETERS && "$LODGE" doctor >/dev/null; then
	echo "ok 3 - lodge.ko can use the processor afterwards"
else
	echo "not ok 3 - lodge.ko can use the processor afterwards"
fi
