// SPDX-License-Identifier: GPL-2.0
/*
 * All VMs of the host: see registry.h.
 */
#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/idr.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "notify.h"
#include "registry.h"
#include "vm.h"

/*
 * Guards the VMs.  Everybody waits for it, so whoever has it neither waits nor is
 * preempted: a process that is given little time of the CPUs would keep it for long.
 */
static DEFINE_SPINLOCK(registry_lock);
/* IDs go round: one is given again only when all others were. */
static DEFINE_IDR(registry_vms);
/* Twice as many as there were changes, and one: never 0. */
static atomic_t registry_generation = ATOMIC_INIT(1);

struct lodge_owner lodge_owner_current(void)
{
	return (struct lodge_owner){
		.uid = current_uid(),
		.user_ns = current_user_ns(),
		.pid_ns = task_active_pid_ns(current),
	};
}

void lodge_owner_get(const struct lodge_owner *owner)
{
	if (owner->user_ns)
		get_user_ns(owner->user_ns);
	if (owner->pid_ns)
		get_pid_ns(owner->pid_ns);
}

void lodge_owner_put(const struct lodge_owner *owner)
{
	put_user_ns(owner->user_ns);
	if (owner->pid_ns)
		put_pid_ns(owner->pid_ns);
}

bool lodge_owner_sees(const struct lodge_owner *user,
		      const struct lodge_owner *owner)
{
	const struct pid_namespace *ns = owner->pid_ns;

	if (!lodge_owner_is_user(user, owner))
		return false;
	while (ns && ns != user->pid_ns)
		ns = ns->parent;
	return ns;
}

kuid_t lodge_owner_host_uid(const struct lodge_owner *owner)
{
	struct user_namespace *ns = owner->user_ns;
	kuid_t root;

	if (!ns)
		return INVALID_UID;
	if (ns == &init_user_ns)
		return owner->uid;
	while (ns->parent != &init_user_ns)
		ns = ns->parent;
	if (!uid_eq(ns->owner, GLOBAL_ROOT_UID))
		return ns->owner;
	root = make_kuid(ns, 0);
	return uid_valid(root) ? root : owner->uid;
}

void lodge_identity_init(struct lodge_identity *identity)
{
	identity->owner = lodge_owner_current();
	lodge_owner_get(&identity->owner);
	identity->pid = get_pid(task_tgid(current));
	identity->start = ktime_get_boottime_ns();
}

void lodge_identity_fini(struct lodge_identity *identity)
{
	put_pid(identity->pid);
	lodge_owner_put(&identity->owner);
}

/* The kernel's isalnum() has letters beyond ASCII. */
static bool name_has_letter(char c)
{
	return isascii(c) && isalnum(c);
}

bool lodge_name_valid(const char *name)
{
	size_t length = strnlen(name, LODGE_NAME_SIZE);
	size_t i;

	if (length == LODGE_NAME_SIZE ||
	    memchr_inv(name + length, 0, LODGE_NAME_SIZE - length))
		return false;
	for (i = 0; i < length; i++)
		if (!name_has_letter(name[i]) &&
		    (!i || !strchr("._-", name[i])))
			return false;
	return true;
}

static bool registry_has_name(const struct lodge_owner *owner, const char *name)
{
	struct lodge_vm *vm;
	int id;

	idr_for_each_entry(&registry_vms, vm, id)
		if (lodge_owner_is(&vm->identity.owner, owner) &&
		    !strcmp(vm->identity.name, name))
			return true;
	return false;
}

/*
 * Takes an ID, at which nobody finds anything yet, and sets the name.  If the name that
 * the ID makes is taken, the next ID makes another one.
 */
static int registry_reserve(struct lodge_identity *identity, const char *name)
{
	int id;

	for (;;) {
		id = idr_alloc_cyclic(&registry_vms, NULL, 1, 0, GFP_NOWAIT);
		if (id < 0)
			return id;
		if (*name)
			strscpy(identity->name, name, sizeof(identity->name));
		else
			snprintf(identity->name, sizeof(identity->name),
				 "vm-%d", id);
		if (!registry_has_name(&identity->owner, identity->name))
			return id;
		idr_remove(&registry_vms, id);
		if (*name)
			return -EEXIST;
	}
}

int lodge_registry_add(struct lodge_vm *vm, const char *name)
{
	int id;

	/* Charged to no control group: the memory may serve another one's VM. */
	idr_preload(GFP_KERNEL);
	spin_lock(&registry_lock);
	id = registry_reserve(&vm->identity, name);
	if (id >= 0) {
		vm->identity.id = id;
		idr_replace(&registry_vms, vm, id);
		lodge_registry_changed();
		/* Before anything that happens to a VM that others find. */
		lodge_notify_vm(vm, LODGE_NEWS_VM_CREATED);
	}
	spin_unlock(&registry_lock);
	idr_preload_end();
	return id < 0 ? id : 0;
}

void lodge_registry_remove(struct lodge_vm *vm)
{
	if (!vm->identity.id)
		return;
	spin_lock(&registry_lock);
	idr_remove(&registry_vms, vm->identity.id);
	lodge_registry_changed();
	/* Before the name is another VM's. */
	lodge_notify_vm(vm, LODGE_NEWS_VM_GONE);
	spin_unlock(&registry_lock);
}

void lodge_registry_changed(void)
{
	atomic_add_return_release(2, &registry_generation);
}

u32 lodge_registry_generation(void)
{
	return atomic_read_acquire(&registry_generation);
}

void lodge_registry_lock(void) __acquires(registry_lock)
{
	spin_lock(&registry_lock);
}

void lodge_registry_unlock(void) __releases(registry_lock)
{
	spin_unlock(&registry_lock);
}

struct lodge_vm *lodge_registry_find(u32 id)
{
	lockdep_assert_held(&registry_lock);
	return id > INT_MAX ? NULL : idr_find(&registry_vms, id);
}

struct lodge_vm *lodge_registry_next(u32 id)
{
	int next = id;

	lockdep_assert_held(&registry_lock);
	return id > INT_MAX ? NULL : idr_get_next(&registry_vms, &next);
}
