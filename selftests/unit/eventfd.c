// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of module/irqfd.c and module/ioeventfd.c with fake eventfds: who frees what, at
 * each point at which the last descriptor of an eventfd can be closed; and failures.
 */
#include "kernel_eventfd.h"

#include "interleave.h"

#include "apic.h"
#include "iobus.h"
#include "ioeventfd.h"
#include "irqfd.h"
#include "user.h"
#include "vcpu.h"
#include "vm.h"

#include "kselftest_harness.h"

/* A few, and as many as can be connected. */
#define NR_FDS 4
#define NR_MANY LODGE_MAX_IRQFDS
#define EDGE 0x41
#define LEVEL 0xc041

int kernel_locks;
unsigned int kernel_hash_steps;

/* What is open: descriptors hold files, files hold eventfds. */
static struct file *files[NR_MANY];
static int nr_files, nr_eventfds;
static long kernel_bytes;
static struct work_struct *works;
/* Messages that were sent, and the last one. */
static unsigned int sent;
static u32 sent_data;
/* The allocation that fails, counted from 1. */
static int fails_at;
static bool has_no_quota;
/* The message is addressed to other vCPUs. */
static bool is_for_another;
static struct lodge_iodevice *on_bus;
static int bus_error;

bool kernel_has_no_memory(void)
{
	return fails_at && !--fails_at;
}

void kernel_queue_work(struct work_struct *work)
{
	struct work_struct *other;

	for (other = works; other; other = other->next)
		if (other == work)
			return;
	work->next = works;
	works = work;
}

void kernel_work(void)
{
	struct work_struct *work;

	kernel_require(!kernel_locks);
	while ((work = works)) {
		works = work->next;
		work->call(work);
	}
}

/* ------------------------------------------------------------------- eventfds */

static int fd_open(int fd)
{
	struct eventfd_ctx *eventfd = calloc(1, sizeof(*eventfd));

	INIT_LIST_HEAD(&eventfd->head.waits);
	eventfd->users = 1;
	files[fd] = calloc(1, sizeof(struct file));
	files[fd]->eventfd = eventfd;
	files[fd]->users = 1;
	nr_files++;
	nr_eventfds++;
	return fd;
}

static void wake(struct eventfd_ctx *eventfd, unsigned long events)
{
	wait_queue_entry_t *wait, *next;

	spin_lock(&eventfd->head.lock);
	list_for_each_entry_safe(wait, next, &eventfd->head.waits, node)
		wait->func(wait, 0, 0, (void *)events);
	spin_unlock(&eventfd->head.lock);
}

void eventfd_ctx_put(struct eventfd_ctx *eventfd)
{
	if (--eventfd->users)
		return;
	kernel_require(list_empty(&eventfd->head.waits));
	nr_eventfds--;
	free(eventfd);
}

void fput(struct file *file)
{
	if (--file->users)
		return;
	wake(file->eventfd, EPOLLHUP);
	eventfd_ctx_put(file->eventfd);
	nr_files--;
	free(file);
}

static void fd_close(int fd)
{
	struct file *file = files[fd];

	files[fd] = NULL;
	if (file)
		fput(file);
}

struct file *eventfd_fget(int fd)
{
	if (fd < 0 || fd >= NR_MANY || !files[fd])
		return ERR_PTR(-EBADF);
	files[fd]->users++;
	return files[fd];
}

struct eventfd_ctx *eventfd_ctx_fileget(struct file *file)
{
	file->eventfd->users++;
	return file->eventfd;
}

struct eventfd_ctx *eventfd_ctx_fdget(int fd)
{
	struct file *file = eventfd_fget(fd);
	struct eventfd_ctx *eventfd;

	if (IS_ERR(file))
		return (void *)file;
	eventfd = eventfd_ctx_fileget(file);
	fput(file);
	return eventfd;
}

void eventfd_ctx_do_read(struct eventfd_ctx *eventfd, u64 *count)
{
	kernel_require(eventfd->head.lock);
	*count = eventfd->count;
	eventfd->count = 0;
}

void lodge_eventfd_signal(struct eventfd_ctx *eventfd)
{
	kernel_require(!kernel_locks);
	eventfd->count++;
	wake(eventfd, EPOLLIN);
}

/* --------------------------------------------------------- the rest of the module */

int lodge_user_get_kernel(struct lodge_user *user, u64 kernel)
{
	if (has_no_quota)
		return -EDQUOT;
	kernel_bytes += kernel;
	return 0;
}

void lodge_user_put_kernel(struct lodge_user *user, u64 kernel)
{
	kernel_bytes -= kernel;
}

bool lodge_irq_msi_valid(const struct lodge_msi *msi)
{
	return true;
}

bool lodge_irq_msi_is_level(const struct lodge_msi *msi)
{
	return msi->data & 0x8000;
}

bool lodge_irq_msi_is_for(const struct lodge_msi *msi,
			  const struct lodge_apic *apic)
{
	return !is_for_another;
}

int lodge_irq_msi(struct lodge_apic_bus *bus, const struct lodge_msi *msi)
{
	/* Who changes the message waits for this one: its lock is held. */
	kernel_require(kernel_locks);
	sent++;
	sent_data = msi->data;
	return 0;
}

int lodge_iobus_add(struct lodge_vm *vm, enum lodge_iobus_space space,
		    u64 first, u64 size, struct lodge_iodevice *device)
{
	if (bus_error)
		return bus_error;
	on_bus = device;
	return 0;
}

int lodge_iobus_remove(struct lodge_vm *vm, enum lodge_iobus_space space,
		       struct lodge_iodevice *device)
{
	kernel_require(device == on_bus);
	on_bus = NULL;
	device->ops->release(device);
	return 0;
}

/* --------------------------------------------------------------------- fixture */

FIXTURE(eventfd)
{
	struct lodge_vm *vm;
	struct lodge_vcpu *vcpu;
};

FIXTURE_SETUP(eventfd)
{
	sent = sent_data = 0;
	fails_at = 0;
	has_no_quota = is_for_another = false;
	bus_error = 0;
	on_bus = NULL;
	interleave.happens = NULL;
	self->vm = calloc(1, sizeof(*self->vm));
	self->vcpu = calloc(1, sizeof(*self->vcpu));
	self->vcpu->vm = self->vm;
	lodge_irqfd_init(&self->vm->irqfds);
	lodge_ioeventfd_init(&self->vm->ioeventfds);
	for (int fd = 0; fd < NR_FDS; fd++)
		fd_open(fd);
}

/* Whatever the test did: at the end all is given back. */
FIXTURE_TEARDOWN(eventfd)
{
	lodge_irqfd_fini(self->vm);
	if (on_bus)
		on_bus->ops->release(on_bus);
	EXPECT_EQ(0U, self->vm->ioeventfds.nr);
	free(self->vm);
	free(self->vcpu);
	for (int fd = 0; fd < NR_MANY; fd++)
		fd_close(fd);
	EXPECT_EQ(0, nr_files);
	EXPECT_EQ(0, nr_eventfds);
	EXPECT_EQ(0, kernel_bytes);
	EXPECT_EQ(NULL, works);
	EXPECT_EQ(0, kernel_locks);
}

static long connect_fd(FIXTURE_DATA(eventfd) * self, int fd, int resample,
		       u32 data)
{
	const struct lodge_irqfd set = {
		.address = 0xfee00000,
		.data = data,
		.fd = fd,
		.resample = resample,
		.flags = data & 0x8000 ? LODGE_IRQFD_LEVEL : 0,
	};

	return lodge_irqfd_set(self->vm, &set);
}

static long disconnect_fd(FIXTURE_DATA(eventfd) * self, int fd)
{
	const struct lodge_irqfd set = { .fd = fd,
					 .flags = LODGE_IRQFD_REMOVE };

	return lodge_irqfd_set(self->vm, &set);
}

static long hang(FIXTURE_DATA(eventfd) * self, int fd, u64 match, u32 flags)
{
	const struct lodge_ioeventfd set = {
		.address = 0x1000,
		.size = 4,
		.fd = fd,
		.match = match,
		.flags = flags,
	};

	return lodge_ioeventfd_set(self->vm, &set);
}

static bool writes(FIXTURE_DATA(eventfd) * self, u32 value)
{
	bool answered;

	self->vm->slots_srcu.readers++;
	answered = on_bus->ops->write(self->vcpu, on_bus, 0, &value,
				      sizeof(value));
	self->vm->slots_srcu.readers--;
	return answered;
}

/* ----------------------------------------------------------------------- irqfd */

TEST_F(eventfd, each_signal_sends_the_message_and_is_taken)
{
	ASSERT_EQ(0, connect_fd(self, 0, 0, EDGE));
	EXPECT_EQ(0U, sent);
	lodge_eventfd_signal(files[0]->eventfd);
	lodge_eventfd_signal(files[0]->eventfd);
	EXPECT_EQ(2U, sent);
	EXPECT_EQ(EDGE, sent_data);
	EXPECT_EQ(0U, files[0]->eventfd->count);
}

TEST_F(eventfd, a_signal_from_before_sends_it_once)
{
	files[0]->eventfd->count = 3;
	ASSERT_EQ(0, connect_fd(self, 0, 0, EDGE));
	EXPECT_EQ(1U, sent);
	EXPECT_EQ(0U, files[0]->eventfd->count);
}

TEST_F(eventfd, another_message_takes_no_more)
{
	long bytes;

	ASSERT_EQ(0, connect_fd(self, 0, 0, EDGE));
	bytes = kernel_bytes;
	ASSERT_EQ(0, connect_fd(self, 0, 0, EDGE + 1));
	EXPECT_EQ(bytes, kernel_bytes);
	lodge_eventfd_signal(files[0]->eventfd);
	EXPECT_EQ(1U, sent);
	EXPECT_EQ(EDGE + 1, sent_data);
}

TEST_F(eventfd, after_its_removal_a_signal_sends_nothing)
{
	ASSERT_EQ(0, connect_fd(self, 0, 0, EDGE));
	ASSERT_EQ(0, disconnect_fd(self, 0));
	EXPECT_EQ(0, kernel_bytes);
	lodge_eventfd_signal(files[0]->eventfd);
	EXPECT_EQ(0U, sent);
	EXPECT_EQ(-ENOENT, disconnect_fd(self, 0));
}

/* Not by a walk past all the others. */
TEST_F(eventfd, each_of_the_most_is_found_quickly)
{
	const unsigned int chain = NR_MANY >> LODGE_IRQFD_HASH_BITS;

	for (int fd = NR_FDS; fd < NR_MANY; fd++)
		fd_open(fd);
	kernel_hash_steps = 0;
	for (int fd = 0; fd < NR_MANY; fd++)
		ASSERT_EQ(0, connect_fd(self, fd, 0, EDGE));
	for (int fd = 0; fd < NR_MANY; fd++)
		ASSERT_EQ(0, connect_fd(self, fd, 0, EDGE + 1));
	for (int fd = 0; fd < NR_MANY; fd++)
		ASSERT_EQ(0, disconnect_fd(self, fd));
	EXPECT_GT(3 * 2 * chain * NR_MANY, kernel_hash_steps);
	EXPECT_LT(NR_MANY, kernel_hash_steps);
	EXPECT_EQ(0, kernel_bytes);
}

TEST_F(eventfd, a_closed_one_is_freed_later)
{
	ASSERT_EQ(0, connect_fd(self, 0, 0, EDGE));
	fd_close(0);
	EXPECT_NE(NULL, works);
	EXPECT_NE(0, kernel_bytes);
	kernel_work();
	EXPECT_EQ(0, kernel_bytes);
}

TEST_F(eventfd, the_end_of_a_vector_is_told_to_all_that_have_it)
{
	ASSERT_EQ(0, connect_fd(self, 0, 2, LEVEL));
	ASSERT_EQ(0, connect_fd(self, 1, 3, LEVEL));
	EXPECT_TRUE(lodge_irqfd_ended(self->vcpu, 0x41));
	EXPECT_EQ(1U, files[2]->eventfd->count);
	EXPECT_EQ(1U, files[3]->eventfd->count);
	EXPECT_FALSE(lodge_irqfd_ended(self->vcpu, 0x42));
	ASSERT_EQ(0, connect_fd(self, 0, 2, LEVEL + 1));
	EXPECT_TRUE(lodge_irqfd_ended(self->vcpu, 0x42));
	EXPECT_EQ(2U, files[2]->eventfd->count);
	EXPECT_EQ(1U, files[3]->eventfd->count);
	fd_close(0);
	EXPECT_FALSE(lodge_irqfd_ended(self->vcpu, 0x42));
}

TEST_F(eventfd, the_end_of_a_vector_at_another_vcpu_is_told_to_user_space_too)
{
	ASSERT_EQ(0, connect_fd(self, 0, 2, LEVEL));
	is_for_another = true;
	EXPECT_FALSE(lodge_irqfd_ended(self->vcpu, 0x41));
	EXPECT_EQ(1U, files[2]->eventfd->count);
	is_for_another = false;
	EXPECT_TRUE(lodge_irqfd_ended(self->vcpu, 0x41));
	EXPECT_EQ(2U, files[2]->eventfd->count);
}

TEST_F(eventfd, an_eventfd_may_tell_itself)
{
	ASSERT_EQ(0, connect_fd(self, 1, 1, LEVEL));
	EXPECT_TRUE(lodge_irqfd_ended(self->vcpu, 0x41));
	EXPECT_EQ(1U, sent);
}

/* The first descriptor is closed at each point of what another thread does. */
static void the_first_is_closed(void)
{
	/* Another CPU would wait for them. */
	if (!kernel_locks)
		fd_close(0);
}

static bool at_each_point(FIXTURE_DATA(eventfd) * self, u32 data,
			  long (*does)(FIXTURE_DATA(eventfd) * self))
{
	for (unsigned int at = 0;; at++) {
		bool over;

		if (!files[0])
			fd_open(0);
		if (connect_fd(self, 0, 2, data))
			return false;
		interleave.at = at;
		interleave.happens = the_first_is_closed;
		does(self);
		over = interleave.happens;
		interleave.happens = NULL;
		/* Closed, and neither freed nor about to be. */
		if (!files[0] && kernel_bytes && !works)
			return false;
		kernel_work();
		if (over)
			return at > 1;
	}
}

static long removes(FIXTURE_DATA(eventfd) * self)
{
	return disconnect_fd(self, 0);
}

static long changes(FIXTURE_DATA(eventfd) * self)
{
	return connect_fd(self, 0, 2, LEVEL + 2);
}

static long ends(FIXTURE_DATA(eventfd) * self)
{
	lodge_irqfd_fini(self->vm);
	return 0;
}

TEST_F(eventfd, closing_one_meets_its_removal_its_change_and_the_end_of_the_vm)
{
	EXPECT_TRUE(at_each_point(self, LEVEL, removes));
	EXPECT_TRUE(at_each_point(self, LEVEL, changes));
	EXPECT_TRUE(at_each_point(self, LEVEL, ends));
}

TEST_F(eventfd, what_cannot_be_connected_holds_nothing)
{
	has_no_quota = true;
	EXPECT_EQ(-EDQUOT, connect_fd(self, 0, 0, EDGE));
	has_no_quota = false;
	fails_at = 1;
	EXPECT_EQ(-ENOMEM, connect_fd(self, 0, 2, LEVEL));
	EXPECT_EQ(-EBADF, connect_fd(self, 0, 9, LEVEL));
	EXPECT_EQ(-EBADF, connect_fd(self, -1, 0, EDGE));
	EXPECT_EQ(0, kernel_bytes);
	EXPECT_EQ(1, files[0]->eventfd->users);
	EXPECT_EQ(1, files[2]->eventfd->users);
}

/* ------------------------------------------------------------------- ioeventfd */

TEST_F(eventfd, a_write_rings_one_bell)
{
	ASSERT_EQ(0, hang(self, 0, 1, LODGE_IOEVENTFD_MATCH));
	ASSERT_EQ(0, hang(self, 1, 2, LODGE_IOEVENTFD_MATCH));
	EXPECT_TRUE(writes(self, 2));
	EXPECT_FALSE(writes(self, 3));
	EXPECT_EQ(0U, files[0]->eventfd->count);
	EXPECT_EQ(1U, files[1]->eventfd->count);
}

/* With interrupts off nobody has looked what is written. */
static bool writes_unknown(FIXTURE_DATA(eventfd) * self)
{
	bool answered;

	self->vm->slots_srcu.readers++;
	answered = on_bus->ops->write_quick(self->vcpu, on_bus, 0, NULL, 0);
	self->vm->slots_srcu.readers--;
	return answered;
}

TEST_F(eventfd, a_write_of_unknown_size_rings_a_bell_for_any)
{
	const struct lodge_ioeventfd any = { .address = 0x1000, .fd = 0 };

	ASSERT_EQ(0, lodge_ioeventfd_set(self->vm, &any));
	EXPECT_TRUE(on_bus->any_size);
	EXPECT_TRUE(writes_unknown(self));
	EXPECT_EQ(1U, files[0]->eventfd->count);
}

TEST_F(eventfd, a_write_of_unknown_size_rings_no_bell_for_one)
{
	ASSERT_EQ(0, hang(self, 0, 0, 0));
	EXPECT_FALSE(writes_unknown(self));
	ASSERT_EQ(0, hang(self, 0, 0, LODGE_IOEVENTFD_REMOVE));
	ASSERT_EQ(0, hang(self, 0, 0, LODGE_IOEVENTFD_MATCH));
	EXPECT_FALSE(writes_unknown(self));
	EXPECT_EQ(0U, files[0]->eventfd->count);
}

TEST_F(eventfd, a_bell_outlives_its_descriptor)
{
	ASSERT_EQ(0, hang(self, 0, 0, 0));
	fd_close(0);
	EXPECT_TRUE(writes(self, 0));
	EXPECT_EQ(1, nr_eventfds - nr_files);
}

TEST_F(eventfd, the_last_bell_takes_its_door_along)
{
	const u32 flags = LODGE_IOEVENTFD_MATCH;

	ASSERT_EQ(0, hang(self, 0, 1, flags));
	ASSERT_EQ(0, hang(self, 0, 2, flags));
	ASSERT_EQ(0, hang(self, 0, 1, flags | LODGE_IOEVENTFD_REMOVE));
	EXPECT_NE(NULL, on_bus);
	EXPECT_FALSE(writes(self, 1));
	EXPECT_TRUE(writes(self, 2));
	ASSERT_EQ(0, hang(self, 0, 2, flags | LODGE_IOEVENTFD_REMOVE));
	EXPECT_EQ(NULL, on_bus);
	EXPECT_EQ(0, kernel_bytes);
	EXPECT_EQ(1, files[0]->eventfd->users);
}

TEST_F(eventfd, what_cannot_be_hung_holds_nothing)
{
	has_no_quota = true;
	EXPECT_EQ(-EDQUOT, hang(self, 0, 0, 0));
	has_no_quota = false;
	for (int i = 1; i <= 2; i++) {
		fails_at = i;
		EXPECT_EQ(-ENOMEM, hang(self, 0, 0, 0));
	}
	bus_error = -EEXIST;
	EXPECT_EQ(-EEXIST, hang(self, 0, 0, 0));
	bus_error = 0;
	ASSERT_EQ(0, hang(self, 0, 0, 0));
	EXPECT_EQ(-EEXIST, hang(self, 1, 0, 0));
	EXPECT_EQ(1, files[1]->eventfd->users);
	EXPECT_EQ(1U, self->vm->ioeventfds.nr);
}

TEST_HARNESS_MAIN
