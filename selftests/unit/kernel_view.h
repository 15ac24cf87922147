/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel that module/registry.c and module/news.c use, for user space.
 * Included after kernel.h.
 */
#ifndef LODGE_UNIT_KERNEL_VIEW_H
#define LODGE_UNIT_KERNEL_VIEW_H

#include <limits.h>
#include <stdio.h>

#include "kernel.h"

/* Both are counted; a test compares the counts. */
struct user_namespace {
	int users;
	struct user_namespace *parent;
	kuid_t owner;
	/* The number that its superuser has for the host; ~0: it has none. */
	u32 first;
};

/* That of the host. */
extern struct user_namespace init_user_ns;

struct pid_namespace {
	int users;
	struct pid_namespace *parent;
};

struct pid {
	int users;
};

struct task_struct {
	u32 uid;
	struct user_namespace *user_ns;
	struct pid_namespace *pid_ns;
	struct pid *pid;
};

/* The thread, whose members a test chooses. */
extern struct task_struct kernel_thread;

#define current (&kernel_thread)
#define current_uid() ((kuid_t){ kernel_thread.uid })
#define current_user_ns() (kernel_thread.user_ns)
#define task_active_pid_ns(task) ((task)->pid_ns)
#define task_tgid(task) ((task)->pid)
#define ktime_get_boottime_ns() 1000
#define ktime_get_real_ns() 2000

static inline struct user_namespace *get_user_ns(struct user_namespace *ns)
{
	ns->users++;
	return ns;
}

static inline void put_user_ns(struct user_namespace *ns)
{
	if (ns)
		ns->users--;
}

static inline kuid_t make_kuid(const struct user_namespace *ns, u32 uid)
{
	return ns->first == ~0U ? INVALID_UID : (kuid_t){ ns->first + uid };
}

static inline void get_pid_ns(struct pid_namespace *ns)
{
	ns->users++;
}

static inline void put_pid_ns(struct pid_namespace *ns)
{
	ns->users--;
}

static inline struct pid *get_pid(struct pid *pid)
{
	pid->users++;
	return pid;
}

static inline void put_pid(struct pid *pid)
{
	if (pid)
		pid->users--;
}

#define lockdep_assert_held(lock)    \
	do {                         \
		if (!*(int *)(lock)) \
			abort();     \
	} while (0)

/* Locks that are held. */
__attribute__((weak)) int kernel_locks;

static inline void kernel_lock(int *lock)
{
	if ((*lock)++)
		abort();
	kernel_locks++;
}

static inline void kernel_unlock(int *lock)
{
	if (--(*lock))
		abort();
	kernel_locks--;
}

#define spin_lock(lock) kernel_lock(lock)
#define spin_unlock(lock) kernel_unlock(lock)
#define DEFINE_SPINLOCK(name) spinlock_t name
#define spin_lock_irqsave(lock, flags) ((flags) = 0, kernel_lock(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), kernel_unlock(lock))

#define ATOMIC_INIT(value) \
	{                  \
		value      \
	}
#define atomic_add_return_release(change, atomic) \
	((atomic)->counter += (change))
#define atomic_read_acquire(atomic) ((atomic)->counter)

/* IDs from 1 on; the one after the last that there is, is 1 again. */
#define KERNEL_IDS 8

struct idr {
	bool used[KERNEL_IDS + 1];
	void *entry[KERNEL_IDS + 1];
	int last;
};

#define DEFINE_IDR(name) struct idr name

#undef GFP_KERNEL_ACCOUNT
#define GFP_KERNEL_ACCOUNT 1
#define GFP_KERNEL 0
#define GFP_NOWAIT 2

/* Waits for memory, which nobody does under a lock. */
static inline void idr_preload(int flags)
{
	if (flags != GFP_KERNEL || kernel_locks)
		abort();
}

#define idr_preload_end() ((void)0)

/* Called under a lock for which every VM waits. */
static inline int idr_alloc_cyclic(struct idr *idr, void *entry, int start,
				   int end, int flags)
{
	if (flags != GFP_NOWAIT)
		abort();
	for (int i = 0; i < KERNEL_IDS; i++) {
		idr->last = idr->last % KERNEL_IDS + 1;
		if (!idr->used[idr->last]) {
			idr->used[idr->last] = true;
			idr->entry[idr->last] = entry;
			return idr->last;
		}
	}
	return -ENOSPC;
}

static inline void idr_replace(struct idr *idr, void *entry, int id)
{
	idr->entry[id] = entry;
}

static inline void idr_remove(struct idr *idr, int id)
{
	idr->used[id] = false;
	idr->entry[id] = NULL;
}

static inline void *idr_find(const struct idr *idr, unsigned long id)
{
	return id <= KERNEL_IDS ? idr->entry[id] : NULL;
}

static inline void *idr_get_next(const struct idr *idr, int *id)
{
	for (; *id <= KERNEL_IDS; (*id)++)
		if (idr->entry[*id])
			return idr->entry[*id];
	return NULL;
}

#define idr_for_each_entry(idr, at, id) \
	for ((id) = 0; ((at) = idr_get_next(idr, &(id))); (id)++)

/* As the kernel's: Latin-1 has more letters. */
#define isascii(c) (((unsigned char)(c)) <= 0x7f)
#define isalnum(c) kernel_isalnum(c)

static inline bool kernel_isalnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c >= 0xc0;
}

static inline const void *memchr_inv(const void *data, int c, size_t size)
{
	const unsigned char *at = data;

	for (; size; at++, size--)
		if (*at != c)
			return at;
	return NULL;
}

static inline void strscpy(char *to, const char *from, size_t size)
{
	snprintf(to, size, "%s", from);
}

#define __ratelimit(state) ((state)->left && (state)->left--)

#endif
