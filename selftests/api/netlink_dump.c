// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of many messages: a list that changes while it is read says so, names nothing
 * twice, and has all that was there from its beginning to its end.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"
#include "lib/client.h"
#include "netlink_fixture.h"
#include "waiting.h"

#include "kselftest_harness.h"

/* More than one datagram, of TALK_BUFFER bytes, can tell of. */
#define STEADY_VMS 200
#define COMERS 3
#define DUMPS 60

FIXTURE(dump)
{
	struct talk talk;
	struct list *list;
	int lodge;
	int vm[STEADY_VMS];
	uint32_t id[STEADY_VMS];
};

static void name_of(char name[LODGE_NAME_SIZE], int number)
{
	snprintf(name, LODGE_NAME_SIZE, "steady-%d", number);
}

FIXTURE_SETUP(dump)
{
	char name[LODGE_NAME_SIZE];
	struct seen seen;

	self->list = malloc(sizeof(*self->list));
	ASSERT_NE(NULL, self->list);
	self->lodge = lodge_open();
	ASSERT_LE(0, self->lodge);
	ASSERT_EQ(0, talk_open(&self->talk));
	for (int i = 0; i < STEADY_VMS; i++) {
		name_of(name, i);
		self->vm[i] = vm_create(self->lodge, name);
		ASSERT_LE(0, self->vm[i]);
		ASSERT_EQ(0, see_name(&self->talk, name, &seen));
		self->id[i] = seen.id;
	}
}

FIXTURE_TEARDOWN(dump)
{
	for (int i = 0; i < STEADY_VMS; i++)
		close(self->vm[i]);
	talk_close(&self->talk);
	close(self->lodge);
	free(self->list);
}

static bool has_all_steady(FIXTURE_DATA(dump) * self)
{
	for (int i = 0; i < STEADY_VMS; i++)
		if (!list_find(self->list, self->id[i])) {
			printf("# VM %u is not in the list\n", self->id[i]);
			return false;
		}
	return true;
}

TEST_F(dump, a_list_that_does_not_change_is_whole)
{
	ASSERT_EQ(0, see_all(&self->talk, self->list));
	EXPECT_EQ(STEADY_VMS, self->list->count);
	EXPECT_FALSE(self->talk.interrupted);
	EXPECT_TRUE(has_all_steady(self));
	EXPECT_TRUE(list_is_a_set(self->list));
}

/* Take one datagram of a list; return: true if the list is at its end. */
static bool take_part(FIXTURE_DATA(dump) * self)
{
	const struct nlmsghdr *header;
	struct talk_answer answer;

	if (talk_read(&self->talk, 0))
		return true;
	while ((header = talk_next(&self->talk))) {
		self->talk.interrupted |=
			!!(header->nlmsg_flags & NLM_F_DUMP_INTR);
		if (header->nlmsg_type == NLMSG_DONE)
			return true;
		if (talk_parse(&self->talk, header, &answer))
			list_take(self->list, &answer);
	}
	return false;
}

/* Ask for a list, and read its first part; return: false if that is all. */
static bool begin_list(FIXTURE_DATA(dump) * self)
{
	union talk_message message;

	self->list->count = 0;
	self->talk.interrupted = false;
	talk_begin(&self->talk, &message, LODGE_CMD_VM_GET, NLM_F_DUMP);
	return !talk_send(&self->talk, &message) && !take_part(self);
}

TEST_F(dump, a_vm_that_comes_in_the_middle_is_told_of_by_a_flag)
{
	int vm;

	ASSERT_TRUE(begin_list(self));
	vm = vm_create(self->lodge, "comes");
	EXPECT_LE(0, vm);
	while (!take_part(self))
		;
	EXPECT_TRUE(self->talk.interrupted);
	EXPECT_TRUE(has_all_steady(self));
	EXPECT_TRUE(list_is_a_set(self->list));
	close(vm);
}

/* One that was told of, and one of the last datagram: the kernel makes one ahead. */
TEST_F(dump, vms_that_go_in_the_middle_are_told_of_by_a_flag)
{
	const int gone[] = { 0, STEADY_VMS - 1 };

	ASSERT_TRUE(begin_list(self));
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		close(self->vm[gone[i]]);
		self->vm[gone[i]] = -1;
	}
	while (!take_part(self))
		;
	EXPECT_TRUE(self->talk.interrupted);
	EXPECT_TRUE(list_is_a_set(self->list));
	EXPECT_EQ(STEADY_VMS - 1, self->list->count);
	/* Once more, and it is whole again. */
	ASSERT_EQ(0, see_all(&self->talk, self->list));
	EXPECT_FALSE(self->talk.interrupted);
	EXPECT_EQ(STEADY_VMS - 2, self->list->count);
}

TEST_F(dump, all_vms_can_go_in_the_middle)
{
	ASSERT_TRUE(begin_list(self));
	for (int i = 0; i < STEADY_VMS; i++) {
		close(self->vm[i]);
		self->vm[i] = -1;
	}
	while (!take_part(self))
		;
	EXPECT_TRUE(self->talk.interrupted);
	ASSERT_EQ(0, see_all(&self->talk, self->list));
	EXPECT_EQ(0, self->list->count);
}

/* VMs can be made, run and closed although nobody reads on. */
TEST_F(dump, a_reader_that_sleeps_holds_nobody_up)
{
	struct seen seen;
	struct talk *other = malloc(sizeof(*other));
	int vm;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, talk_open(other));
	ASSERT_TRUE(begin_list(self));
	for (int i = 0; i < 10; i++) {
		vm = vm_create(self->lodge, "free");
		EXPECT_LE(0, vm);
		EXPECT_EQ(0, see_name(other, "free", &seen));
		EXPECT_EQ(0, kill_id(other, seen.id));
		close(vm);
	}
	while (!take_part(self))
		;
	talk_close(other);
	free(other);
}

TEST_F(dump, a_socket_can_be_closed_in_the_middle_of_a_list)
{
	for (int i = 0; i < 50; i++) {
		talk_close(&self->talk);
		ASSERT_EQ(0, talk_open(&self->talk));
		ASSERT_TRUE(begin_list(self));
	}
}

TEST_F(dump, a_second_list_is_refused_while_one_is_read)
{
	union talk_message message;

	ASSERT_TRUE(begin_list(self));
	talk_begin(&self->talk, &message, LODGE_CMD_VM_GET, NLM_F_DUMP);
	EXPECT_EQ(-EBUSY,
		  talk_do(&self->talk, &message, list_take, self->list));
}

/**
 * struct comer - a thread whose VMs come and go
 * @number: which
 */
struct comer {
	pthread_t thread;
	int number;
	int lodge;
	bool stop;
	int rounds;
	int error;
};

static void *comer_thread(void *argument)
{
	struct comer *comer = argument;
	char name[LODGE_NAME_SIZE];
	int vm[4];

	snprintf(name, sizeof(name), "comer-%d", comer->number);
	while (!SEEN(comer->stop) && !comer->error) {
		vm[0] = vm_create(comer->lodge, name);
		for (int i = 1; i < 4; i++)
			vm[i] = lodge_vm_create(comer->lodge);
		for (int i = 0; i < 4; i++) {
			if (vm[i] < 0)
				comer->error = vm[i];
			close(vm[i]);
		}
		__atomic_add_fetch(&comer->rounds, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void comers_start(struct comer comer[COMERS], int lodge)
{
	for (int i = 0; i < COMERS; i++) {
		comer[i] = (struct comer){ .number = i, .lodge = lodge };
		pthread_create(&comer[i].thread, NULL, comer_thread, &comer[i]);
	}
}

static int comers_stop(struct comer comer[COMERS])
{
	int error = 0;

	for (int i = 0; i < COMERS; i++) {
		__atomic_store_n(&comer[i].stop, true, __ATOMIC_SEQ_CST);
		pthread_join(comer[i].thread, NULL);
		if (comer[i].error)
			error = comer[i].error;
	}
	return error;
}

TEST_F(dump, lists_are_sets_while_vms_come_and_go)
{
	struct comer comer[COMERS];
	int flagged = 0;

	comers_start(comer, self->lodge);
	for (int i = 0; i < DUMPS || !flagged; i++) {
		ASSERT_TRUE(begin_list(self));
		/* Somebody comes or goes before the next part. */
		if (!flagged) {
			int rounds = SEEN(comer[0].rounds);

			EXPECT_TRUE(
				EVENTUALLY(SEEN(comer[0].rounds) != rounds));
		}
		while (!take_part(self))
			;
		flagged += self->talk.interrupted;
		ASSERT_TRUE(list_is_a_set(self->list));
		ASSERT_TRUE(has_all_steady(self));
	}
	EXPECT_LT(0, flagged);
	printf("# %d of %d lists had changed\n", flagged, DUMPS);
	EXPECT_EQ(0, comers_stop(comer));
}

/*
 * vCPUs and statistics: pairs of two numbers
 */

/**
 * struct pairs - what a list of vCPUs or of their statistics has told of
 * @seen: bit per vCPU, for the VM of that number in the fixture
 * @twice: one was told of twice
 */
struct pairs {
	const uint32_t *id;
	uint64_t seen[STEADY_VMS];
	bool twice;
};

static int pair_take(void *context, const struct talk_answer *answer)
{
	struct pairs *pairs = context;
	/* Of the same types: LODGE_VCPU_VM and LODGE_VCPU_ID. */
	uint32_t vm = talk_u32(answer, LODGE_STATS_VM);
	uint32_t vcpu = talk_u32(answer, LODGE_STATS_VCPU);

	for (int i = 0; i < STEADY_VMS; i++) {
		if (pairs->id[i] != vm || vcpu >= 64)
			continue;
		pairs->twice |= pairs->seen[i] >> vcpu & 1;
		pairs->seen[i] |= 1ULL << vcpu;
	}
	return 0;
}

static int see_pairs(FIXTURE_DATA(dump) * self, uint8_t command,
		     struct pairs *pairs)
{
	union talk_message message;

	*pairs = (struct pairs){ .id = self->id };
	talk_begin(&self->talk, &message, command, NLM_F_DUMP);
	return talk_do(&self->talk, &message, pair_take, pairs);
}

/* Three vCPUs in every tenth VM, and their numbers are not in a row. */
static bool make_vcpus(FIXTURE_DATA(dump) * self, int vcpu[STEADY_VMS],
		       struct lodge_run *run[STEADY_VMS], int *count)
{
	const uint32_t ids[] = { 0, 7, LODGE_MAX_VCPUS - 1 };

	for (int i = 0; i < STEADY_VMS; i += 10)
		for (size_t j = 0; j < ARRAY_SIZE(ids); j++) {
			vcpu[*count] = lodge_vcpu_create(self->vm[i], ids[j],
							 &run[*count]);
			if (vcpu[*count] < 0)
				return false;
			++*count;
		}
	return true;
}

TEST_F(dump, each_vcpu_is_told_of_once)
{
	const uint64_t three = 1 | 1ULL << 7 | 1ULL << 63;
	const uint8_t commands[] = { LODGE_CMD_VCPU_GET, LODGE_CMD_STATS_GET };
	struct lodge_run *run[STEADY_VMS];
	struct comer comer[COMERS];
	int vcpu[STEADY_VMS], count = 0;
	struct pairs pairs;

	ASSERT_TRUE(make_vcpus(self, vcpu, run, &count));
	comers_start(comer, self->lodge);
	for (int round = 0; round < DUMPS; round++) {
		ASSERT_EQ(0, see_pairs(self, commands[round % 2], &pairs));
		ASSERT_FALSE(pairs.twice);
		for (int i = 0; i < STEADY_VMS; i++)
			ASSERT_EQ(i % 10 ? 0 : three, pairs.seen[i]);
	}
	EXPECT_EQ(0, comers_stop(comer));
	while (count--)
		lodge_vcpu_close(vcpu[count], run[count]);
}

TEST_HARNESS_MAIN
