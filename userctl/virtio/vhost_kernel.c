// SPDX-License-Identifier: GPL-2.0
/*
 * Back ends in the kernel.
 */
#include "virtio/vhost_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int call(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) ? -errno : 0;
}

/* Return: the vhost device that has a queue; @index: the queue's number there. */
static int device_of(const struct vhost_kernel *kernel, unsigned int queue,
		     unsigned int *index)
{
	*index = queue % kernel->queues;
	return kernel->fds[queue / kernel->queues];
}

static int set_memory(const struct vhost_kernel *kernel, int fd)
{
	struct ram_range ranges[RAM_MAX_RANGES];
	union {
		struct vhost_memory head;
		uint8_t room[sizeof(struct vhost_memory) +
			     RAM_MAX_RANGES *
				     sizeof(struct vhost_memory_region)];
	} memory = { .head = { .nregions = 0 } };
	const size_t count = ram_ranges(kernel->ram, ranges);

	memory.head.nregions = count;
	for (size_t i = 0; i < count; i++)
		memory.head.regions[i] = (struct vhost_memory_region){
			.guest_phys_addr = ranges[i].gpa,
			.memory_size = ranges[i].size,
			.userspace_addr = (uintptr_t)ranges[i].address,
		};
	return call(fd, VHOST_SET_MEM_TABLE, &memory);
}

static int begin(void *back, uint64_t features, const struct ram *ram,
		 int64_t end)
{
	struct vhost_kernel *kernel = back;
	int err = 0;

	(void)end;
	kernel->ram = ram;
	features &= kernel->features;
	for (unsigned int i = 0; i < kernel->count && !err; i++) {
		err = call(kernel->fds[i], VHOST_SET_FEATURES, &features);
		if (!err)
			err = set_memory(kernel, kernel->fds[i]);
	}
	return err;
}

/* The rings were found to be in RAM when the driver enabled the queue. */
static int set_address(const struct vhost_kernel *kernel, int fd,
		       unsigned int index, const struct vhost_ring *ring)
{
	struct vhost_vring_addr address = {
		.index = index,
		.desc_user_addr = (uintptr_t)ram_at(kernel->ram, ring->desc, 1),
		.avail_user_addr =
			(uintptr_t)ram_at(kernel->ram, ring->avail, 1),
		.used_user_addr = (uintptr_t)ram_at(kernel->ram, ring->used, 1),
	};

	return call(fd, VHOST_SET_VRING_ADDR, &address);
}

static int start(void *back, unsigned int queue, const struct vhost_ring *ring,
		 int64_t end)
{
	struct vhost_kernel *kernel = back;
	unsigned int index;
	const int fd = device_of(kernel, queue, &index);
	struct vhost_vring_state size = { .index = index, .num = ring->size };
	struct vhost_vring_state base = { .index = index, .num = ring->next };
	struct vhost_vring_file kick = { .index = index, .fd = ring->kick };
	struct vhost_vring_file signal = { .index = index, .fd = ring->call };
	int err = call(fd, VHOST_SET_VRING_NUM, &size);

	(void)end;
	if (!err)
		err = call(fd, VHOST_SET_VRING_BASE, &base);
	if (!err)
		err = set_address(kernel, fd, index, ring);
	if (!err)
		err = call(fd, VHOST_SET_VRING_CALL, &signal);
	if (!err)
		err = call(fd, VHOST_SET_VRING_KICK, &kick);
	if (!err && kernel->attach)
		err = kernel->attach(kernel, queue, true);
	return err;
}

/* Without eventfds it neither polls nor interrupts any more. */
static int stop(void *back, unsigned int queue, uint16_t *next, int64_t end)
{
	struct vhost_kernel *kernel = back;
	unsigned int index;
	const int fd = device_of(kernel, queue, &index);
	struct vhost_vring_state base = { .index = index };
	struct vhost_vring_file none = { .index = index,
					 .fd = VHOST_FILE_UNBIND };
	int err = kernel->attach ? kernel->attach(kernel, queue, false) : 0;

	(void)end;
	if (!err)
		err = call(fd, VHOST_SET_VRING_KICK, &none);
	if (!err)
		err = call(fd, VHOST_GET_VRING_BASE, &base);
	if (!err)
		err = call(fd, VHOST_SET_VRING_CALL, &none);
	*next = base.num;
	return err;
}

static int run(void *back, bool run)
{
	struct vhost_kernel *kernel = back;

	return kernel->run ? kernel->run(kernel, run) : 0;
}

/* Takes each of the steps: any of them may be what has failed. */
static void give_up_queue(struct vhost_kernel *kernel, unsigned int queue)
{
	unsigned int index;
	const int fd = device_of(kernel, queue, &index);
	struct vhost_vring_file none = { .index = index,
					 .fd = VHOST_FILE_UNBIND };

	if (kernel->attach)
		kernel->attach(kernel, queue, false);
	call(fd, VHOST_SET_VRING_KICK, &none);
	call(fd, VHOST_SET_VRING_CALL, &none);
}

static void give_up(void *back)
{
	struct vhost_kernel *kernel = back;

	run(kernel, false);
	for (unsigned int i = 0; i < kernel->count * kernel->queues; i++)
		give_up_queue(kernel, i);
}

static const struct vhost_kind kernel_kind = {
	.again = true,
	.prompt = true,
	.begin = begin,
	.start = start,
	.stop = stop,
	.run = run,
	.close = give_up,
};

static int open_one(struct vhost_kernel *kernel, const char *path)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	uint64_t features;
	int err;

	if (fd < 0)
		return -errno;
	kernel->fds[kernel->count++] = fd;
	err = call(fd, VHOST_SET_OWNER, NULL);
	if (!err)
		err = call(fd, VHOST_GET_FEATURES, &features);
	if (!err)
		kernel->features &= features;
	return err;
}

int vhost_kernel_open(struct vhost_kernel *kernel, const char *path,
		      unsigned int count)
{
	int err = 0;

	kernel->features = UINT64_MAX;
	while (!err && kernel->count < count)
		err = open_one(kernel, path);
	return err;
}

void vhost_kernel_close(struct vhost_kernel *kernel)
{
	while (kernel->count)
		close(kernel->fds[--kernel->count]);
}

void vhost_kernel_attach(struct vhost_kernel *kernel, struct vhost *vhost)
{
	vhost->kind = &kernel_kind;
	vhost->back = kernel;
}
