#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# `lodge run` in a cgroup of its own, where no systemd runs.
top=/sys/fs/cgroup
# Where guests are started: the root, and later a cgroup below it.
place=$top
work=$(mktemp -d)
out=$work/said
. "${0%/*}/../lib/checks.sh"
swaps=$(sed -nE '2,$s/ .*//p' /proc/swaps)
pid=

leave() {
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	echo $$ >$top/cgroup.procs
	rmdir $top/place/shell $top/place 2>/dev/null
	for controller in cpu memory; do
		case " $at_root " in
		*" $controller "*) ;;
		*) echo -$controller >$top/cgroup.subtree_control ;;
		esac
	done
	umount $top
	rm -rf "$work"
	for swap in $swaps; do
		swapon "$swap"
	done
}

if ! mount -t cgroup2 cgroup2 $top 2>/dev/null; then
	rm -rf "$work"
	echo 1..1
	echo 'ok 1 # SKIP the kernel has no cgroups of version 2'
	exit 0
fi
at_root=$(cat $top/cgroup.subtree_control)
trap leave EXIT
for controller in cpu memory; do
	if ! grep -qw $controller $top/cgroup.controllers; then
		echo 1..1
		echo "ok 1 # SKIP the kernel has no controller $controller"
		exit 0
	fi
done

explain() {
	cat "$out"
	grep . $place/lodge-*/cgroup.* 2>/dev/null
}

# begin IMAGE OPTION...: starts a guest
begin() {
	image=$1
	shift
	"$LODGE" run --kernel "$work/$image" --flat 0x7c00:32 --memory 64M \
		--serial none --name test "$@" </dev/null >"$out" 2>&1 &
	pid=$!
	group=$place/lodge-$pid
}

# Its guest must run, too: before that a signal ends it as any process.
is_inside() {
	until grep -qx $pid "$group/cgroup.procs" 2>/dev/null &&
		"$LODGE" stat test 2>/dev/null | grep -q '^io  *[1-9]'; do
		kill -0 $pid 2>/dev/null || return 1
	done
}

has() { [ "$(cat "$group/$1")" = "$2" ]; }

# ends STATUS [SIGNAL]: it ends with STATUS
ends() {
	[ -z "$2" ] || kill "-$2" $pid
	wait $pid
	status=$?
	ended=$pid
	pid=
	[ $status -eq "$1" ]
}

is_gone() { [ ! -e "$group" ]; }
# passes_on CONTROLLERS: the guests' parent has these switched on
passes_on() { [ "$(cat $place/cgroup.subtree_control)" = "$1" ]; }

# The host has ended the process of the last guest, for the limit of its cgroup.
was_too_big() {
	dmesg | grep -q "Memory cgroup out of memory: Killed process $ended "
}

# 1: in $0x80,%al; jmp 1b: without exits it would keep an emulated host from its
# interrupts.
printf '\344\200\353\374' >"$work/loop"
# Writes to each page from 1 MiB on:
# mov $0x100000,%edi; 1: mov %al,(%edi); add $0x1000,%edi; jmp 1b
printf '\277\0\0\020\0\210\007\201\307\0\020\0\0\353\366' >"$work/touch"

echo 1..18
begin loop --cpu-weight 50 --memory-max 32M
check "a guest has a cgroup of its own" is_inside
check "its CPU weight is that of --cpu-weight" has cpu.weight 50
check "its memory limit is that of --memory-max" has memory.max 33554432
check "a signal ends the guest" ends 143 TERM
check "then the cgroup is gone" is_gone
check "no controller is left switched on" passes_on "$at_root"

# From here on this shell is not at the root.
echo '+cpu +memory' >$top/cgroup.subtree_control
place=$top/place
mkdir $place $place/shell
echo $$ >$place/shell/cgroup.procs
begin loop --cpu-weight 200
check "the cgroup is made beside the caller's" is_inside
check "what was not asked for is not switched on" [ ! -e "$group/memory.max" ]
check "a signal ends this guest, too" ends 143 TERM
check "then this cgroup is gone, too" is_gone
check "a neighbour that has no value leaves the controllers off" \
	passes_on ''
begin loop --cpu-weight 200
check "a neighbour can be given a value" is_inside
echo 50 >$place/shell/cpu.weight
check "this guest is ended as well" ends 143 TERM
check "the neighbour keeps its value" \
	[ "$(cat $place/shell/cpu.weight 2>/dev/null)" = 50 ]

for swap in $swaps; do
	swapoff "$swap"
done
begin touch --memory-max 8M
check "one that takes more memory is ended" ends 137
check "the host has ended it for its own limit" was_too_big
check "its cgroup is gone all the same" soon is_gone
check "the neighbour's controller alone is left" soon passes_on cpu
