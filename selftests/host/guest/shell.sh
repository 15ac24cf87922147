# SPDX-License-Identifier: GPL-2.0
# An interactive shell on the console, with job control.
echo
echo "A guest of Lodge: Linux $(uname -r). 'exit' powers it off."
console=$(cat /sys/class/tty/console/active)
setsid sh -c "exec sh </dev/${console##* } >/dev/${console##* } 2>&1"
