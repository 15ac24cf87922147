// SPDX-License-Identifier: GPL-2.0
/*
 * However a process with a VM ends, in the middle of a run too, nothing stays
 * behind: no user of the module, no process, no memory.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "host.h"
#include "lib/client.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

/* Rounds that must not cost memory, and those before, that may. */
#define ROUNDS 150
#define WARM_UP 50
/* Sets of rounds of which each must have cost memory before it is a leak. */
#define SETS 10
/* Of half a second each. */
#define WAITS_FOR_FREEING 60

/* The ways in which the process ends. */
enum deed {
	SPINS,
	EXITS, /* to user space, all the time */
	SLEEPS, /* in HLT */
	WAITS, /* for a start-up IPI */
	QUEUES, /* for a vCPU that another thread runs */
	DEEDS,
};

/* The way in which it comes. */
enum end {
	KILLED,
	LEAVES, /* exit() in another thread */
	EXECUTES, /* exec() in another thread */
	FAULTS, /* SIGSEGV in another thread */
	ENDS,
};

static const char *const deeds[] = { "spins", "exits", "sleeps", "waits",
				     "queues" };
static const char *const ends[] = { "killed", "leaves", "executes", "faults" };

static int start(struct machine *machine, enum deed deed,
		 struct runner runner[2])
{
	const char *const code[] = { guest_spin, guest_out, guest_halt,
				     guest_spin, guest_spin };
	unsigned int id = deed == WAITS ? 1 : 0;
	int error;

	if (deed != WAITS) {
		error = machine_enter(machine, id, code[deed]);
		if (error)
			return error;
	}
	runner_start(&runner[0], machine, id);
	if (deed == QUEUES)
		runner_start(&runner[1], machine, id);
	/* A spinning guest can be seen to run, others by their thread. */
	if (deed == SPINS || deed == EXITS || deed == QUEUES)
		return !EVENTUALLY(machine_word(machine, GUEST_ROUNDS));
	runner_kick(&runner[0]);
	return !EVENTUALLY(SEEN(runner[0].kicks));
}

/* In the child: never comes back. */
static void live(enum deed deed, enum end end, int told)
{
	struct runner runner[2];
	struct machine machine;
	char ready = 1;

	if (machine_make(&machine, 2) || start(&machine, deed, runner))
		_exit(1);
	/* Longer, so that a second thread is where it shall be. */
	usleep(deed == QUEUES ? 20000 : 1000);
	if (write(told, &ready, 1) != 1)
		_exit(2);
	switch (end) {
	case LEAVES:
		_exit(0);
	case EXECUTES:
		execl("/bin/true", "true", NULL);
		_exit(3);
	case FAULTS:
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
		_exit(4);
	default:
		pause();
		_exit(5);
	}
}

/* Return: true if a process did its deed and came to its end. */
static bool live_and_end(enum deed deed, enum end end)
{
	int told[2], status;
	pid_t child;
	char ready;

	if (pipe(told))
		return false;
	child = fork();
	if (!child)
		live(deed, end, told[1]);
	close(told[1]);
	status = read(told[0], &ready, 1) == 1 ? 0 : -1;
	close(told[0]);
	if (end == KILLED)
		kill(child, SIGKILL);
	if (waitpid(child, &status, 0) != child)
		return false;
	switch (end) {
	case KILLED:
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	case FAULTS:
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
	default:
		return WIFEXITED(status) && !WEXITSTATUS(status);
	}
}

static bool live_many(enum deed deed, enum end end, int rounds)
{
	for (int i = 0; i < rounds; i++)
		if (!live_and_end(deed, end))
			return false;
	return true;
}

FIXTURE(leftovers)
{
	int unused;
};

FIXTURE_SETUP(leftovers)
{
	self->unused = 0;
	ASSERT_EQ(0, lodge_users());
}

/* Whatever became of the test, those after it need the module. */
FIXTURE_TEARDOWN(leftovers)
{
	lodge_insert();
	EXPECT_TRUE(EVENTUALLY(lodge_users() == 0));
}

TEST_F(leftovers, the_module_can_be_unloaded_after_every_end)
{
	for (int deed = 0; deed < DEEDS; deed++) {
		for (int end = 0; end < ENDS; end++) {
			EXPECT_TRUE(live_and_end(deed, end))
			TH_LOG("%s, %s", deeds[deed], ends[end]);
			EXPECT_TRUE(EVENTUALLY(lodge_users() == 0))
			TH_LOG("%s, %s: %d users", deeds[deed], ends[end],
			       lodge_users());
		}
		ASSERT_EQ(0, module_remove("lodge"))
		TH_LOG("%s", deeds[deed]);
		ASSERT_EQ(0, lodge_insert());
	}
}

TEST_F(leftovers, the_module_cannot_be_unloaded_while_it_is_used)
{
	int lodge = lodge_open();
	int vm = lodge_vm_create(lodge);
	struct lodge_run *run;
	int vcpu = lodge_vcpu_create(vm, 0, &run);

	ASSERT_LE(0, vcpu);
	EXPECT_EQ(-EWOULDBLOCK, module_remove("lodge"));
	close(lodge);
	EXPECT_EQ(-EWOULDBLOCK, module_remove("lodge"));
	close(vm);
	EXPECT_EQ(-EWOULDBLOCK, module_remove("lodge"));
	close(vcpu);
	/* The mapping alone keeps it. */
	EXPECT_EQ(-EWOULDBLOCK, module_remove("lodge"));
	munmap(run, LODGE_RUN_SIZE);
	EXPECT_TRUE(EVENTUALLY(!module_remove("lodge")));
	EXPECT_EQ(-ENOENT, lodge_open());
	EXPECT_EQ(0, lodge_insert());
}

TEST_F(leftovers, the_module_can_be_loaded_many_times)
{
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, module_remove("lodge"));
		ASSERT_EQ(0, lodge_insert());
		EXPECT_EQ(-EEXIST, lodge_insert());
		EXPECT_TRUE(live_and_end(EXITS, KILLED));
		EXPECT_TRUE(EVENTUALLY(lodge_users() == 0));
	}
}

/*
 * Memory
 */

#define CACHES 512
#define SLAB "/sys/kernel/slab"
/* Grows with each stack of a thread: the kernel gathers what it frees. */
#define LAZY_CACHE "vmap_area"

/**
 * struct memory - the amount of memory that the kernel uses
 * @free: pages that nobody uses
 * @caches: how many of the following
 * @cache: kernel object caches and how many objects each has
 */
struct memory {
	long free;
	int caches;
	struct {
		char name[64];
		long objects;
	} cache[CACHES];
};

/* Pages that nobody uses: free ones, and those that each processor keeps. */
static long pages_free(void)
{
	FILE *file = fopen("/proc/sys/vm/stat_refresh", "re");
	long value, sum = 0;
	char line[256];

	/* Reading it brings the counters up to date. */
	if (file) {
		fgetc(file);
		fclose(file);
	}
	file = fopen("/proc/zoneinfo", "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " nr_free_pages %ld", &value) == 1 ||
		    sscanf(line, " count: %ld", &value) == 1)
			sum += value;
	fclose(file);
	return sum;
}

/* Its debugging aids keep freed memory for a while; but they tell of leaks. */
static bool host_keeps_memory(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

/*
 * The processors give their partly used slabs back, whose free objects would count as
 * used: each processor that has taken one more would be a leak of many objects.
 */
static void caches_shrink(void)
{
	DIR *dir = opendir(SLAB);
	struct dirent *entry;
	char path[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), SLAB "/%s/shrink", entry->d_name);
		/* The others are names for the same cache. */
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			host_write(path, "1");
	}
	if (dir)
		closedir(dir);
}

static int memory_read(struct memory *memory)
{
	FILE *file;

	caches_shrink();
	file = fopen("/proc/slabinfo", "re");
	if (!file)
		return -errno;
	memory->caches = 0;
	/* Two lines of heading. */
	if (fscanf(file, "%*[^\n]\n%*[^\n]\n") == EOF)
		memory->caches = -1;
	while (memory->caches >= 0 && memory->caches < CACHES &&
	       fscanf(file, "%63s %ld%*[^\n]",
		      memory->cache[memory->caches].name,
		      &memory->cache[memory->caches].objects) == 2)
		memory->caches++;
	fclose(file);
	memory->free = pages_free();
	return memory->caches > 0 && memory->free > 0 ? 0 : -EIO;
}

/*
 * A leak in each of @rounds shows: a page, or an object in a cache.  Less than that is
 * the host's own coming and going.  Return: the name of what has grown, and by how much,
 * or NULL.
 */
static const char *grown(const struct memory *before, int rounds)
{
	static struct memory now;
	static char text[96];
	long growth;

	if (memory_read(&now))
		return "cannot be read";
	growth = before->free - now.free;
	snprintf(text, sizeof(text), "%ld pages", growth);
	if (growth >= rounds)
		return text;
	for (int i = 0; i < before->caches && i < now.caches; i++) {
		growth = now.cache[i].objects - before->cache[i].objects;
		if (growth < rounds || !strcmp(now.cache[i].name, LAZY_CACHE))
			continue;
		snprintf(text, sizeof(text), "%ld objects in %s", growth,
			 now.cache[i].name);
		return text;
	}
	return NULL;
}

/* As grown(), once what is freed with a delay is gone. */
static const char *leaked(const struct memory *before, int rounds)
{
	const char *name = grown(before, rounds);

	for (int i = 0; name && i < WAITS_FOR_FREEING; i++) {
		usleep(500000);
		name = grown(before, rounds);
	}
	return name;
}

/*
 * Free objects of the slab that a processor allocates from count as used: up to 512 for
 * each processor, which is more than one set of rounds would leak.  Such growth comes
 * once; a leak goes on in every set.  Return: as grown().
 */
static const char *leaks(enum deed deed, enum end end)
{
	static struct memory before;
	const char *name = "a first reading failed";

	if (!live_many(deed, end, WARM_UP) || memory_read(&before))
		return name;
	for (int set = 1; name && set <= SETS; set++) {
		if (!live_many(deed, end, ROUNDS))
			return "a process did not end as it should";
		name = leaked(&before, set * ROUNDS);
	}
	return name;
}

#define HOST_KEEPS_MEMORY \
	"this kernel keeps freed memory, and looks for leaks itself"

#define LEAKS_NOTHING(deed, end)                         \
	do {                                             \
		const char *name;                        \
                                                         \
		if (host_keeps_memory())                 \
			SKIP(return, HOST_KEEPS_MEMORY); \
		name = leaks(deed, end);                 \
		EXPECT_EQ(NULL, name)                    \
		TH_LOG("left behind: %s", name);         \
	} while (0)

TEST_F(leftovers, killed_runs_leave_no_memory)
{
	LEAKS_NOTHING(SPINS, KILLED);
}

TEST_F(leftovers, killed_sleepers_leave_no_memory)
{
	LEAKS_NOTHING(SLEEPS, KILLED);
}

TEST_F(leftovers, programs_that_leave_leave_no_memory)
{
	LEAKS_NOTHING(EXITS, LEAVES);
}

TEST_F(leftovers, programs_that_execute_others_leave_no_memory)
{
	LEAKS_NOTHING(EXITS, EXECUTES);
}

TEST_F(leftovers, refused_creations_leave_no_memory)
{
	static struct memory before;
	struct machine machine;
	struct lodge_run *run;
	const char *name;

	ASSERT_EQ(0, machine_make(&machine, 1));
	ASSERT_EQ(0, memory_read(&before));
	for (int i = 0; i < ROUNDS * 10; i++) {
		EXPECT_EQ(-EEXIST, lodge_vcpu_create(machine.vm, 0, &run));
		EXPECT_EQ(-EEXIST, lodge_memory_set(machine.vm, 1, 0, 0, 4096,
						    machine.memory));
	}
	name = leaked(&before, ROUNDS * 10);
	EXPECT_EQ(NULL, name)
	TH_LOG("left behind: %s", name);
	machine_end(&machine);
}

TEST_HARNESS_MAIN
