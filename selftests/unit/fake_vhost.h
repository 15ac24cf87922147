/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's vhost devices, as far as a back end asks them: the calls of open(), close()
 * and ioctl() for them are taken here, and all others reach the kernel.  A ring is checked when
 * it begins to work: all of it must be known by then.  Only one file of a program may
 * include this header, because it defines open(), close() and ioctl().
 */
#ifndef LODGE_UNIT_FAKE_VHOST_H
#define LODGE_UNIT_FAKE_VHOST_H

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/virtio_ring.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FAKE_VHOSTS 16
#define FAKE_RINGS 2
#define FAKE_NO_FD -1

/**
 * struct fake_vring - a queue of a vhost device
 * @num: entries
 * @next: index of the available ring
 * @address: where it is in this process
 * @kick, @call: eventfds, or FAKE_NO_FD
 * @backend: of vhost-net: the interface, or FAKE_NO_FD
 */
struct fake_vring {
	unsigned int num;
	uint16_t next;
	struct vhost_vring_addr address;
	int kick;
	int call;
	int backend;
};

/**
 * struct fake_vhost - a vhost device
 * @fd: stands for it; FAKE_NO_FD: it is closed
 * @owned: VHOST_SET_OWNER was called
 * @features: those that were set
 * @regions: of guest memory
 * @running: of vhost-vsock
 * @rings: the queues
 */
struct fake_vhost {
	int fd;
	bool owned;
	uint64_t features;
	unsigned int regions;
	bool running;
	struct fake_vring rings[FAKE_RINGS];
};

static struct fake_vhost fake_vhosts[FAKE_VHOSTS];
static unsigned int fake_nr_vhosts;
/* What open() answers, if it is not 0: an error number. */
static int fake_vhost_absent;
static uint64_t fake_vhost_offers;
/* The call that fails with EIO, or 0. */
static unsigned long fake_vhost_fails;
/* The first device for which it does. */
static unsigned int fake_vhost_fails_from;

static inline void fake_vhost_init(uint64_t features)
{
	fake_nr_vhosts = 0;
	fake_vhost_absent = 0;
	fake_vhost_fails = 0;
	fake_vhost_fails_from = 0;
	fake_vhost_offers = features;
}

int open(const char *path, int flags, ...)
{
	struct fake_vhost *vhost = &fake_vhosts[fake_nr_vhosts];
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	if (strncmp(path, "/dev/vhost-", 11))
		return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (fake_vhost_absent || fake_nr_vhosts == FAKE_VHOSTS) {
		errno = fake_vhost_absent;
		return -1;
	}
	*vhost = (struct fake_vhost){ .fd = eventfd(0, EFD_CLOEXEC) };
	for (unsigned int i = 0; i < FAKE_RINGS; i++)
		vhost->rings[i].kick = vhost->rings[i].call =
			vhost->rings[i].backend = FAKE_NO_FD;
	fake_nr_vhosts++;
	return vhost->fd;
}

int close(int fd)
{
	for (unsigned int i = 0; i < fake_nr_vhosts; i++)
		if (fake_vhosts[i].fd == fd)
			fake_vhosts[i].fd = FAKE_NO_FD;
	return syscall(SYS_close, fd);
}

/* Return: how many are open. */
static inline unsigned int fake_vhosts_open(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < fake_nr_vhosts; i++)
		count += fake_vhosts[i].fd != FAKE_NO_FD;
	return count;
}

/* A ring must not change while it works. */
static inline bool fake_vring_works(const struct fake_vhost *vhost,
				    const struct fake_vring *ring)
{
	return vhost->running || ring->backend != FAKE_NO_FD;
}

static inline int fake_vhost_refuse(int error)
{
	errno = error;
	return -1;
}

static inline bool fake_vring_is_whole(const struct fake_vhost *vhost,
				       const struct fake_vring *ring)
{
	return vhost->owned && vhost->features && vhost->regions && ring->num &&
	       ring->address.desc_user_addr && ring->address.avail_user_addr &&
	       ring->address.used_user_addr && ring->kick != FAKE_NO_FD &&
	       ring->call != FAKE_NO_FD;
}

static inline int fake_vring_call(struct fake_vhost *vhost,
				  unsigned long request, void *argument)
{
	const unsigned int index = *(unsigned int *)argument;
	struct fake_vring *ring = &vhost->rings[index];
	struct vhost_vring_state *state = argument;
	const struct vhost_vring_file *file = argument;

	if (index >= FAKE_RINGS)
		return fake_vhost_refuse(ENOBUFS);
	switch (request) {
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_BASE:
		if (fake_vring_works(vhost, ring))
			return fake_vhost_refuse(EBUSY);
		if (request == VHOST_SET_VRING_NUM)
			ring->num = state->num;
		else
			ring->next = state->num;
		return 0;
	case VHOST_SET_VRING_ADDR:
		ring->address = *(struct vhost_vring_addr *)argument;
		return 0;
	case VHOST_SET_VRING_KICK:
		ring->kick = file->fd;
		return 0;
	case VHOST_SET_VRING_CALL:
		ring->call = file->fd;
		return 0;
	case VHOST_GET_VRING_BASE:
		state->num = ring->next;
		return 0;
	case VHOST_NET_SET_BACKEND:
		if (file->fd != FAKE_NO_FD && !fake_vring_is_whole(vhost, ring))
			return fake_vhost_refuse(EFAULT);
		ring->backend = file->fd;
		return 0;
	}
	return fake_vhost_refuse(ENOTTY);
}

static inline int fake_vhost_call(struct fake_vhost *vhost,
				  unsigned long request, void *argument)
{
	const uint64_t *features = argument;

	if (request == fake_vhost_fails &&
	    vhost >= &fake_vhosts[fake_vhost_fails_from])
		return fake_vhost_refuse(EIO);
	switch (request) {
	case VHOST_SET_OWNER:
		vhost->owned = true;
		return 0;
	case VHOST_GET_FEATURES:
		*(uint64_t *)argument = fake_vhost_offers;
		return 0;
	case VHOST_SET_FEATURES:
		if (*features & ~fake_vhost_offers)
			return fake_vhost_refuse(EOPNOTSUPP);
		vhost->features = *features;
		return 0;
	case VHOST_SET_MEM_TABLE:
		vhost->regions = ((struct vhost_memory *)argument)->nregions;
		return 0;
	case VHOST_VSOCK_SET_GUEST_CID:
		return 0;
	case VHOST_VSOCK_SET_RUNNING:
		vhost->running = *(int *)argument;
		return 0;
	}
	return fake_vring_call(vhost, request, argument);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	for (unsigned int i = 0; i < fake_nr_vhosts; i++)
		if (fake_vhosts[i].fd == fd)
			return fake_vhost_call(&fake_vhosts[i], request,
					       argument);
	return syscall(SYS_ioctl, fd, request, argument);
}

/* Takes @count chains, returns the first @done of them, and interrupts. */
static inline void fake_vring_serve(struct fake_vring *ring, unsigned int count,
				    unsigned int done)
{
	struct vring_used *used = (void *)ring->address.used_user_addr;
	const struct vring_avail *avail = (void *)ring->address.avail_user_addr;

	ring->next += count;
	for (unsigned int i = 0; i < done; i++) {
		const unsigned int at = used->idx % ring->num;

		used->ring[at] = (vring_used_elem_t){ .id = avail->ring[at] };
		used->idx++;
	}
	if (done)
		eventfd_write(ring->call, 1);
}

/* Return: true if the guest has kicked. */
static inline bool fake_vring_kicked(const struct fake_vring *ring)
{
	eventfd_t count;

	return ring->kick != FAKE_NO_FD && !eventfd_read(ring->kick, &count);
}

#endif
