# SPDX-License-Identifier: GPL-2.0
# What the machine looks like from inside.
uname -a
grep -m 1 'model name' /proc/cpuinfo
grep -c '^processor' /proc/cpuinfo
free -m
