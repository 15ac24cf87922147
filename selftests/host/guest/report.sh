# SPDX-License-Identifier: GPL-2.0
# Shows the machine from inside.
uname -a
grep -m 1 'model name' /proc/cpuinfo
grep -c '^processor' /proc/cpuinfo
free -m
