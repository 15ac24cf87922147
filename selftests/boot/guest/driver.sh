# SPDX-License-Identifier: GPL-2.0
# Loads a driver that a fuzzer is to find a fault in, and writes inputs to it; it ends only
# without a fuzzer.
insmod /bin/lodge_channel.ko && exec /bin/drive /dev/lodge-channel
