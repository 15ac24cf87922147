# SPDX-License-Identifier: GPL-2.0
# What a Linux guest does with two directories of the host's: it copies the tree `in` of the
# one to `out`, and tries to change the other, which is read-only.  A line `NAME: VALUE` each.
fact() { echo "$1: $2"; }
status() { "$@" >/dev/null 2>&1; echo $?; }

sh /scripts/virtio
mkdir /work /fixed
fact mount-work "$(status mount -t virtiofs share0 /work)"
fact mount-fixed "$(status mount -t virtiofs fixed /fixed)"
fact mount-other "$(status mount -t virtiofs other /fixed)"
fact read "$(cat /fixed/file)"

# By way of the guest's memory, so that all is read before it is written.
cp -a /work/in /tmp/tree
fact copy "$(status cp -a /tmp/tree /work/out)"
fact files "$(find /work/out -type f | wc -l)"
fact link "$(readlink /work/out/link)"
fact moved "$(status mv /work/out/a/1 /work/out/b/moved)"
fact removed "$(status rm /work/out/a/2)"

fact fixed-new "$(status touch /fixed/new)"
fact fixed-write "$(status dd if=/dev/zero of=/fixed/file bs=1 count=1 conv=notrunc)"
fact fixed-mode "$(status chmod 777 /fixed/file)"
fact fixed-remove "$(status rm -f /fixed/file)"
fact above "$(ls -d /work/../../.. /work/.. | tr '\n' ' ')"
sync
fact told yes
