// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the limits of users, and of all users together.
 */
#include "kernel_user.h"

#include <pthread.h>

#include "kselftest_harness.h"

#include "notify.h"
#include "npt/npt.h"
#include "user.h"

#define ALICE 1000
#define BOB 1001
#define CAROL 1002
#define MEMORY (totalram_pages() << PAGE_SHIFT)

static struct {
	unsigned int count;
	u32 uid;
	u32 limit;
	u32 scope;
} told;

void lodge_notify_limit(kuid_t uid, u32 limit, enum lodge_limit_scope scope)
{
	told.count++;
	told.uid = uid.val;
	told.limit = limit;
	told.scope = scope;
}

static bool no_memory;

bool kernel_has_no_memory(void)
{
	return no_memory;
}

FIXTURE(user){};

FIXTURE_SETUP(user)
{
	*kernel_user_tables = 0;
	*kernel_user_kernel = 0;
	*kernel_total_tables = 0;
	*kernel_total_kernel = 0;
	lodge_user_init();
	*kernel_user_vms = 2;
	*kernel_user_vcpus = 3;
	*kernel_total_vms = LODGE_LIMIT_NONE;
	*kernel_total_vcpus = LODGE_LIMIT_NONE;
}

FIXTURE_TEARDOWN(user)
{
	no_memory = false;
	lodge_user_exit();
	EXPECT_EQ(0, kernel_users);
}

static struct lodge_user *vm_of(u32 uid, u64 kernel)
{
	return lodge_user_get_vm(KUIDT_INIT(uid), kernel);
}

static struct lodge_limits limits_of(enum lodge_limit_scope scope, u32 uid)
{
	struct lodge_limits limits = { .scope = scope, .uid = KUIDT_INIT(uid) };

	lodge_limits_lock();
	lodge_limits_get(&limits);
	lodge_limits_unlock();
	return limits;
}

static u64 used_by(u32 uid, enum lodge_resource resource)
{
	return limits_of(LODGE_SCOPE_USER, uid).used[resource];
}

static u64 used_in_all(enum lodge_resource resource)
{
	return limits_of(LODGE_SCOPE_TOTAL, 0).used[resource];
}

static int set_own(u32 uid, enum lodge_resource resource, u64 limit)
{
	struct lodge_limits limits = { .scope = LODGE_SCOPE_USER,
				       .uid = KUIDT_INIT(uid) };

	limits.limit[resource] = limit;
	return lodge_limits_set(&limits, BIT(resource));
}

static int set_total(enum lodge_resource resource, u64 limit)
{
	struct lodge_limits limits = { .scope = LODGE_SCOPE_TOTAL };

	limits.limit[resource] = limit;
	return lodge_limits_set(&limits, BIT(resource));
}

static bool next_user(u64 from, struct lodge_limits *limits)
{
	bool found;

	lodge_limits_lock();
	found = lodge_limits_next(from, limits);
	lodge_limits_unlock();
	return found;
}

TEST_F(user, limits_of_memory_that_are_not_given_follow_the_hosts)
{
	EXPECT_EQ(MEMORY / 64, *kernel_user_tables);
	EXPECT_EQ(MEMORY / 32, *kernel_user_kernel);
	EXPECT_EQ(MEMORY / 8, *kernel_total_tables);
	EXPECT_EQ(MEMORY / 8, *kernel_total_kernel);
	*kernel_user_kernel = 5;
	lodge_user_init();
	EXPECT_EQ(5, *kernel_user_kernel);
}

TEST_F(user, a_user_has_so_many_vms_and_another_user_as_many)
{
	struct lodge_user *alice = vm_of(ALICE, 0), *bob;

	ASSERT_FALSE(IS_ERR(alice));
	ASSERT_EQ(alice, vm_of(ALICE, 0));
	EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(ALICE, 0));
	bob = vm_of(BOB, 0);
	ASSERT_FALSE(IS_ERR(bob));
	EXPECT_EQ(2, used_by(ALICE, LODGE_RESOURCE_VMS));
	EXPECT_EQ(3, used_in_all(LODGE_RESOURCE_VMS));
	lodge_user_put_vm(alice, 0);
	ASSERT_EQ(alice, vm_of(ALICE, 0));
	lodge_user_put_vm(alice, 0);
	lodge_user_put_vm(alice, 0);
	lodge_user_put_vm(bob, 0);
	EXPECT_EQ(0, used_in_all(LODGE_RESOURCE_VMS));
}

TEST_F(user, what_is_refused_for_one_limit_is_not_counted_for_another)
{
	struct lodge_user *alice = vm_of(ALICE, 100);

	ASSERT_FALSE(IS_ERR(alice));
	*kernel_user_kernel = 150;
	EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(ALICE, 51));
	EXPECT_EQ(-EDQUOT, lodge_user_get_vcpu(alice, 51));
	EXPECT_EQ(1, used_by(ALICE, LODGE_RESOURCE_VMS));
	EXPECT_EQ(0, used_by(ALICE, LODGE_RESOURCE_VCPUS));
	EXPECT_EQ(100, used_in_all(LODGE_RESOURCE_KERNEL));
	EXPECT_EQ(0, lodge_user_get_vcpu(alice, 50));
	EXPECT_EQ(150, used_by(ALICE, LODGE_RESOURCE_KERNEL));
	lodge_user_put_vcpu(alice, 20);
	EXPECT_EQ(130, used_by(ALICE, LODGE_RESOURCE_KERNEL));
	lodge_user_put_kernel(alice, 30);
	lodge_user_put_vm(alice, 100);
	EXPECT_EQ(0, used_in_all(LODGE_RESOURCE_KERNEL));
	EXPECT_EQ(0, used_in_all(LODGE_RESOURCE_VCPUS));
}

TEST_F(user, no_size_is_so_large_that_it_fits_again)
{
	struct lodge_user *alice = vm_of(ALICE, 1);

	ASSERT_FALSE(IS_ERR(alice));
	EXPECT_EQ(-EDQUOT, lodge_user_get_vcpu(alice, ~0ULL));
	*kernel_user_kernel = LODGE_LIMIT_NONE;
	*kernel_total_kernel = LODGE_LIMIT_NONE;
	EXPECT_EQ(-EDQUOT, lodge_user_get_vcpu(alice, ~0ULL));
	EXPECT_EQ(1, used_by(ALICE, LODGE_RESOURCE_KERNEL));
	lodge_user_put_vm(alice, 1);
}

TEST_F(user, a_limit_below_what_is_used_refuses_only_more)
{
	struct lodge_user *alice = vm_of(ALICE, 100);

	ASSERT_EQ(alice, vm_of(ALICE, 100));
	ASSERT_EQ(0, lodge_user_get_vcpu(alice, 100));
	ASSERT_EQ(0, set_own(ALICE, LODGE_RESOURCE_VMS, 0));
	EXPECT_EQ(2, used_by(ALICE, LODGE_RESOURCE_VMS));
	EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(ALICE, 0));
	/* What it still may have. */
	EXPECT_EQ(0, lodge_user_get_vcpu(alice, 100));
	lodge_user_put_vcpu(alice, 100);
	lodge_user_put_vcpu(alice, 100);
	lodge_user_put_vm(alice, 100);
	EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(ALICE, 0));
	ASSERT_EQ(0, set_own(ALICE, LODGE_RESOURCE_VMS, 2));
	EXPECT_EQ(alice, vm_of(ALICE, 100));
	lodge_user_put_vm(alice, 100);
	lodge_user_put_vm(alice, 100);
}

TEST_F(user, all_users_together_have_a_limit)
{
	struct lodge_user *alice = vm_of(ALICE, 0), *bob;

	ASSERT_EQ(0, set_total(LODGE_RESOURCE_VMS, 2));
	bob = vm_of(BOB, 0);
	ASSERT_FALSE(IS_ERR(bob));
	EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(CAROL, 0));
	EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(ALICE, 0));
	ASSERT_EQ(0, set_total(LODGE_RESOURCE_VCPUS, 1));
	EXPECT_EQ(0, lodge_user_get_vcpu(alice, 0));
	EXPECT_EQ(-EDQUOT, lodge_user_get_vcpu(bob, 0));
	lodge_user_put_vcpu(alice, 0);
	EXPECT_EQ(0, lodge_user_get_vcpu(bob, 0));
	lodge_user_put_vcpu(bob, 0);
	lodge_user_put_vm(alice, 0);
	lodge_user_put_vm(bob, 0);
}

TEST_F(user, a_limit_of_ones_own_replaces_the_default_one_and_no_other)
{
	struct lodge_limits bob;
	struct lodge_user *user;

	ASSERT_EQ(0, set_own(BOB, LODGE_RESOURCE_VCPUS, 7));
	*kernel_user_vms = 5;
	bob = limits_of(LODGE_SCOPE_USER, BOB);
	EXPECT_FALSE(bob.inherits);
	EXPECT_EQ(7, bob.limit[LODGE_RESOURCE_VCPUS]);
	EXPECT_EQ(5, bob.limit[LODGE_RESOURCE_VMS]);
	EXPECT_EQ(
		3,
		limits_of(LODGE_SCOPE_USER, ALICE).limit[LODGE_RESOURCE_VCPUS]);
	EXPECT_TRUE(limits_of(LODGE_SCOPE_USER, ALICE).inherits);
	/* It stays when the user's last VM goes. */
	user = vm_of(BOB, 0);
	ASSERT_FALSE(IS_ERR(user));
	lodge_user_put_vm(user, 0);
	EXPECT_EQ(7,
		  limits_of(LODGE_SCOPE_USER, BOB).limit[LODGE_RESOURCE_VCPUS]);
	lodge_limits_inherit(KUIDT_INIT(BOB));
	bob = limits_of(LODGE_SCOPE_USER, BOB);
	EXPECT_TRUE(bob.inherits);
	EXPECT_EQ(3, bob.limit[LODGE_RESOURCE_VCPUS]);
}

/* As many as may have limits of their own. */
#define OWN 1024

TEST_F(user, so_many_users_have_limits_of_their_own_and_no_more)
{
	for (u32 i = 0; i < OWN; i++)
		ASSERT_EQ(0, set_own(i, LODGE_RESOURCE_VMS, 1));
	EXPECT_EQ(-ENOSPC, set_own(OWN, LODGE_RESOURCE_VMS, 1));
	EXPECT_EQ(0, set_own(0, LODGE_RESOURCE_VMS, 2));
	EXPECT_EQ(0, set_own(0, LODGE_RESOURCE_VCPUS, 2));
	/* To forget what there is not makes no room. */
	lodge_limits_inherit(KUIDT_INIT(OWN));
	EXPECT_EQ(-ENOSPC, set_own(OWN, LODGE_RESOURCE_VMS, 1));
	lodge_limits_inherit(KUIDT_INIT(3));
	EXPECT_EQ(0, set_own(OWN, LODGE_RESOURCE_VMS, 1));
	EXPECT_EQ(-ENOSPC, set_own(3, LODGE_RESOURCE_VMS, 1));
}

TEST_F(user, none_has_limits_of_its_own_after_the_module_was_unloaded)
{
	int error = 0;

	for (int round = 0; round < 2; round++) {
		for (u32 i = 0; i < OWN && !error; i++)
			error = set_own(i, LODGE_RESOURCE_VMS, 1);
		EXPECT_EQ(0, error);
		lodge_user_exit();
		EXPECT_EQ(0, kernel_users);
	}
}

TEST_F(user, without_memory_a_new_user_is_refused)
{
	struct lodge_user *alice = vm_of(ALICE, 0);

	no_memory = true;
	EXPECT_EQ(ERR_PTR(-ENOMEM), vm_of(BOB, 0));
	EXPECT_EQ(-ENOMEM, set_own(BOB, LODGE_RESOURCE_VMS, 1));
	EXPECT_EQ(alice, vm_of(ALICE, 0));
	lodge_user_put_vm(alice, 0);
	lodge_user_put_vm(alice, 0);
}

TEST_F(user, who_holds_nothing_is_forgotten)
{
	*kernel_user_vms = 0;
	EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(ALICE, 0));
	EXPECT_EQ(0, kernel_users);
	ASSERT_EQ(0, set_own(ALICE, LODGE_RESOURCE_VMS, 1));
	EXPECT_EQ(1, kernel_users);
	lodge_limits_inherit(KUIDT_INIT(ALICE));
	EXPECT_EQ(0, kernel_users);
}

TEST_F(user, users_are_found_once_each_by_their_number)
{
	struct lodge_user *carol = vm_of(CAROL, 0), *alice = vm_of(ALICE, 0);
	u32 generation = lodge_limits_generation();
	struct lodge_limits limits;

	ASSERT_EQ(0, set_own(BOB, LODGE_RESOURCE_VMS, 1));
	EXPECT_NE(generation, lodge_limits_generation());
	ASSERT_TRUE(next_user(0, &limits));
	EXPECT_EQ(ALICE, limits.uid.val);
	EXPECT_TRUE(limits.inherits);
	ASSERT_TRUE(next_user(ALICE + 1, &limits));
	EXPECT_EQ(BOB, limits.uid.val);
	ASSERT_TRUE(next_user(BOB + 1, &limits));
	EXPECT_EQ(CAROL, limits.uid.val);
	EXPECT_EQ(LODGE_SCOPE_USER, limits.scope);
	EXPECT_FALSE(next_user(CAROL + 1, &limits));
	EXPECT_FALSE(next_user(1ULL << 32, &limits));
	generation = lodge_limits_generation();
	lodge_user_put_vm(carol, 0);
	EXPECT_NE(generation, lodge_limits_generation());
	EXPECT_FALSE(next_user(BOB + 1, &limits));
	lodge_user_put_vm(alice, 0);
	EXPECT_TRUE(next_user(ALICE, &limits));
	EXPECT_EQ(BOB, limits.uid.val);
}

TEST_F(user, who_is_refused_does_not_disturb_a_list)
{
	struct lodge_user *bob = vm_of(BOB, 0);
	u32 generation = lodge_limits_generation();

	*kernel_user_vms = 0;
	EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(ALICE, 0));
	EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(BOB, 0));
	EXPECT_EQ(generation, lodge_limits_generation());
	*kernel_user_vms = 1;
	lodge_user_put_vm(vm_of(ALICE, 0), 0);
	EXPECT_NE(generation, lodge_limits_generation());
	lodge_user_put_vm(bob, 0);
}

TEST_F(user, tables_are_limited_by_user_and_in_all)
{
	struct lodge_user *alice = vm_of(ALICE, 0), *bob = vm_of(BOB, 0);
	struct lodge_npt npt = { .tables = 3 }, other = { .tables = 2 };

	*kernel_user_tables = 3 * PAGE_SIZE;
	*kernel_total_tables = 5 * PAGE_SIZE;
	lodge_npt_count_into(&npt, lodge_user_tables(alice));
	lodge_npt_count_into(&other, lodge_user_tables(bob));
	EXPECT_EQ(3 * PAGE_SIZE, used_by(ALICE, LODGE_RESOURCE_TABLES));
	EXPECT_EQ(5 * PAGE_SIZE, used_in_all(LODGE_RESOURCE_TABLES));
	EXPECT_FALSE(lodge_user_tables_exceeded(alice));
	ASSERT_EQ(0, set_own(BOB, LODGE_RESOURCE_TABLES, PAGE_SIZE));
	EXPECT_FALSE(lodge_user_tables_exceeded(alice));
	EXPECT_TRUE(lodge_user_tables_exceeded(bob));
	*kernel_total_tables = 5 * PAGE_SIZE - 1;
	EXPECT_TRUE(lodge_user_tables_exceeded(alice));
	lodge_user_put_vm(alice, 0);
	lodge_user_put_vm(bob, 0);
}

TEST_F(user, a_refusal_is_told_with_its_limit_and_whose_it_is)
{
	struct lodge_user *alice = vm_of(ALICE, 0);

	memset(&told, 0, sizeof(told));
	*kernel_user_vcpus = 0;
	EXPECT_EQ(-EDQUOT, lodge_user_get_vcpu(alice, 0));
	EXPECT_EQ(1, told.count);
	EXPECT_EQ(ALICE, told.uid);
	EXPECT_EQ(LODGE_LIMIT_VCPUS, told.limit);
	EXPECT_EQ(LODGE_SCOPE_DEFAULT, told.scope);
	ASSERT_EQ(0, set_own(ALICE, LODGE_RESOURCE_KERNEL, 0));
	EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(ALICE, 1));
	EXPECT_EQ(LODGE_LIMIT_KERNEL, told.limit);
	EXPECT_EQ(LODGE_SCOPE_USER, told.scope);
	*kernel_total_vms = 0;
	EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(ALICE, 0));
	EXPECT_EQ(LODGE_LIMIT_VMS, told.limit);
	EXPECT_EQ(LODGE_SCOPE_TOTAL, told.scope);
	lodge_user_put_vm(alice, 0);
}

TEST_F(user, whoever_asks_again_and_again_does_not_fill_the_news)
{
	struct lodge_user *alice;

	*kernel_user_vms = 0;
	memset(&told, 0, sizeof(told));
	/* Without a VM nothing is remembered of the user. */
	for (int i = 0; i < 3 * KERNEL_TOLD; i++)
		EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(ALICE, 0));
	EXPECT_EQ(KERNEL_TOLD, told.count);
	*kernel_user_vms = 1;
	alice = vm_of(ALICE, 0);
	told.count = 0;
	for (int i = 0; i < 3 * KERNEL_TOLD; i++)
		EXPECT_EQ(ERR_PTR(-EDQUOT), vm_of(ALICE, 0));
	EXPECT_EQ(KERNEL_TOLD, told.count);
	lodge_user_put_vm(alice, 0);
}

/*
 * Races
 */

#define THREADS 4
#define ROUNDS 500
#define MOST 3
#define SIZE 10

/* Between a look and what follows from it another thread runs. */
void kernel_interleave(void)
{
	sched_yield();
}

static int most_vms, most_vcpus;
static int vms_now, vcpus_now;

static void note(int *now, int *most, int change)
{
	int value = __atomic_add_fetch(now, change, __ATOMIC_SEQ_CST);
	int seen = __atomic_load_n(most, __ATOMIC_SEQ_CST);

	while (value > seen &&
	       !__atomic_compare_exchange_n(most, &seen, value, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void *racer(void *uid)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct lodge_user *user = vm_of((uintptr_t)uid, SIZE);

		if (IS_ERR(user))
			continue;
		note(&vms_now, &most_vms, 1);
		if (!lodge_user_get_vcpu(user, SIZE)) {
			note(&vcpus_now, &most_vcpus, 1);
			sched_yield();
			note(&vcpus_now, &most_vcpus, -1);
			lodge_user_put_vcpu(user, SIZE);
		}
		note(&vms_now, &most_vms, -1);
		lodge_user_put_vm(user, SIZE);
	}
	return NULL;
}

TEST_F(user, threads_that_race_exceed_no_limit_and_leave_nothing)
{
	struct lodge_limits limits;
	pthread_t thread[THREADS];

	*kernel_user_vms = THREADS;
	ASSERT_EQ(0, set_total(LODGE_RESOURCE_VMS, MOST));
	ASSERT_EQ(0, set_total(LODGE_RESOURCE_VCPUS, 1));
	ASSERT_EQ(0, set_total(LODGE_RESOURCE_KERNEL, 2 * MOST * SIZE));
	for (uintptr_t i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, racer,
					    (void *)(ALICE + i % 2)));
	/* Users come and go, and with them limits of their own. */
	for (int i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(0, set_own(ALICE, LODGE_RESOURCE_VMS, i % THREADS));
		EXPECT_GE(MOST, used_in_all(LODGE_RESOURCE_VMS));
		lodge_limits_inherit(KUIDT_INIT(ALICE));
		sched_yield();
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	EXPECT_LE(1, most_vms);
	EXPECT_GE(MOST, most_vms);
	EXPECT_EQ(1, most_vcpus);
	EXPECT_FALSE(next_user(0, &limits));
	for (int i = 0; i < LODGE_NR_RESOURCES; i++)
		EXPECT_EQ(0, used_in_all(i));
}

TEST_HARNESS_MAIN
