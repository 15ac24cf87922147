/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table of ioctls: each row names the call, the lock it needs and what carries
 * it out; structures of any caller's size are taken and given back in one place.
 */
#ifndef LODGE_IOCTL_H
#define LODGE_IOCTL_H

#include <linux/mutex.h>
#include <linux/stddef.h>
#include <linux/types.h>

/* The largest argument of any call. */
#define LODGE_IOCTL_MAX 1024

/* The lock that is held while a call is carried out. */
enum lodge_lock {
	LODGE_LOCK_NONE,
	LODGE_LOCK_VM,
	LODGE_LOCK_VCPU,
	LODGE_NR_LOCKS,
};

/* Give the structure back with -ENOSPC too: it says how much room is needed. */
#define LODGE_CALL_TELLS_SIZE 1

/**
 * struct lodge_call - one ioctl
 * @cmd: its number, as <lodge.h> has it
 * @first: size of its structure in the first version that had the call
 * @lock: held meanwhile
 * @flags: LODGE_CALL_*
 * @handle: carry it out; @argument has the kernel's size of the structure, zero
 *	where the caller gave less, and is NULL for a call without one; answers what
 *	the ioctl returns
 */
struct lodge_call {
	unsigned int cmd;
	u16 first;
	u8 lock;
	u8 flags;
	long (*handle)(void *object, void *argument);
};

/*
 * LODGE_CALLS() - define a table of calls
 * @table: its name
 * @list: a macro with three parameters, of which it uses one for each call:
 *	CALL(name, structure, lock, flags, function) for a call with a structure,
 *	GROWN(name, structure, member, lock, flags, function) for one whose structure
 *	ended with @member in its first version,
 *	PLAIN(name, lock, function) for a call without
 */
#define LODGE_CALLS(table, list)                                      \
	list(LODGE_CALL_THUNK, LODGE_GROWN_THUNK, LODGE_PLAIN_THUNK); \
	static const struct lodge_call table[] = { list(              \
		LODGE_CALL_ROW, LODGE_GROWN_ROW, LODGE_PLAIN_ROW) }

#define LODGE_CALL_THUNK(name, type, lock, flags, function)         \
	static long lodge_call_##name(void *object, void *argument) \
	{                                                           \
		struct type *typed = argument;                      \
                                                                    \
		BUILD_BUG_ON(sizeof(*typed) > LODGE_IOCTL_MAX);     \
		return function(object, typed);                     \
	}

#define LODGE_GROWN_THUNK(name, type, member, lock, flags, function) \
	LODGE_CALL_THUNK(name, type, lock, flags, function)

#define LODGE_PLAIN_THUNK(name, lock, function)                   \
	static long lodge_call_##name(void *object, void *unused) \
	{                                                         \
		return function(object);                          \
	}

#define LODGE_CALL_ROW(name, type, lock, flags, function) \
	{ LODGE_##name, sizeof(struct type), lock, flags, lodge_call_##name },

#define LODGE_GROWN_ROW(name, type, member, lock, flags, function)     \
	{ LODGE_##name, offsetofend(struct type, member), lock, flags, \
	  lodge_call_##name },

#define LODGE_PLAIN_ROW(name, lock, function) \
	{ LODGE_##name, 0, lock, 0, lodge_call_##name },

/**
 * struct lodge_subject - the object that a call is made on
 * @object: first argument of the handlers
 * @lock: by enum lodge_lock; NULL: there is nothing to take
 */
struct lodge_subject {
	void *object;
	struct mutex *lock[LODGE_NR_LOCKS];
};

/**
 * lodge_ioctl_locked() - carry a call out, with its lock held
 * @lock: that of the row; NULL: there is nothing to take
 *
 * Return: what the handler answers; -EINTR killed while waiting for the lock.
 */
static inline long lodge_ioctl_locked(const struct lodge_call *call,
				      void *object, struct mutex *lock,
				      void *argument)
{
	long answer;

	if (!lock)
		return call->handle(object, argument);
	if (mutex_lock_killable(lock))
		return -EINTR;
	answer = call->handle(object, argument);
	mutex_unlock(lock);
	return answer;
}

/**
 * lodge_ioctl() - find a call in a table and carry it out
 * @cmd: as received: its size bits are the caller's
 * @argument: as received
 *
 * Return: what the handler answers; -ENOTTY no such call; -EINVAL a structure
 * smaller than the first version's; -E2BIG one with bytes set that the kernel
 * does not know; -EFAULT; -EINTR killed while waiting for the lock.
 */
long lodge_ioctl(const struct lodge_call *calls, size_t count,
		 const struct lodge_subject *subject, unsigned int cmd,
		 unsigned long argument);

#endif
