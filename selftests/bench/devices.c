// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what a request of a virtio device costs, with Lodge, and with QEMU's q35 machine
 * on KVM: the same kernel, drivers, program in the guest, disk and network.  Then, what
 * memory the two machines take beside the guest's own.
 *
 *	devices
 *
 * The disk is a block device of the host's, all of it in the host's page cache; both ask
 * it by io_uring.  The network is a TAP interface, to a program of the host's; the second
 * one is carried by the host's kernel (vhost-net) for both.
 *
 * The count is of all that the processor does for a request: in the guest, the hypervisor,
 * the controller and the host, but for idle time.  What the guest is asked by its serial
 * port costs as much again, so a batch of no requests is counted, too, and taken off.
 *
 * Prints TAP, and behind it the table (see table.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "controller.h"
#include "linux/requests.h"
#include "peer.h"
#include "table.h"
#include "watch.h"

#define SAMPLES 5
#define MAX_LINE 64

/* The host's RAM disk; it has its swap there until then. */
#define DISK "/dev/ram0"

#define IMAGE "vmlinuz-6.1"
#define INITRD "requests.cpio"
#define MEMORY "256M"
#define MEMORY_BYTES ((size_t)256 << 20)
#define APPEND "console=ttyS0 quiet panic=-1 ipv6.disable=1 run=requests"

#define CARDS 2
static const char *const interfaces[CARDS] = { "bench0", "bench1" };

#define LOAD                                                         \
	"while read -r module; do "                                  \
	"[ -d /sys/module/$module ] || insmod /modules/$module.ko; " \
	"done </modules/network.order; "                             \
	"echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6"

#define QEMU_TAP(n, vhost)                                                 \
	"-netdev", "tap,id=net" #n ",ifname=bench" #n ",script=no," vhost, \
		"-device", "virtio-net-pci,netdev=net" #n ",romfile="

static const char *const qemu[] = {
	"qemu-system-x86_64",
	"-machine",
	"q35,accel=kvm,smm=off",
	"-cpu",
	"host",
	"-smp",
	"1",
	"-m",
	MEMORY,
	"-nodefaults",
	"-no-user-config",
	"-no-reboot",
	"-display",
	"none",
	"-vga",
	"none",
	"-serial",
	"stdio",
	"-kernel",
	IMAGE,
	"-initrd",
	INITRD,
	"-append",
	APPEND,
	"-drive",
	"if=none,id=disk,format=raw,aio=io_uring,file=" DISK,
	"-device",
	"virtio-blk-pci,drive=disk,num-queues=1",
	QEMU_TAP(0, "vhost=off"),
	QEMU_TAP(1, "vhost=on"),
	NULL,
};

static const char *const lodge[] = {
	"lodge",
	"run",
	"--cpus",
	"1",
	"--memory",
	MEMORY,
	"--no-reboot",
	"--kernel",
	IMAGE,
	"--initrd",
	INITRD,
	"--append",
	APPEND,
	"--disk",
	DISK,
	"--net",
	"tap,ifname=bench0,vhost=off",
	"--net",
	"tap,ifname=bench1,vhost=on",
	NULL,
};

static const char *const *const controllers[NR_HYPERVISORS] = {
	[KVM] = qemu,
	[LODGE] = lodge,
};

/**
 * struct batch - requests that are counted together
 * @number: of them
 * @kind: as requests.h names it, with the card's number
 * @row: of the table
 */
struct batch {
	unsigned int number;
	const char *kind;
	struct row row;
};

#define BATCH(n, k, short_name, text)       \
	{                                   \
		.number = n, .kind = k,     \
		.row = {                    \
			.name = short_name, \
			.title = text,      \
			.goal = 0.8,        \
		},                          \
	}

static struct batch batches[] = {
	BATCH(100, REQUESTS_RANDOM, "disk-random",
	      "disk: 4 KiB read at random"),
	BATCH(20, REQUESTS_SEQUENTIAL, "disk-sequential",
	      "disk: 128 KiB read in order"),
	BATCH(60, REQUESTS_ROUND " 0", "net-round", "network: round trip"),
	BATCH(20, REQUESTS_SEND " 0", "net-send", "network: 64 KiB sent"),
	BATCH(20, REQUESTS_RECEIVE " 0", "net-receive",
	      "network: 64 KiB received"),
	BATCH(60, REQUESTS_ROUND " 1", "vhost-round", "vhost-net: round trip"),
	BATCH(20, REQUESTS_SEND " 1", "vhost-send", "vhost-net: 64 KiB sent"),
	BATCH(20, REQUESTS_RECEIVE " 1", "vhost-receive",
	      "vhost-net: 64 KiB received"),
};

#define NR_BATCHES (sizeof(batches) / sizeof(batches[0]))

/* Behind the batches. */
enum { ROW_OWN = NR_BATCHES, ROW_KERNEL, NR_ROWS };

static struct row rows[NR_ROWS] = {
	[ROW_OWN] = { .name = "memory-own",
		      .title = "KiB of the controller",
		      .unit = "KiB",
		      .most = 4096 },
	[ROW_KERNEL] = { .name = "memory-kernel",
			 .title = "KiB of the host's kernel",
			 .unit = "KiB" },
};

static struct watch watch;
static struct controller controller;

/* Keeps the disk's pages in the cache.  Return: 0 or -errno. */
static int prepare_disk(void)
{
	static char bytes[1 << 16];
	ssize_t size;
	int fd;

	swapoff(DISK);
	fd = open(DISK, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((size = read(fd, bytes, sizeof(bytes))) > 0)
		;
	return size < 0 ? -errno : 0;
}

/* Return: 0 or -errno. */
static int prepare(void)
{
	int error = prepare_disk();

	if (!error && system(LOAD))
		error = -ENODEV;
	if (!error)
		error = peer_start();
	return error ? error : watch_start(&watch, NULL);
}

/* Return: 0 or -errno. */
static int ask(unsigned int number, const char *kind, uint64_t *ticks)
{
	const uint64_t begin = watch_busy(&watch);
	char line[MAX_LINE];
	int error;

	snprintf(line, sizeof(line), "%u %s\n", number, kind);
	error = controller_ask(&controller, line, REQUESTS_DONE);
	*ticks = watch_busy(&watch) - begin;
	return error;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void summarize(uint64_t samples[SAMPLES], struct cost *cost)
{
	uint64_t sum = 0;

	qsort(samples, SAMPLES, sizeof(samples[0]), compare);
	for (int i = 0; i < SAMPLES; i++)
		sum += samples[i];
	cost->min = samples[0];
	cost->median = samples[SAMPLES / 2];
	cost->mean = sum / SAMPLES;
}

/* Return: 0 or -errno. */
static int count(const struct batch *batch, struct cost *cost)
{
	uint64_t samples[SAMPLES], none, all;
	/* The first ones find addresses, and fill caches. */
	int error = ask(batch->number, batch->kind, &all);

	for (int i = 0; i < SAMPLES && !error; i++) {
		error = ask(0, batch->kind, &none);
		if (!error)
			error = ask(batch->number, batch->kind, &all);
		samples[i] = all > none ? (all - none) / batch->number : 0;
	}
	if (error)
		return error;
	summarize(samples, cost);
	printf("# %s: %" PRIu64 "\n", batch->row.title, cost->median);
	return 0;
}

static void set_cost(struct row *row, int hypervisor, uint64_t value)
{
	row->cost[hypervisor] =
		(struct cost){ .min = value, .median = value, .mean = value };
}

/* Return: 0 or -errno. */
static int count_all(int hypervisor)
{
	struct footprint footprint;
	int error = controller_ask(&controller, NULL, REQUESTS_READY);

	if (!error)
		printf("# %s: the guest is ready\n",
		       controllers[hypervisor][0]);
	for (unsigned int i = 0; i < CARDS && !error; i++)
		error = peer_connect(interfaces[i], i);
	for (size_t i = 0; i < NR_BATCHES && !error; i++)
		error = count(&batches[i], &batches[i].row.cost[hypervisor]);
	if (!error)
		error = controller_measure(MEMORY_BYTES, &footprint);
	if (error)
		return error;
	set_cost(&rows[ROW_OWN], hypervisor, footprint.own);
	set_cost(&rows[ROW_KERNEL], hypervisor, footprint.kernel);
	return 0;
}

/* Return: 0 or -errno. */
static int measure(int hypervisor)
{
	int error = controller_start(&controller, controllers[hypervisor]);

	if (error)
		return error;
	error = count_all(hypervisor);
	controller_stop(&controller);
	return error;
}

int main(void)
{
	int error;

	/* It takes long: each line is to be seen when it is there. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..1\n");
	error = prepare();
	if (error)
		controller_explain(&controller, "the host", error);
	for (int i = 0; i < NR_HYPERVISORS && !error; i++) {
		error = measure(i);
		if (error)
			controller_explain(&controller, controllers[i][0],
					   error);
	}
	printf("%s 1 - a guest's requests are served\n",
	       error ? "not ok" : "ok");
	if (error)
		return EXIT_FAILURE;
	for (size_t i = 0; i < NR_BATCHES; i++)
		rows[i] = batches[i].row;
	table_print(rows, NR_ROWS);
	return EXIT_SUCCESS;
}
