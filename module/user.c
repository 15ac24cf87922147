// SPDX-License-Identifier: GPL-2.0
/*
 * How much each user of the host has of Lodge: see user.h.
 *
 * What a VM holds is charged to its control group; but not each host has those, and
 * some of it (ASIDs, timers, the host's own FPU areas) no group counts.
 *
 * Whatever can be refused is counted before it is made, under one lock with the look
 * at the limits: so no race exceeds them.  Nested page tables are counted as they come
 * and go, and dropped when there are too many.
 */
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/ratelimit.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "notify.h"
#include "npt/npt.h"
#include "user.h"

/* Users that may have limits of their own: these stay without VMs, too. */
#define USER_MAX_OWN 1024

static_assert(LODGE_LIMIT_KERNEL - LODGE_LIMIT_VMS == LODGE_RESOURCE_KERNEL);
static_assert(LODGE_LIMIT_USED_KERNEL - LODGE_LIMIT_USED_VMS ==
	      LODGE_RESOURCE_KERNEL);

static u64 user_default[LODGE_NR_RESOURCES] = {
	[LODGE_RESOURCE_VMS] = 256,
	[LODGE_RESOURCE_VCPUS] = 1024,
};
static u64 user_total[LODGE_NR_RESOURCES] = {
	[LODGE_RESOURCE_VMS] = 4096,
	[LODGE_RESOURCE_VCPUS] = 16384,
};

module_param_named(user_vms, user_default[LODGE_RESOURCE_VMS], ullong, 0644);
MODULE_PARM_DESC(user_vms, "VMs that one user may have (256)");
module_param_named(user_vcpus, user_default[LODGE_RESOURCE_VCPUS], ullong,
		   0644);
MODULE_PARM_DESC(user_vcpus, "vCPUs that one user may have (1024)");
module_param_named(user_tables, user_default[LODGE_RESOURCE_TABLES], ullong,
		   0644);
MODULE_PARM_DESC(user_tables,
		 "nested page tables of one user, bytes (a 64th of the memory)");
module_param_named(user_kernel, user_default[LODGE_RESOURCE_KERNEL], ullong,
		   0644);
MODULE_PARM_DESC(
	user_kernel,
	"other kernel memory of one user, bytes (a 32nd of the memory)");
module_param_named(total_vms, user_total[LODGE_RESOURCE_VMS], ullong, 0644);
MODULE_PARM_DESC(total_vms, "VMs of all users (4096)");
module_param_named(total_vcpus, user_total[LODGE_RESOURCE_VCPUS], ullong, 0644);
MODULE_PARM_DESC(total_vcpus, "vCPUs of all users (16384)");
module_param_named(total_tables, user_total[LODGE_RESOURCE_TABLES], ullong,
		   0644);
MODULE_PARM_DESC(
	total_tables,
	"nested page tables of all users, bytes (an 8th of the memory)");
module_param_named(total_kernel, user_total[LODGE_RESOURCE_KERNEL], ullong,
		   0644);
MODULE_PARM_DESC(
	total_kernel,
	"other kernel memory of all users, bytes (an 8th of the memory)");

/**
 * struct lodge_user - one who has VMs, or limits of its own
 * @node: in users
 * @uid: who
 * @used: by enum lodge_resource, but for the tables
 * @tables: nested page tables, counted without the lock
 * @own: limits of its own, of which @has_own tells
 * @has_own: one bit for each enum lodge_resource; 0 and no VM: the user is forgotten
 * @told: keeps its refusals from filling the news
 */
struct lodge_user {
	struct rb_node node;
	kuid_t uid;
	u64 used[LODGE_NR_RESOURCES];
	struct lodge_npt_total tables;
	u64 own[LODGE_NR_RESOURCES];
	unsigned long has_own;
	struct ratelimit_state told;
};

/*
 * Guards all that follows, and all users but for the counters of tables.  Everybody waits
 * for it, so whoever has it neither waits nor is preempted.  Limits change under it or by
 * a parameter, and are read without it, too.
 */
static DEFINE_SPINLOCK(user_lock);
/* By uid: anybody with a namespace may be many of them. */
static struct rb_root users = RB_ROOT;
static u32 user_generation = 1;
static unsigned int user_nr_own;
static u64 user_total_used[LODGE_NR_RESOURCES];
static struct lodge_npt_total user_total_tables;

/* Of users that hold nothing, and so may be made anew with each refusal. */
static struct ratelimit_state user_strangers_told = RATELIMIT_STATE_INIT_FLAGS(
	user_strangers_told, DEFAULT_RATELIMIT_INTERVAL,
	DEFAULT_RATELIMIT_BURST, RATELIMIT_MSG_ON_RELEASE);

void lodge_user_init(void)
{
	u64 memory = (u64)totalram_pages() << PAGE_SHIFT;
	u64 *default_tables = &user_default[LODGE_RESOURCE_TABLES];
	u64 *default_kernel = &user_default[LODGE_RESOURCE_KERNEL];
	u64 *total_tables = &user_total[LODGE_RESOURCE_TABLES];
	u64 *total_kernel = &user_total[LODGE_RESOURCE_KERNEL];

	/* Twice what one VM may have. */
	*default_tables = *default_tables ?: memory / 64;
	*default_kernel = *default_kernel ?: memory / 32;
	*total_tables = *total_tables ?: memory / 8;
	*total_kernel = *total_kernel ?: memory / 8;
}

/* Return: the first user whose number is @from or higher, or NULL. */
static struct lodge_user *user_next(u64 from)
{
	struct lodge_user *user, *found = NULL;
	struct rb_node *at = users.rb_node;

	while (at) {
		user = rb_entry(at, struct lodge_user, node);
		if (__kuid_val(user->uid) >= from) {
			found = user;
			at = at->rb_left;
		} else {
			at = at->rb_right;
		}
	}
	return found;
}

static struct lodge_user *user_find(kuid_t uid)
{
	struct lodge_user *user = user_next(__kuid_val(uid));

	return user && uid_eq(user->uid, uid) ? user : NULL;
}

/* There is no user of that number. */
static void user_insert(struct lodge_user *user)
{
	struct rb_node **place = &users.rb_node, *above = NULL;
	struct lodge_user *other;

	while (*place) {
		above = *place;
		other = rb_entry(above, struct lodge_user, node);
		place = uid_lt(user->uid, other->uid) ? &above->rb_left :
							&above->rb_right;
	}
	rb_link_node(&user->node, above, place);
	rb_insert_color(&user->node, &users);
}

static void user_list_changed(void)
{
	user_generation = user_generation + 1 ?: 1;
}

/* Memory for user_find_or_add(); NULL: there is none.  Outside of the lock. */
static struct lodge_user *user_new(void)
{
	return kzalloc(sizeof(struct lodge_user), GFP_KERNEL);
}

/*
 * @new: user_new(), or NULL; if it is not used, the caller frees it.  Return: the user,
 * whom user_forget() may forget, or NULL.
 */
static struct lodge_user *user_find_or_add(kuid_t uid, struct lodge_user **new)
{
	struct lodge_user *user = user_find(uid);

	if (user || !*new)
		return user;
	user = *new;
	*new = NULL;
	user->uid = uid;
	user->tables.above = &user_total_tables;
	ratelimit_default_init(&user->told);
	ratelimit_set_flags(&user->told, RATELIMIT_MSG_ON_RELEASE);
	user_insert(user);
	user_list_changed();
	return user;
}

static void user_forget(struct lodge_user *user)
{
	lockdep_assert_held(&user_lock);
	if (user->used[LODGE_RESOURCE_VMS] || user->has_own)
		return;
	rb_erase(&user->node, &users);
	kfree(user);
	user_list_changed();
}

void lodge_user_exit(void)
{
	struct lodge_user *user;
	u64 from = 0;

	spin_lock(&user_lock);
	while ((user = user_next(from))) {
		from = (u64)__kuid_val(user->uid) + 1;
		user->has_own = 0;
		user_forget(user);
	}
	user_nr_own = 0;
	spin_unlock(&user_lock);
}

static u64 user_limit(const struct lodge_user *user,
		      enum lodge_resource resource)
{
	/* Pairs with limits_set_user(). */
	return smp_load_acquire(&user->has_own) & BIT(resource) ?
		       READ_ONCE(user->own[resource]) :
		       READ_ONCE(user_default[resource]);
}

static void user_tell(struct lodge_user *user, enum lodge_resource resource,
		      enum lodge_limit_scope scope)
{
	bool stranger = !READ_ONCE(user->used[LODGE_RESOURCE_VMS]);

	if (__ratelimit(stranger ? &user_strangers_told : &user->told))
		lodge_notify_limit(user->uid, LODGE_LIMIT_VMS + resource,
				   scope);
}

/* Whose limit it is that this user has. */
static enum lodge_limit_scope user_scope(const struct lodge_user *user,
					 enum lodge_resource resource)
{
	return READ_ONCE(user->has_own) & BIT(resource) ? LODGE_SCOPE_USER :
							  LODGE_SCOPE_DEFAULT;
}

static bool user_fits(u64 used, u64 more, u64 limit)
{
	return used <= limit && more <= limit - used;
}

/* @used, @total: what the user and all users have.  Return: true if more is allowed. */
static bool user_allows(struct lodge_user *user, enum lodge_resource resource,
			u64 used, u64 total, u64 more)
{
	if (!user_fits(used, more, user_limit(user, resource))) {
		user_tell(user, resource, user_scope(user, resource));
		return false;
	}
	if (!user_fits(total, more, READ_ONCE(user_total[resource]))) {
		user_tell(user, resource, LODGE_SCOPE_TOTAL);
		return false;
	}
	return true;
}

/* All of @more or nothing.  What is not asked for is not refused. */
static int user_take(struct lodge_user *user,
		     const u64 more[LODGE_NR_RESOURCES])
{
	unsigned int i;

	lockdep_assert_held(&user_lock);
	for (i = 0; i < LODGE_NR_RESOURCES; i++)
		if (more[i] && !user_allows(user, i, user->used[i],
					    user_total_used[i], more[i]))
			return -EDQUOT;
	for (i = 0; i < LODGE_NR_RESOURCES; i++) {
		WRITE_ONCE(user->used[i], user->used[i] + more[i]);
		user_total_used[i] += more[i];
	}
	return 0;
}

static void user_give(struct lodge_user *user,
		      const u64 less[LODGE_NR_RESOURCES])
{
	unsigned int i;

	lockdep_assert_held(&user_lock);
	for (i = 0; i < LODGE_NR_RESOURCES; i++) {
		WRITE_ONCE(user->used[i], user->used[i] - less[i]);
		user_total_used[i] -= less[i];
	}
}

struct lodge_user *lodge_user_get_vm(kuid_t uid, u64 kernel)
{
	const u64 more[LODGE_NR_RESOURCES] = {
		[LODGE_RESOURCE_VMS] = 1,
		[LODGE_RESOURCE_KERNEL] = kernel,
	};
	struct lodge_user *new = user_new(), *user;
	int error = -ENOMEM;
	u32 generation;

	spin_lock(&user_lock);
	generation = user_generation;
	user = user_find_or_add(uid, &new);
	if (user) {
		error = user_take(user, more);
		if (error) {
			user_forget(user);
			/* Nobody has seen this user come and go. */
			user_generation = generation;
		}
	}
	spin_unlock(&user_lock);
	kfree(new);
	return error ? ERR_PTR(error) : user;
}

void lodge_user_put_vm(struct lodge_user *user, u64 kernel)
{
	const u64 less[LODGE_NR_RESOURCES] = {
		[LODGE_RESOURCE_VMS] = 1,
		[LODGE_RESOURCE_KERNEL] = kernel,
	};

	spin_lock(&user_lock);
	user_give(user, less);
	user_forget(user);
	spin_unlock(&user_lock);
}

static int user_lock_and_take(struct lodge_user *user,
			      const u64 more[LODGE_NR_RESOURCES])
{
	int error;

	spin_lock(&user_lock);
	error = user_take(user, more);
	spin_unlock(&user_lock);
	return error;
}

static void user_lock_and_give(struct lodge_user *user,
			       const u64 less[LODGE_NR_RESOURCES])
{
	spin_lock(&user_lock);
	user_give(user, less);
	spin_unlock(&user_lock);
}

int lodge_user_get_vcpu(struct lodge_user *user, u64 kernel)
{
	const u64 more[LODGE_NR_RESOURCES] = {
		[LODGE_RESOURCE_VCPUS] = 1,
		[LODGE_RESOURCE_KERNEL] = kernel,
	};

	return user_lock_and_take(user, more);
}

void lodge_user_put_vcpu(struct lodge_user *user, u64 kernel)
{
	const u64 less[LODGE_NR_RESOURCES] = {
		[LODGE_RESOURCE_VCPUS] = 1,
		[LODGE_RESOURCE_KERNEL] = kernel,
	};

	user_lock_and_give(user, less);
}

int lodge_user_get_kernel(struct lodge_user *user, u64 kernel)
{
	const u64 more[LODGE_NR_RESOURCES] = {
		[LODGE_RESOURCE_KERNEL] = kernel,
	};

	return user_lock_and_take(user, more);
}

void lodge_user_put_kernel(struct lodge_user *user, u64 kernel)
{
	const u64 less[LODGE_NR_RESOURCES] = {
		[LODGE_RESOURCE_KERNEL] = kernel,
	};

	user_lock_and_give(user, less);
}

struct lodge_npt_total *lodge_user_tables(struct lodge_user *user)
{
	return &user->tables;
}

static u64 user_table_bytes(const struct lodge_npt_total *total)
{
	return READ_ONCE(total->tables) << PAGE_SHIFT;
}

bool lodge_user_tables_exceeded(struct lodge_user *user)
{
	return !user_allows(user, LODGE_RESOURCE_TABLES,
			    user_table_bytes(&user->tables),
			    user_table_bytes(&user_total_tables), 0);
}

static void user_describe(const struct lodge_user *user,
			  struct lodge_limits *limits)
{
	unsigned int i;

	limits->inherits = !user->has_own;
	for (i = 0; i < LODGE_NR_RESOURCES; i++) {
		limits->limit[i] = user_limit(user, i);
		limits->used[i] = user->used[i];
	}
	limits->used[LODGE_RESOURCE_TABLES] = user_table_bytes(&user->tables);
}

static void user_describe_total(struct lodge_limits *limits)
{
	memcpy(limits->limit, user_total, sizeof(user_total));
	memcpy(limits->used, user_total_used, sizeof(user_total_used));
	limits->used[LODGE_RESOURCE_TABLES] =
		user_table_bytes(&user_total_tables);
}

void lodge_limits_lock(void) __acquires(user_lock)
{
	spin_lock(&user_lock);
}

void lodge_limits_unlock(void) __releases(user_lock)
{
	spin_unlock(&user_lock);
}

void lodge_limits_get(struct lodge_limits *limits)
{
	static const struct lodge_user nobody;
	const struct lodge_user *user;

	lockdep_assert_held(&user_lock);
	switch (limits->scope) {
	case LODGE_SCOPE_DEFAULT:
		memcpy(limits->limit, user_default, sizeof(user_default));
		break;
	case LODGE_SCOPE_USER:
		user = user_find(limits->uid);
		user_describe(user ?: &nobody, limits);
		break;
	case LODGE_SCOPE_TOTAL:
		user_describe_total(limits);
		break;
	}
}

bool lodge_limits_next(u64 from, struct lodge_limits *limits)
{
	const struct lodge_user *user = user_next(from);

	lockdep_assert_held(&user_lock);
	if (!user)
		return false;
	limits->scope = LODGE_SCOPE_USER;
	limits->uid = user->uid;
	user_describe(user, limits);
	return true;
}

u32 lodge_limits_generation(void)
{
	return READ_ONCE(user_generation);
}

static void limits_copy(u64 to[LODGE_NR_RESOURCES],
			const u64 from[LODGE_NR_RESOURCES], unsigned long which)
{
	unsigned int i;

	for_each_set_bit(i, &which, LODGE_NR_RESOURCES)
		WRITE_ONCE(to[i], from[i]);
}

static int limits_set_user(const struct lodge_limits *limits,
			   unsigned long which, struct lodge_user **new)
{
	struct lodge_user *user = user_find(limits->uid);

	if (!(user && user->has_own) && user_nr_own == USER_MAX_OWN)
		return -ENOSPC;
	user = user_find_or_add(limits->uid, new);
	if (!user)
		return -ENOMEM;
	user_nr_own += !user->has_own;
	/* A limit counts once it is there. */
	limits_copy(user->own, limits->limit, which);
	smp_store_release(&user->has_own, user->has_own | which);
	return 0;
}

int lodge_limits_set(const struct lodge_limits *limits, unsigned long which)
{
	struct lodge_user *new = user_new();
	int error = 0;

	spin_lock(&user_lock);
	switch (limits->scope) {
	case LODGE_SCOPE_DEFAULT:
		limits_copy(user_default, limits->limit, which);
		break;
	case LODGE_SCOPE_USER:
		error = limits_set_user(limits, which, &new);
		break;
	case LODGE_SCOPE_TOTAL:
		limits_copy(user_total, limits->limit, which);
		break;
	}
	spin_unlock(&user_lock);
	kfree(new);
	return error;
}

void lodge_limits_inherit(kuid_t uid)
{
	struct lodge_user *user;

	spin_lock(&user_lock);
	user = user_find(uid);
	if (user && user->has_own) {
		WRITE_ONCE(user->has_own, 0);
		user_nr_own--;
		user_forget(user);
	}
	spin_unlock(&user_lock);
}
