// SPDX-License-Identifier: GPL-2.0
/*
 * Debian's kernels, unmodified, as guests.  Two run side by side, once for all
 * the tests: the host's own kernel on two vCPUs, and the other kernel on one.
 * Over the two hosts each kernel is so booted with both numbers.
 *
 * The first guest tells its facts (see guest/facts.sh), takes a command and
 * powers off.  The second one reboots by a triple fault, tells its facts in its
 * second life, panics, and reboots from that as Linux does by itself.
 */
#include <cpuid.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "guest.h"
#include "kselftest_harness.h"

#define EXIT_POWER_OFF 0
#define EXIT_SIGNALLED (128 + SIGTERM)

#define PROMPT "/ # "

/**
 * struct life - a guest and what it has done
 * @kernel: 6.1 or 6.12
 * @cpus: number of vCPUs
 * @append: its command line
 * @start: host's time when it was started
 * @end: host's time when it had ended
 * @shell: a shell has given its prompt
 * @told: it has told all its facts
 * @answered: what was typed into its shell has been answered
 * @again: it has come to a shell once more
 * @third: after its panic it has begun to boot again
 * @status: exit status of the controller
 */
struct life {
	const char *kernel;
	const char *cpus;
	const char *append;
	struct guest guest;
	time_t start;
	time_t end;
	bool shell;
	bool told;
	bool answered;
	bool again;
	bool third;
	int status;
};

enum { FIRST, SECOND, NR_LIVES };
static struct life lives[NR_LIVES];

static bool start(struct life *life)
{
	char image[32];
	const char *const arguments[] = {
		"--kernel", image,	  "--initrd", "guest.cpio",
		"--cpus",   life->cpus,	  "--memory", "192M",
		"--append", life->append, NULL,
	};

	snprintf(image, sizeof(image), "vmlinuz-%s", life->kernel);
	life->start = time(NULL);
	life->status = guest_start(&life->guest, arguments);
	return !life->status;
}

static void tell_facts(struct life *life)
{
	guest_type(&life->guest, "sh /scripts/facts\n");
	life->told = guest_wait(&life->guest, "facts: told", PATIENCE) &&
		     guest_wait(&life->guest, PROMPT, PATIENCE);
}

static void end(struct life *life)
{
	life->status = guest_end(&life->guest, PATIENCE);
	life->end = time(NULL);
}

static void *live_to_power_off(void *opaque)
{
	struct life *life = opaque;

	if (!start(life))
		return NULL;
	life->shell = guest_wait(&life->guest, PROMPT, PATIENCE);
	if (life->shell)
		tell_facts(life);
	/* Text typed ahead would be echoed into the answer. */
	guest_type(&life->guest, "echo $((6 * 7)) is the answer\n");
	life->answered =
		guest_wait(&life->guest, "\n42 is the answer", PATIENCE);
	guest_type(&life->guest, "exit\n");
	end(life);
	return NULL;
}

static void *live_three_times(void *opaque)
{
	struct life *life = opaque;

	if (!start(life))
		return NULL;
	life->shell = guest_wait(&life->guest, PROMPT, PATIENCE);
	guest_type(&life->guest, "reboot -f\n");
	life->again = life->shell && guest_wait(&life->guest, PROMPT, PATIENCE);
	if (life->again)
		tell_facts(life);
	guest_type(&life->guest, "echo acpi >/sys/kernel/reboot/type\n"
				 "echo -1 >/proc/sys/kernel/panic\n"
				 "echo c >/proc/sysrq-trigger\n");
	life->third = guest_wait(&life->guest, "Kernel panic", PATIENCE) &&
		      guest_wait(&life->guest, "KASLR using", PATIENCE);
	kill(life->guest.pid, SIGTERM);
	end(life);
	return NULL;
}

static void live(void)
{
	static void *(*const courses[NR_LIVES])(void *) = {
		[FIRST] = live_to_power_off,
		[SECOND] = live_three_times,
	};
	pthread_t threads[NR_LIVES];
	struct utsname host;
	bool newer;

	uname(&host);
	newer = !strncmp(host.release, "6.12.", strlen("6.12."));
	lives[FIRST].kernel = newer ? "6.12" : "6.1";
	lives[FIRST].cpus = "2";
	lives[FIRST].append = "console=ttyS0 quiet run=shell";
	lives[SECOND].kernel = newer ? "6.1" : "6.12";
	lives[SECOND].cpus = "1";
	lives[SECOND].append = "console=ttyS0 quiet run=shell reboot=t "
			       "earlyprintk=ttyS0";
	for (int i = 0; i < NR_LIVES; i++)
		pthread_create(&threads[i], NULL, courses[i], &lives[i]);
	for (int i = 0; i < NR_LIVES; i++)
		pthread_join(threads[i], NULL);
}

/* The value that a guest has told under this name; empty: none. */
static const char *fact(const struct life *life, const char *name)
{
	static char value[256];
	char key[64];
	const char *found;

	snprintf(key, sizeof(key), "\n%s: ", name);
	found = strstr(life->guest.text, key);
	value[0] = '\0';
	if (found) {
		found += strlen(key);
		snprintf(value, sizeof(value), "%.*s",
			 (int)strcspn(found, "\r\n"), found);
	}
	return value;
}

static long number(const struct life *life, const char *name)
{
	const char *value = fact(life, name);

	return *value ? strtol(value, NULL, 10) : -1;
}

/* The number of numbers above zero in a fact. */
static int above_zero(const struct life *life, const char *name)
{
	const char *value = fact(life, name);
	char *end;
	int count = 0;

	for (long n = strtol(value, &end, 10); end != value;
	     value = end, n = strtol(value, &end, 10))
		count += n > 0;
	return count;
}

FIXTURE(linux_guest)
{
	const struct life *life;
	int cpus;
};

FIXTURE_VARIANT(linux_guest)
{
	int life;
};

FIXTURE_VARIANT_ADD(linux_guest, hosts_kernel_on_two_cpus){
	.life = FIRST,
};

FIXTURE_VARIANT_ADD(linux_guest, other_kernel_on_one_cpu){
	.life = SECOND,
};

FIXTURE_SETUP(linux_guest)
{
	self->life = &lives[variant->life];
	self->cpus = atoi(self->life->cpus);
}

FIXTURE_TEARDOWN(linux_guest)
{
}

TEST_F(linux_guest, boots_to_a_shell_on_the_serial_port)
{
	EXPECT_TRUE(self->life->shell)
	{
		TH_LOG("console: %s", guest_tail(&self->life->guest));
		TH_LOG("lodge: %s", self->life->guest.errors);
	}
}

TEST_F(linux_guest, runs_a_script_to_its_end)
{
	EXPECT_TRUE(self->life->told)
	{
		TH_LOG("console: %s", guest_tail(&self->life->guest));
		TH_LOG("lodge: %s", self->life->guest.errors);
	}
}

TEST_F(linux_guest, is_the_kernel_that_was_given)
{
	char start[16];

	snprintf(start, sizeof(start), "%s.", self->life->kernel);
	EXPECT_EQ(0,
		  strncmp(start, fact(self->life, "release"), strlen(start)));
}

TEST_F(linux_guest, has_all_its_processors)
{
	EXPECT_EQ(self->cpus, number(self->life, "processors"));
}

TEST_F(linux_guest, runs_programs_on_each_processor)
{
	EXPECT_STREQ(self->cpus == 2 ? "0 1" : "0", fact(self->life, "ran-on"));
}

/* CPUID 0x80000007, EDX: the counter has one rate and never stops. */
static bool tsc_is_invariant(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) &&
	       edx & (1U << 8);
}

TEST_F(linux_guest, takes_its_time_from_kvm_clock_or_from_an_invariant_tsc)
{
	EXPECT_STREQ(tsc_is_invariant() ? "tsc" : "kvm-clock",
		     fact(self->life, "clocksource"));
}

TEST_F(linux_guest, uses_x2apic)
{
	EXPECT_STREQ("x2apic enabled", fact(self->life, "apic"));
}

TEST_F(linux_guest, uses_pci_as_the_acpi_tables_describe_it)
{
	EXPECT_STREQ("0x060000", fact(self->life, "pci-bridge"));
	EXPECT_STREQ("c0000000-c00fffff", fact(self->life, "pci-config"));
	EXPECT_STREQ("c0100000-febfffff 100000000-10ffffffff",
		     fact(self->life, "pci-memory"));
}

TEST_F(linux_guest, sleeps_no_shorter_than_it_wants)
{
	EXPECT_LE(200, number(self->life, "slept"));
}

TEST_F(linux_guest, has_a_date_that_keeps_pace_with_its_uptime)
{
	long slept = number(self->life, "slept") / 100;
	long advanced = number(self->life, "date-advanced");

	/* It has slept for two seconds; each of the three is cut off. */
	EXPECT_LE(1, advanced);
	EXPECT_GE(slept + 1, advanced);
}

TEST_F(linux_guest, has_the_hosts_date)
{
	EXPECT_LE(self->life->start - 2, number(self->life, "date"));
	EXPECT_GE(self->life->end + 2, number(self->life, "date"));
}

TEST_F(linux_guest, has_timer_interrupts_on_each_processor)
{
	EXPECT_EQ(self->cpus, above_zero(self->life, "timer-interrupts"));
}

TEST_F(linux_guest, sends_interrupts_between_its_processors)
{
	EXPECT_EQ(self->cpus == 2 ? 2 : 0,
		  above_zero(self->life, "function-calls"));
}

TEST_F(linux_guest, gets_the_status_of_every_child)
{
	EXPECT_EQ(100, number(self->life, "children-in-turn"));
}

TEST_F(linux_guest, runs_many_children_at_once)
{
	EXPECT_EQ(50, number(self->life, "children-at-once"));
}

TEST_F(linux_guest, finds_in_all_its_memory_what_it_has_written)
{
	EXPECT_LT(64, number(self->life, "blocks"));
	EXPECT_EQ(number(self->life, "blocks"),
		  number(self->life, "good-blocks"));
	EXPECT_STREQ("good", fact(self->life, "last-block"));
}

TEST_F(linux_guest, has_nothing_to_complain_of)
{
	EXPECT_EQ(0, number(self->life, "complaints"))
	{
		TH_LOG("%s", strstr(self->life->guest.text, "\ncomplaint "));
	}
}

TEST(what_is_typed_reaches_the_shell)
{
	EXPECT_TRUE(lives[FIRST].answered);
}

TEST(a_guest_that_powers_off_ends_with_success)
{
	EXPECT_EQ(EXIT_POWER_OFF, lives[FIRST].status);
	EXPECT_STREQ("", lives[FIRST].guest.errors);
}

TEST(a_guest_that_reboots_by_a_triple_fault_starts_again)
{
	EXPECT_TRUE(lives[SECOND].again)
	{
		TH_LOG("console: %s", guest_tail(&lives[SECOND].guest));
	}
}

TEST(a_guest_that_reboots_after_a_panic_starts_again)
{
	EXPECT_TRUE(lives[SECOND].third)
	{
		TH_LOG("console: %s", guest_tail(&lives[SECOND].guest));
	}
	EXPECT_EQ(EXIT_SIGNALLED, lives[SECOND].status);
	EXPECT_STREQ("", lives[SECOND].guest.errors);
}

TEST(two_guests_run_side_by_side)
{
	EXPECT_GE(lives[FIRST].end, lives[SECOND].start);
	EXPECT_GE(lives[SECOND].end, lives[FIRST].start);
	EXPECT_TRUE(lives[FIRST].told && lives[SECOND].told);
}

int main(int argc, char **argv)
{
	live();
	return test_harness_run(argc, argv);
}
