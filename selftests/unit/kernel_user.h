/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel that module/user.c uses, for user space.  Included after
 * kernel.h.
 */
#ifndef LODGE_UNIT_KERNEL_USER_H
#define LODGE_UNIT_KERNEL_USER_H

#include "kernel.h"

#define KUIDT_INIT(number) ((kuid_t){ number })
#define __kuid_val(uid) ((uid).val)

#define PAGE_SHIFT 12
#define totalram_pages() (1UL << 18)

/* A user has rights to VMs by its thread, so threads are real here. */
#define DEFINE_SPINLOCK(name) struct mutex name
#define lockdep_assert_held(lock)                                       \
	do {                                                            \
		if (!__atomic_load_n(&(lock)->owner, __ATOMIC_RELAXED)) \
			abort();                                        \
	} while (0)

/* Locks that this thread holds. */
__attribute__((weak)) __thread int kernel_user_locks;

static inline void spin_lock(struct mutex *mutex)
{
	kernel_user_locks++;
	while (__atomic_exchange_n(&mutex->owner, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

static inline void spin_unlock(struct mutex *mutex)
{
	__atomic_store_n(&mutex->owner, 0, __ATOMIC_RELEASE);
	kernel_user_locks--;
}

#define smp_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, value) __atomic_store_n(p, value, __ATOMIC_RELEASE)

#define IS_ERR(pointer) ((unsigned long)(pointer) > -4096UL)
#define PTR_ERR(pointer) ((long)(pointer))
#define ERR_PTR(error) ((void *)(long)(error))

#define GFP_KERNEL 0

/* Users for whom there is memory. */
__attribute__((weak)) int kernel_users;

/* Nobody waits for memory under a lock. */
static inline void *kernel_alloc(size_t size, int flags)
{
	void *memory = kzalloc(size, flags);

	if (kernel_user_locks)
		abort();
	__atomic_fetch_add(&kernel_users, !!memory, __ATOMIC_RELAXED);
	return memory;
}

static inline void kernel_free(const void *memory)
{
	__atomic_fetch_sub(&kernel_users, !!memory, __ATOMIC_RELAXED);
	kfree(memory);
}

#define kzalloc kernel_alloc
#define kfree kernel_free

/* A tree that is not balanced. */
struct rb_node {
	struct rb_node *parent;
	struct rb_node *rb_left;
	struct rb_node *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT ((struct rb_root){ NULL })
#define rb_entry(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))
#define rb_insert_color(node, root) ((void)0)

static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **place)
{
	*node = (struct rb_node){ .parent = parent };
	*place = node;
}

/* What is right of it goes below the last one that is left of it. */
static inline void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *rest = node->rb_left ?: node->rb_right;
	struct rb_node **place = &root->rb_node, *last = node->rb_left;

	while (last && last->rb_right)
		last = last->rb_right;
	if (last && node->rb_right) {
		last->rb_right = node->rb_right;
		node->rb_right->parent = last;
	}
	if (node->parent)
		place = node->parent->rb_left == node ? &node->parent->rb_left :
							&node->parent->rb_right;
	*place = rest;
	if (rest)
		rest->parent = node->parent;
}

#define for_each_set_bit(bit, bits, size)        \
	for ((bit) = 0; (bit) < (size); (bit)++) \
		if (*(bits)&BIT(bit))

/* So often something may be told. */
#define KERNEL_TOLD 3
#define RATELIMIT_MSG_ON_RELEASE 0
#define RATELIMIT_STATE_INIT_FLAGS(name, interval, burst, flags) \
	{                                                        \
		KERNEL_TOLD                                      \
	}
/* Without its flag the kernel's log would have a line of what is not told. */
#define ratelimit_default_init(state) ((state)->left = KERNEL_TOLD + 1)
#define ratelimit_set_flags(state, flags) ((state)->left--)
#define __ratelimit(state) ((state)->left && (state)->left--)

/* A module's parameter: a test sets it by the pointer. */
#define module_param_named(name, variable, type, mode) \
	u64 *const kernel_##name = &(variable)
#define MODULE_PARM_DESC(name, text) extern u64 *const kernel_##name
extern u64 *const kernel_user_vms;
extern u64 *const kernel_user_vcpus;
extern u64 *const kernel_user_tables;
extern u64 *const kernel_user_kernel;
extern u64 *const kernel_total_vms;
extern u64 *const kernel_total_vcpus;
extern u64 *const kernel_total_tables;
extern u64 *const kernel_total_kernel;

#endif
