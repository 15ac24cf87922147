/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All VMs of the host, by ID.
 *
 * A VM is here from the end of its creation to the beginning of its end, so whoever
 * holds the registry's lock may read each VM that it finds.  The lock is a spinlock,
 * taken after vm->lock and before that of the events; under it nothing waits.
 */
#ifndef LODGE_REGISTRY_H
#define LODGE_REGISTRY_H

#include <linux/types.h>
#include <linux/uidgid.h>

#include <lodge.h>

struct lodge_vm;
struct pid;
struct pid_namespace;
struct user_namespace;

/**
 * struct lodge_owner - the user that something belongs to
 * @uid: its real user ID
 * @user_ns: its user namespace
 * @pid_ns: the PID namespace in which it acts
 */
struct lodge_owner {
	kuid_t uid;
	struct user_namespace *user_ns;
	struct pid_namespace *pid_ns;
};

/**
 * struct lodge_identity - what a VM is known by; it never changes
 * @id: number, never 0
 * @name: unique among the VMs of @owner
 * @owner: who has made it; holds references on the namespaces
 * @pid: the process whose memory it uses
 * @start: host's boot time at its creation, ns
 */
struct lodge_identity {
	u32 id;
	char name[LODGE_NAME_SIZE];
	struct lodge_owner owner;
	struct pid *pid;
	u64 start;
};

/**
 * lodge_owner_current() - the calling thread's user; without references
 */
struct lodge_owner lodge_owner_current(void);

/**
 * lodge_owner_get() - take references on the namespaces; NULL ones are left alone
 */
void lodge_owner_get(const struct lodge_owner *owner);
void lodge_owner_put(const struct lodge_owner *owner);

/**
 * lodge_owner_is_user() - true if both are the same user in the same user namespace
 */
static inline bool lodge_owner_is_user(const struct lodge_owner *a,
				       const struct lodge_owner *b)
{
	return uid_eq(a->uid, b->uid) && a->user_ns == b->user_ns;
}

/**
 * lodge_owner_is() - true if both are the same user, in the same PID namespace too
 */
static inline bool lodge_owner_is(const struct lodge_owner *a,
				  const struct lodge_owner *b)
{
	return lodge_owner_is_user(a, b) && a->pid_ns == b->pid_ns;
}

/**
 * lodge_owner_sees() - true if a user sees what is @owner's
 *
 * It does if both are the same user, and @owner acts in a PID namespace of which the
 * user sees the processes: its own one, or one below.
 */
bool lodge_owner_sees(const struct lodge_owner *user,
		      const struct lodge_owner *owner);

/**
 * lodge_owner_host_uid() - the user of the host who is behind an owner
 *
 * In a user namespace one user may be as many as it likes.  They all count as the one
 * who has made the namespace; if that was the host's superuser, as the namespace's own.
 * An owner without a user namespace is nobody.
 */
kuid_t lodge_owner_host_uid(const struct lodge_owner *owner);

/**
 * lodge_identity_init() - the calling thread's user and process have made the VM
 */
void lodge_identity_init(struct lodge_identity *identity);

/**
 * lodge_identity_fini() - undo lodge_identity_init(); also of a zeroed structure
 */
void lodge_identity_fini(struct lodge_identity *identity);

/**
 * lodge_name_valid() - true if a VM may have this name, or it is empty
 * @name: LODGE_NAME_SIZE bytes
 */
bool lodge_name_valid(const char *name);

/**
 * lodge_registry_add() - give the VM its ID and name, and let others find it and know
 * @name: valid; empty: a name is made up
 *
 * Return: 0, -EEXIST its owner has a VM of that name, -ENOMEM, -ENOSPC.
 */
int lodge_registry_add(struct lodge_vm *vm, const char *name);

/**
 * lodge_registry_remove() - nobody finds the VM any more, and others know; also one that
 * was not added
 */
void lodge_registry_remove(struct lodge_vm *vm);

/**
 * lodge_registry_changed() - one of the VMs has a vCPU more
 */
void lodge_registry_changed(void);

/**
 * lodge_registry_generation() - moves with each change of what there is; never 0
 *
 * Whoever reads it before it looks finds all that had changed until then.
 */
u32 lodge_registry_generation(void);

void lodge_registry_lock(void) __acquires(registry_lock);
void lodge_registry_unlock(void) __releases(registry_lock);

/**
 * lodge_registry_find() - the VM of this ID, or NULL; under the registry's lock
 */
struct lodge_vm *lodge_registry_find(u32 id);

/**
 * lodge_registry_next() - the VM with the smallest ID from @id on, or NULL
 *
 * Under the registry's lock.
 */
struct lodge_vm *lodge_registry_next(u32 id);

#endif
