#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Judges VMCSs by module/vmx/check.c and has the processor judge them too (see
# oracle.h).  The processor must be free of Lodge meanwhile.
report=/sys/kernel/debug/lodge_oracle/report

bail() { echo "1..1"; echo "not ok 1 - $1"; }

rmmod lodge || { bail "Lodge does not leave the processor"; exit 1; }
if insmod "${0%/*}/lodge_oracle.ko"; then
	cat $report
	rmmod lodge_oracle
else
	bail "the oracle does not load"
fi
# shellcheck disable=SC2086
insmod "$LODGE_MODULE" $LODGE_PARAMETERS
