// SPDX-License-Identifier: GPL-2.0
/*
 * The controller's side of the netlink family, lib/netlink.h, with the module: VMs that
 * it lists, finds and kills, and the events of which it is told.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/client.h"
#include "lib/netlink.h"
#include "patience.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define ROUNDS 200
#define THREADS 2

FIXTURE(client)
{
	struct netlink *netlink;
	int lodge;
};

FIXTURE_SETUP(client)
{
	self->lodge = lodge_open();
	ASSERT_LE(0, self->lodge);
	ASSERT_EQ(0, netlink_open(&self->netlink));
}

FIXTURE_TEARDOWN(client)
{
	netlink_close(self->netlink);
	close(self->lodge);
}

TEST_F(client, a_vm_is_found_by_its_name_and_by_its_id)
{
	struct netlink_which which = { .name = "client-1" };
	int vm = lodge_vm_create_named(self->lodge, "client-1");
	struct netlink_vm by_name, by_id;

	ASSERT_LE(0, vm);
	ASSERT_EQ(0, netlink_vm_get(self->netlink, &which, &by_name));
	EXPECT_STREQ("client-1", by_name.name);
	EXPECT_EQ(getpid(), by_name.pid);
	EXPECT_EQ(getuid(), by_name.uid);
	EXPECT_EQ(LODGE_VM_ALIVE, by_name.state);
	EXPECT_TRUE(netlink_has(&by_name, LODGE_VM_RESIDENT));
	which = (struct netlink_which){ .id = by_name.id };
	ASSERT_EQ(0, netlink_vm_get(self->netlink, &which, &by_id));
	EXPECT_STREQ("client-1", by_id.name);
	close(vm);
	EXPECT_EQ(-ENOENT, netlink_vm_get(self->netlink, &which, &by_id));
}

TEST_F(client, after_an_error_the_next_call_gets_its_own_answer)
{
	struct netlink_which which = { .name = "nobody" };
	struct netlink_vcpu *vcpus;
	struct netlink_vm vm;
	size_t count;

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-ENOENT, netlink_vm_get(self->netlink, &which, &vm));
		EXPECT_EQ(-ENOENT, netlink_vcpu_list(self->netlink, 0xfffffff,
						     &vcpus, &count));
		EXPECT_EQ(0,
			  netlink_vcpu_list(self->netlink, 0, &vcpus, &count));
		free(vcpus);
	}
}

TEST_F(client, a_refusal_has_the_modules_words)
{
	const struct netlink_which which = { .name = "x", .has_uid = false };
	const struct netlink_which none = { .name = NULL };
	struct netlink_vm vm;

	EXPECT_EQ(-ENOENT, netlink_vm_get(self->netlink, &which, &vm));
	EXPECT_NE(0, netlink_vm_get(self->netlink, &none, &vm));
	EXPECT_EQ(-ERANGE, netlink_limit_get(self->netlink, 99, 0,
					     &(struct netlink_limit){ 0 }));
	EXPECT_STRNE("", netlink_message(self->netlink));
}

TEST_F(client, a_killed_vm_refuses_its_calls)
{
	struct netlink_which which = { .name = "client-2" };
	int vm = lodge_vm_create_named(self->lodge, "client-2");
	struct lodge_clock clock;
	struct netlink_vm seen;

	ASSERT_LE(0, vm);
	EXPECT_EQ(0, netlink_vm_kill(self->netlink, &which));
	EXPECT_EQ(-ECANCELED, lodge_clock_get(vm, &clock));
	EXPECT_EQ(0, netlink_vm_get(self->netlink, &which, &seen));
	EXPECT_EQ(LODGE_VM_KILLED, seen.state);
	close(vm);
}

/* Return: true if the VM's end is among the events from @next on, which have no gap. */
static bool is_gone(struct netlink *netlink, uint64_t next, const char *name)
{
	struct netlink_news *news;
	bool gone = false;
	size_t count;

	if (netlink_news_list(netlink, next, &news, &count))
		return false;
	for (size_t i = 0; i < count && news[i].seq == next + i; i++)
		gone |= news[i].kind == LODGE_NEWS_VM_GONE &&
			!strcmp(news[i].name, name);
	free(news);
	return gone;
}

TEST_F(client, events_are_told_and_none_is_missed)
{
	struct pollfd events = { .events = POLLIN };
	struct netlink_news *news;
	uint64_t next = 1;
	size_t count;
	int vm;

	events.fd = netlink_listen(self->netlink);
	ASSERT_LE(0, events.fd);
	ASSERT_EQ(0, netlink_news_list(self->netlink, 0, &news, &count));
	if (count)
		next = news[count - 1].seq + 1;
	free(news);
	netlink_drain(self->netlink);
	vm = lodge_vm_create_named(self->lodge, "client-3");
	ASSERT_LE(0, vm);
	close(vm);
	EXPECT_EQ(1, poll(&events, 1, PATIENCE * 1000));
	/* The VM's end may come after its descriptor is closed. */
	EXPECT_TRUE(EVENTUALLY(is_gone(self->netlink, next, "client-3")));
}

/* Makes VMs and closes them. */
static void *come_and_go(void *opaque)
{
	int vms[3] = { -1, -1, -1 };
	int *lodge = opaque;

	for (int i = 0; i < ROUNDS; i++) {
		close(vms[i % 3]);
		vms[i % 3] = lodge_vm_create(*lodge);
	}
	for (int i = 0; i < 3; i++)
		close(vms[i]);
	return NULL;
}

TEST_F(client, a_list_has_no_vm_twice_while_vms_come_and_go)
{
	pthread_t threads[THREADS];
	struct netlink_vm *vms;
	size_t count;

	for (int i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, come_and_go,
					    &self->lodge));
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, netlink_vm_list(self->netlink, &vms, &count));
		for (size_t n = 1; n < count; n++)
			EXPECT_GT(vms[n].id, vms[n - 1].id);
		free(vms);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

TEST_HARNESS_MAIN
