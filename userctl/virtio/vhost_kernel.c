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

static int call(const struct vhost_kernel *kernel, unsigned long request,
		void *argument)
{
	return ioctl(kernel->fd, request, argument) ? -errno : 0;
}

static int set_memory(const struct vhost_kernel *kernel)
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
	return call(kernel, VHOST_SET_MEM_TABLE, &memory);
}

static int begin(void *back, uint64_t features, const struct ram *ram,
		 int64_t end)
{
	struct vhost_kernel *kernel = back;
	int err = call(kernel, VHOST_SET_FEATURES, &features);

	(void)end;
	kernel->ram = ram;
	return err ? err : set_memory(kernel);
}

/* The rings were found to be in RAM when the driver enabled the queue. */
static int set_address(const struct vhost_kernel *kernel, unsigned int queue,
		       const struct vhost_ring *ring)
{
	struct vhost_vring_addr address = {
		.index = queue,
		.desc_user_addr = (uintptr_t)ram_at(kernel->ram, ring->desc, 1),
		.avail_user_addr =
			(uintptr_t)ram_at(kernel->ram, ring->avail, 1),
		.used_user_addr = (uintptr_t)ram_at(kernel->ram, ring->used, 1),
	};

	return call(kernel, VHOST_SET_VRING_ADDR, &address);
}

static int start(void *back, unsigned int queue, const struct vhost_ring *ring,
		 int64_t end)
{
	const struct vhost_kernel *kernel = back;
	struct vhost_vring_state size = { .index = queue, .num = ring->size };
	struct vhost_vring_state base = { .index = queue, .num = ring->next };
	struct vhost_vring_file kick = { .index = queue, .fd = ring->kick };
	struct vhost_vring_file signal = { .index = queue, .fd = ring->call };
	int err = call(kernel, VHOST_SET_VRING_NUM, &size);

	(void)end;
	if (!err)
		err = call(kernel, VHOST_SET_VRING_BASE, &base);
	if (!err)
		err = set_address(kernel, queue, ring);
	if (!err)
		err = call(kernel, VHOST_SET_VRING_CALL, &signal);
	return err ? err : call(kernel, VHOST_SET_VRING_KICK, &kick);
}

/* Without eventfds it neither polls nor interrupts any more. */
static int stop(void *back, unsigned int queue, uint16_t *next, int64_t end)
{
	const struct vhost_kernel *kernel = back;
	struct vhost_vring_state base = { .index = queue };
	struct vhost_vring_file none = { .index = queue,
					 .fd = VHOST_FILE_UNBIND };
	int err = call(kernel, VHOST_SET_VRING_KICK, &none);

	(void)end;
	if (!err)
		err = call(kernel, VHOST_GET_VRING_BASE, &base);
	if (!err)
		err = call(kernel, VHOST_SET_VRING_CALL, &none);
	*next = base.num;
	return err;
}

static int run(void *back, bool run)
{
	struct vhost_kernel *kernel = back;

	return kernel->run(kernel, run);
}

static void give_up(void *back)
{
	struct vhost_kernel *kernel = back;

	kernel->run(kernel, false);
}

static const struct vhost_kind kernel_kind = {
	.begin = begin,
	.start = start,
	.stop = stop,
	.run = run,
	.close = give_up,
};

int vhost_kernel_open(struct vhost_kernel *kernel, const char *path,
		      uint64_t *features)
{
	int err;

	kernel->fd = open(path, O_RDWR | O_CLOEXEC);
	if (kernel->fd < 0)
		return -errno;
	err = call(kernel, VHOST_SET_OWNER, NULL);
	return err ? err : call(kernel, VHOST_GET_FEATURES, features);
}

void vhost_kernel_close(struct vhost_kernel *kernel)
{
	if (kernel->fd >= 0)
		close(kernel->fd);
	kernel->fd = -1;
}

void vhost_kernel_attach(struct vhost_kernel *kernel, struct vhost *vhost)
{
	vhost->kind = &kernel_kind;
	vhost->back = kernel;
}
