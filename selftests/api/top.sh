#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# `lodge top` and `lodge stat --serve` on a host with VMs, and without the module.
work=$(mktemp -d)
out=$work/out
. "${0%/*}/../lib/checks.sh"
server=
guests=

leave() {
	for process in $server $guests; do
		kill -9 "$process" 2>/dev/null
	done
	rm -rf "$work"
}
trap leave EXIT

explain() { head -n 40 "$out"; }

# top STATUS OPTION...: it ends with STATUS
top() {
	wanted=$1
	shift
	"$LODGE" top --batch "$@" >"$out" 2>&1 </dev/null
	[ $? -eq "$wanted" ]
}

# start NAME: a guest that writes to a port for ever
start() {
	"$LODGE" run --name "$1" --kernel "$work/writer" --flat 0x7c00 \
		--memory 4M --serial none </dev/null >/dev/null 2>&1 &
	guests="$guests $!"
	until "$LODGE" stat "$1" 2>/dev/null | grep -q '^ *io  *[1-9]'; do
		kill -0 $! || return 1
	done
}

stop() {
	for process in $guests; do
		kill "$process"
		wait "$process"
	done
	guests=
}

as_nobody() {
	su -s /bin/sh nobody -c "$LODGE top --batch --iterations 1" >"$out" 2>&1
}

# serve: starts the server and waits for its address
serve() {
	"$LODGE" stat --serve 127.0.0.1:0 >"$work/served" 2>&1 </dev/null &
	server=$!
	until grep -q 'serving statistics' "$work/served"; do
		kill -0 $server || return 1
	done
	url=$(sed -n 's/.*serving statistics at //p' "$work/served")
}

fetch() { wget -qO "$out" "$url" 2>&1; }

end_server() {
	kill $server
	wait $server
	status=$?
	server=
	[ $status -eq 143 ]
}

# 1: out %al,$0x80; jmp 1b
printf '\346\200\353\374' >"$work/writer"

echo 1..19
check "without VMs it says so" top 0 --iterations 1
check "there are none of them" says '^ no VMs'
check "a VM starts" start web
check "so does a second one" start batch
check "both are shown" top 0 --iterations 2 --delay 0.5 --sort exits
check "one has its user, vCPU and state" says '^ *[0-9]*  *[a-z0-9]*  *web  *[RT]  *1 '
check "so has the other one" says '^ *[0-9]*  *[a-z0-9]*  *batch  *[RT]  *1 '
check "the exits are those of the guests" says 'exits a second: io [1-9]'
check "a filter leaves one" top 0 --iterations 1 --filter WEB
check "the other one is not shown" says_not batch
check "another user sees no VM" as_nobody
check "it is told of none" says ' 0 VMs, 0 vCPUs'
check "the statistics are served" serve
check "they are fetched" fetch
check "they have the guest's exits" says \
	'^lodge_vcpu_exits_total{vm="[0-9]*",name="web",user="[a-z0-9]*",vcpu="0",reason="io"} [1-9]'
stop
rmmod lodge
check "without the module there is a page, too" fetch
check "which says that it is not there" says '^lodge_up 0'
check "a signal ends the server" end_server
check "top names the remedy" top 69
# shellcheck disable=SC2086
insmod "$LODGE_MODULE" $LODGE_PARAMETERS
