// SPDX-License-Identifier: GPL-2.0
/*
 * How much each user of the host has of Lodge: see user.h.
 *
 * What a VM holds is charged to its control group; but not each host has those,
 * and some of it (ASIDs, timers, the host's own FPU areas) no group counts.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "user.h"

static uint user_vms = 256;
module_param(user_vms, uint, 0644);
MODULE_PARM_DESC(user_vms, "VMs that one user may have (256)");

static uint user_vcpus = 1024;
module_param(user_vcpus, uint, 0644);
MODULE_PARM_DESC(user_vcpus, "vCPUs that one user may have (1024)");

static ulong user_tables;
module_param(user_tables, ulong, 0644);
MODULE_PARM_DESC(
	user_tables,
	"nested page tables of one user, pages; 0: by the host's memory");

/**
 * struct lodge_user - one who has a VM
 * @link: in users
 * @uid: who
 * @vms: VMs; with the last one the user is forgotten
 * @vcpus: vCPUs
 * @tables: nested page tables, in pages; atomic, needs no lock
 */
struct lodge_user {
	struct list_head link;
	kuid_t uid;
	uint vms;
	uint vcpus;
	u64 tables;
};

/* Guards the list and all that is in it, but for tables. */
static DEFINE_MUTEX(user_lock);
static LIST_HEAD(users);

static struct lodge_user *user_find(kuid_t uid)
{
	struct lodge_user *user;

	list_for_each_entry(user, &users, link)
		if (uid_eq(user->uid, uid))
			return user;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return NULL;
	user->uid = uid;
	list_add(&user->link, &users);
	return user;
}

static void user_forget(struct lodge_user *user)
{
	if (user->vms)
		return;
	list_del(&user->link);
	kfree(user);
}

struct lodge_user *lodge_user_get_vm(void)
{
	struct lodge_user *user;

	mutex_lock(&user_lock);
	user = user_find(current_uid());
	if (!user) {
		user = ERR_PTR(-ENOMEM);
	} else if (user->vms >= READ_ONCE(user_vms)) {
		user_forget(user);
		user = ERR_PTR(-EDQUOT);
	} else {
		user->vms++;
	}
	mutex_unlock(&user_lock);
	return user;
}

void lodge_user_put_vm(struct lodge_user *user)
{
	mutex_lock(&user_lock);
	user->vms--;
	user_forget(user);
	mutex_unlock(&user_lock);
}

int lodge_user_get_vcpu(struct lodge_user *user)
{
	int error = 0;

	mutex_lock(&user_lock);
	if (user->vcpus >= READ_ONCE(user_vcpus))
		error = -EDQUOT;
	else
		user->vcpus++;
	mutex_unlock(&user_lock);
	return error;
}

void lodge_user_put_vcpu(struct lodge_user *user)
{
	mutex_lock(&user_lock);
	user->vcpus--;
	mutex_unlock(&user_lock);
}

u64 *lodge_user_tables(struct lodge_user *user)
{
	return &user->tables;
}

bool lodge_user_tables_exceeded(const struct lodge_user *user)
{
	/* A 64th of the host's memory: twice what one VM may have. */
	u64 pages = READ_ONCE(user_tables) ?: totalram_pages() / 64;

	return READ_ONCE(user->tables) > pages;
}
