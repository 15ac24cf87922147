#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a tester has guests do: a disk is written and verified, files and shells go over
# the network, a tree of sources is built in a shared directory; and a controller is
# killed while its guest writes.  The programs, the kernel and the guest's root are those of
# the disk with Debian, LODGE_DISK of the environment.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
debian=$dir/debian # the guest's root: nothing else is mounted below it
tools=$dir/tools # the same, where its programs run beside the guest
here=10.9.0.1 there=10.9.0.2
disk=$dir/disk
server='' web='' controller=''
leave() {
	# shellcheck disable=SC2086
	kill $server $web $controller 2>/dev/null
	wait
	umount "$tools/proc" "$tools/dev" "$tools/tmp" "$tools" "$debian" 2>/dev/null
	rm -rf "$dir"
}

if [ -z "$LODGE_DISK" ]; then
	echo 1..1
	echo 'ok 1 # SKIP this host has no disk with Debian'
	exit 0
fi
echo 1..12

tool() { timeout "$PATIENCE" chroot "$tools" "$@"; }
# guest SCRIPT OPTION...: a guest that runs it
guest() {
	script=$1
	shift
	timeout "$PATIENCE" "$LODGE" run --kernel "$debian/vmlinuz" --memory 384M \
		--root "$debian" --disk "$disk" "$@" -- sh -c "$script"
}
told() { grep -qx "$1" "$dir/told"; }
explain() { tail -n 20 "$dir/told" "$dir/errors"; }

# sources DIR: twelve files in C, and what makes a program of them
sources() {
	mkdir -p "$1"
	{
		echo 'int main(void) { return 0'
		for i in $(seq 12); do
			echo "int part$i(int x) { return x * $i; }" >"$1/part$i.c"
			echo " + part$i(0)"
		done
		echo '; }'
	} >"$1/main.c"
	# shellcheck disable=SC2016
	printf 'objects := $(patsubst %%.c,%%.o,$(wildcard *.c))\nall: $(sort $(objects))\n\t%s\n%%.o: %%.c\n\t%s\n' \
		'tcc -o all $(sort $(objects))' 'tcc -w -c -o $@ $<' >"$1/Makefile"
}

trap leave EXIT
mkdir "$debian" "$tools" "$dir/shared" "$dir/www"
for place in "$debian" "$tools"; do
	mount -t ext4 -o ro "${LODGE_DISK}1" "$place" || {
		echo 'Bail out! the disk cannot be mounted'
		exit 1
	}
done
mount -t tmpfs tmpfs "$tools/tmp"
mount -o bind /dev "$tools/dev"
mount -t proc proc "$tools/proc"
sources "$dir/shared/tree"
cp -r "$dir/shared/tree" "$tools/tmp/tree"
head -c 4000001 /dev/urandom >"$dir/www/file"
truncate -s 32M "$disk"
tool ssh-keygen -q -t ed25519 -N '' -f /tmp/key

# In the guest: each line that it tells is a word and an exit status.
# shellcheck disable=SC2016
work='
tell() { word=$1; shift; "$@" >/tmp/log 2>&1; code=$?; echo "$word $code"; [ $code = 0 ] || cat /tmp/log; }
busybox ip link set lo up
busybox ip link set eth0 up
busybox ip addr add '$there'/24 dev eth0
mkdir -p /run/sshd /root/.ssh
echo "$KEY" >/root/.ssh/authorized_keys
tell keys ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
tell sshd /usr/sbin/sshd
tell fio fio --name=verify --filename=/dev/vda --direct=1 --ioengine=libaio --iodepth=8 \
	--rw=randwrite --bs=4k --size=8m --verify=crc32c --verify_fatal=1
tell up iperf3 -c '$here' -n 4M
tell down iperf3 -c '$here' -n 4M -R
busybox wget -q -O - http://'$here'/file | md5sum
tell mount mount -t virtiofs tree /mnt
cp -r /mnt/tree /root/tree
tell make make -s -C /root/tree
cp -r /root/tree /mnt/built
touch /tmp/ready
busybox timeout 600 sh -c "until [ -e /tmp/done ]; do sleep 1; done"
'
KEY=$(cat "$tools/tmp/key.pub") guest "$work" --cpus 2 --net tap,ifname=lodge0 \
	--share "$dir/shared:tree" </dev/null >"$dir/told" 2>"$dir/errors" &
controller=$!
soon ip link show lodge0 >/dev/null 2>&1
ip addr add $here/24 dev lodge0
ip link set lodge0 up
chroot "$tools" iperf3 -s >"$dir/iperf" 2>&1 &
server=$!
httpd -f -p $here:80 -h "$dir/www" &
web=$!

check "a disk that is written at random is verified" soon told 'fio 0'
check "a stream of data goes out" soon told 'up 0'
check "and one comes in" soon told 'down 0'
check "a file is loaded by HTTP as it is" \
	soon told "$(md5sum <"$dir/www/file" | cut -d' ' -f1)  -"
check "a tree of sources is built" soon told 'make 0'
shell() {
	tool ssh -q -i /tmp/key -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null root@$there "$@"
}
check "a shell is reached by SSH" soon shell test -e /tmp/ready </dev/null
head -c 500001 "$dir/www/file" >"$dir/part"
goes_and_comes() { shell cat <"$dir/part" | cmp - "$dir/part"; }
check "what is sent there comes back" goes_and_comes
shell touch /tmp/done </dev/null
ends() { wait "$controller"; }
check "the guest ends" ends
controller=''
check "the same is built beside it" tool make -s -C /tmp/tree
check "file by file" diff -r "$tools/tmp/tree" "$dir/shared/built"

# Each block that was flushed is told.
# shellcheck disable=SC2016
write='n=0
while :; do
	n=$((n + 1))
	printf "%011d\n" $n | dd of=/dev/vda bs=512 seek=$n conv=sync,fsync status=none
	echo $n
done'
truncate -s 0 "$disk"
truncate -s 32M "$disk"
guest "$write" </dev/null >"$dir/told" 2>"$dir/errors" &
controller=$!
has_written() { [ "$(wc -l <"$dir/told")" -gt "$1" ]; }
check "blocks are written" soon has_written 20
killed=$("$LODGE" ps --json | sed -nE 's/.*"pid": ([0-9]+).*/\1/p')
kill -KILL "$killed"
ends
controller=''
# is_there: each block that was told of
is_there() {
	for n in $(cat "$dir/told"); do
		[ "$(dd if="$disk" bs=512 skip="$n" count=1 2>/dev/null |
			head -c 11)" = "$(printf %011d "$n")" ] || return 1
	done
}
check "none is lost when the controller is killed" is_there
