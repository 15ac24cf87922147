// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of `lodge ps`, `stat`, `events`, `kill` and `limit`: what they write, and their
 * messages and exit codes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/duration.h"
#include "cmd/exit_code.h"
#include "cmd/limit_option.h"
#include "fake_netlink.h"
#include "kselftest_harness.h"

#define MAX_WORDS 12
/* Users that no host has. */
#define ALICE 4000001
#define BOB 4000002
/* No process has this number: see PID_MAX_LIMIT of the kernel. */
#define NO_PID 4194305

static char out[16384], err[4096];

/* What the last command has asked for; shared with the child that has run it. */
static struct fake_netlink *asked;

static void take_text(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	text[length < 0 ? 0 : length] = '\0';
	close(fd);
}

/* Runs a command line, words with '|' between.  Return: its exit code. */
static int say_to(int output, const char *line)
{
	int files[2] = { output, memfd_create("err", 0) };
	char text[256], *rest = text, *word;
	char *argv[MAX_WORDS + 1] = { NULL };
	int argc = 0, status;
	pid_t child;

	snprintf(text, sizeof(text), "%s", line);
	while ((word = strsep(&rest, "|")) && argc < MAX_WORDS)
		argv[argc++] = word;
	fflush(NULL);
	child = fork();
	if (!child) {
		dup2(files[0], STDOUT_FILENO);
		dup2(files[1], STDERR_FILENO);
		status = command_call(command_find(argv[0]), argc, argv);
		*asked = fake_netlink;
		exit(status);
	}
	waitpid(child, &status, 0);
	take_text(files[0], out, sizeof(out));
	take_text(files[1], err, sizeof(err));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int say(const char *line)
{
	return say_to(memfd_create("out", 0), line);
}

static const struct netlink_vm vms[] = {
	{
		.present = FAKE_ALL,
		.id = 3,
		.name = "web",
		.uid = ALICE,
		.pid = NO_PID,
		.vcpus = 2,
		.state = LODGE_VM_ALIVE,
		.memory = 512 << 20,
		.resident = 3 << 19,
		.tables = 40960,
		.cgroup = 77,
	},
	{
		.present = FAKE_ALL,
		.id = 4,
		.name = "web",
		.uid = BOB,
		.state = LODGE_VM_KILLED,
	},
	{
		.present = FAKE_ALL,
		.id = 5,
		.name = "db",
		.uid = BOB,
		.state = 99,
	},
};

static const struct netlink_vcpu vcpus[] = {
	{
		.present = FAKE_ALL,
		.vm = 3,
		.id = 0,
		.state = LODGE_VCPU_GUEST_MODE,
		.tid = 813,
		.cpu = 1,
		.exit = LODGE_STAT_IO,
		.guest = 61000000000,
		.host = 2500000000,
		.wait = 7000000,
		.steal = 1000000,
	},
	{
		.vm = 3,
		.id = 1,
		.state = LODGE_VCPU_INITIAL,
	},
	{
		.vm = 4,
		.id = 0,
		.guest = 5000000000,
	},
};

static const struct netlink_stats stats[] = {
	{
		.present = FAKE_ALL,
		.vm = 3,
		.vcpu = 0,
		.exits = { [LODGE_STAT_CPUID] = 30, [LODGE_STAT_IO] = 60 },
		.quick = 30,
		.faults_2m = 7,
		.histogram = { [0] = 50, [LODGE_STAT_BUCKETS - 1] = 2 },
		.tsc_khz = 2000000,
	},
	{
		.present = FAKE_ALL,
		.vm = 3,
		.vcpu = 1,
		.exits = { [LODGE_STAT_IO] = 10 },
		.faults_2m = 1,
		.histogram = { [0] = 8 },
		.tsc_khz = 2000000,
	},
};

static const struct netlink_limit limits[] = {
	{
		.scope = LODGE_SCOPE_DEFAULT,
		.limits = { 256, 1024, 64 << 20, LODGE_LIMIT_NONE },
	},
	{
		.present = FAKE_ALL & ~(1ULL << LODGE_LIMIT_INHERIT),
		.scope = LODGE_SCOPE_USER,
		.uid = ALICE,
		.limits = { 2, 1024, 64 << 20, 1 << 20 },
		.used = { 1, 2, 40960, 4096 },
	},
	/* As it is told to all but root. */
	{
		.scope = LODGE_SCOPE_TOTAL,
		.limits = { 9, LODGE_LIMIT_NONE, 64 << 20, 1 << 20 },
	},
};

static struct netlink_news news[] = {
	{
		.present = 1ULL << LODGE_NEWS_SEQ,
		.seq = 7,
		.kind = LODGE_NEWS_HARDWARE_ON,
		.lost = 6,
	},
	{
		.present = FAKE_ALL,
		.seq = 8,
		.time = 1500000000,
		.kind = LODGE_NEWS_VCPU_STOPPED,
		.vm = 3,
		.name = "web",
		.uid = ALICE,
		.vcpu = 1,
		.reason = LODGE_EXIT_FAIL_ENTRY,
		.limit = LODGE_LIMIT_TABLES,
		.scope = LODGE_SCOPE_TOTAL,
		.text = "CR0.PG without \"CR0.PE\"",
	},
};

FIXTURE(view){};

FIXTURE_SETUP(view)
{
	asked = mmap(NULL, sizeof(*asked), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, asked);
	setenv("TZ", "UTC", 1);
	fake_netlink = (struct fake_netlink){
		.uid = ALICE,
		.vms = vms,
		.nr_vms = 3,
		.vcpus = vcpus,
		.nr_vcpus = 3,
		.stats = stats,
		.nr_stats = 2,
		.limits = limits,
		.nr_limits = 3,
		.news = news,
		.nr_news = 2,
	};
}

FIXTURE_TEARDOWN(view)
{
	munmap(asked, sizeof(*asked));
}

#define EXPECT_IN(text, part) \
	EXPECT_NE(NULL, strstr(text, part)) TH_LOG("%s", text)
#define EXPECT_NOT_IN(text, part) \
	EXPECT_EQ(NULL, strstr(text, part)) TH_LOG("%s", text)

TEST_F(view, without_the_module_each_command_says_how_to_load_it)
{
	static const char *const lines[] = {
		"ps",	    "stat|web", "events",      "events|--follow",
		"kill|web", "limit",	"limit|vms=1",
	};

	fake_netlink.open_error = -ENOENT;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		EXPECT_EQ(EXIT_CODE_HOST, say(lines[i]));
		EXPECT_IN(err, "modprobe lodge");
		EXPECT_STREQ("", out);
	}
}

TEST_F(view, each_help_has_examples_and_exit_codes)
{
	static const char *const lines[] = {
		"ps|--help",   "stat|--help",  "events|--help",
		"kill|--help", "limit|--help",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		EXPECT_EQ(0, say(lines[i]));
		EXPECT_IN(out, "Examples:");
		EXPECT_IN(out, "Exit codes:");
	}
}

TEST_F(view, a_wrong_command_line_is_refused)
{
	static const char *const lines[] = {
		"ps|web",
		"ps|--user|no-such-user-at-all",
		"stat",
		"stat|web|db",
		"stat|web|--id|3",
		"stat|--id|3|--id|4",
		"stat|--id|0",
		"stat|--id|web",
		"stat|--id|3|--user|0",
		"stat|web|--interval|0",
		"stat|web|--interval|1.5",
		"stat|web|--count|3",
		"stat|--serve|127.0.0.1:0|--count|3",
		"events|web",
		"kill",
		"kill|--id|0",
		"kill|--id|4294967296",
		"kill|--id|3|--user|0",
		"limit|vms",
		"limit|vms=",
		"limit|vms=1K",
		"limit|vms=-1",
		"limit|cpus=1",
		"limit|vms=1|vms=2",
		"limit|--inherit",
		"limit|--user|0|--inherit|vms=1",
		"limit|--user|0|--total",
		"limit|--json|vms=1",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		EXPECT_EQ(EXIT_CODE_USAGE, say(lines[i]));
		EXPECT_EQ(0, asked->change.changed);
	}
}

TEST_F(view, ps_has_a_row_for_each_vm)
{
	EXPECT_EQ(0, say("ps"));
	EXPECT_EQ(0, strncmp(out, "NAME  USER", 10));
	EXPECT_IN(out,
		  "\nweb   4000001  4194305      2    512M      1.5M     40K  "
		  "00:01:03  ");
	EXPECT_IN(out, "\nweb   4000002        -      0       0");
	EXPECT_IN(out, "  killed\n");
	EXPECT_IN(out, "  other\n");
}

TEST_F(view, ps_shows_the_vms_of_one_user_only_if_asked)
{
	EXPECT_EQ(0, say("ps|--user|4000001"));
	EXPECT_IN(out, "\nweb");
	EXPECT_NOT_IN(out, "4000002");
}

TEST_F(view, ps_without_vms_has_headings_only)
{
	fake_netlink.nr_vms = 0;
	EXPECT_EQ(0, say("ps"));
	EXPECT_EQ(out + strlen(out) - 1, strchr(out, '\n'));
	EXPECT_EQ(0, say("ps|--json"));
	EXPECT_STREQ("[]\n", out);
}

TEST_F(view, ps_shows_ids_and_control_groups_if_asked)
{
	EXPECT_EQ(0, say("ps|--long"));
	EXPECT_IN(out, "  STATE   ID  CPU-WEIGHT  MEMORY-MAX  CGROUP\n");
	EXPECT_IN(out, "  killed   4           -           -  -\n");
}

TEST_F(view, ps_writes_a_line_of_json)
{
	EXPECT_EQ(0, say("ps|--json"));
	EXPECT_IN(out,
		  "[{\"id\": 3, \"name\": \"web\", \"user\": \"4000001\", "
		  "\"uid\": 4000001, \"pid\": 4194305, \"state\": \"alive\"");
	EXPECT_IN(out,
		  "\"memory\": 536870912, \"resident\": 1572864, "
		  "\"tables\": 40960, \"cgroup\": 77, "
		  "\"guest_time\": 61000000000, \"host_time\": 2500000000, "
		  "\"wait_time\": 7000000, \"steal_time\": 1000000}, {");
	EXPECT_EQ(out + strlen(out) - 1, strchr(out, '\n'));
}

TEST_F(view, a_list_that_fails_is_told_and_nothing_is_written)
{
	fake_netlink.error = -ENOMEM;
	EXPECT_EQ(EXIT_CODE_RESOURCES, say("ps"));
	EXPECT_STREQ("", out);
	fake_netlink.unloaded = true;
	EXPECT_EQ(EXIT_CODE_HOST, say("ps"));
	EXPECT_IN(err, "the module was unloaded");
}

TEST_F(view, stat_tells_vcpus_and_the_sum_of_their_counts)
{
	EXPECT_EQ(0, say("stat|web"));
	EXPECT_IN(out, "web: VM 3 of 4000001, alive, PID 4194305, up ");
	EXPECT_IN(out, "   0  guest      1  io             61.000      2.500 "
		       "     0.007       0.001\n");
	EXPECT_IN(out, "   1  initial    -  -   ");
	EXPECT_IN(out, "\ncpuid     30   30.0\n");
	EXPECT_IN(out, "\nio        70   70.0\n");
	EXPECT_IN(out, "\nall      100  100.0\n");
	EXPECT_IN(out, "\nquick          30\n");
	EXPECT_IN(out, "\nfaults_2m       8\n");
	EXPECT_IN(out, "             1.0       58\n");
	EXPECT_IN(out, "            more        2\n");
	EXPECT_NOT_IN(out, "\nmsr");
}

TEST_F(view, stat_writes_a_line_of_json)
{
	EXPECT_EQ(0, say("stat|web|--json"));
	EXPECT_IN(out, "\"vm\": {\"id\": 3, \"name\": \"web\"");
	EXPECT_IN(out, "{\"id\": 0, \"state\": \"guest\", \"tid\": 813, "
		       "\"cpu\": 1, \"last_exit\": \"io\", "
		       "\"guest_time\": 61000000000");
	EXPECT_IN(out, "\"cpuid\": 30, \"msr\": 0, \"io\": 60, ");
	EXPECT_IN(out, "\"quick\": 30, ");
	EXPECT_IN(out, "\"histogram\": [50, 0, ");
	EXPECT_IN(out, "{\"id\": 1, \"state\": \"initial\", \"tid\": 0, "
		       "\"guest_time\": 0");
	EXPECT_EQ(out + strlen(out) - 1, strchr(out, '\n'));
}

TEST_F(view, stat_writes_as_many_lines_as_asked)
{
	EXPECT_EQ(0, say("stat|web|--interval|1|--count|1"));
	EXPECT_IN(out, "EXITS/s  QUICK/s     io/s  fault/s    msr/s    hlt/s  "
		       "other/s GUEST%  HOST% STEAL%\n"
		       "       0        0        0        0        0        0  "
		       "      0    0.0    0.0    0.0\n");
	EXPECT_EQ(0, say("stat|web|--interval|1|--count|1|--json"));
	EXPECT_EQ(out + strlen(out) - 1, strchr(out, '\n'));
}

TEST_F(view, a_name_means_the_callers_own_vm_first)
{
	EXPECT_EQ(0, say("kill|web"));
	EXPECT_EQ(1, asked->nr_kills);
	EXPECT_EQ(3, asked->kills[0]);
}

TEST_F(view, a_name_means_another_users_vm_if_it_is_the_only_one)
{
	EXPECT_EQ(0, say("kill|db"));
	EXPECT_EQ(1, asked->nr_kills);
	EXPECT_EQ(5, asked->kills[0]);
}

TEST_F(view, a_name_that_two_other_users_have_is_refused)
{
	fake_netlink.uid = 0;
	EXPECT_EQ(EXIT_CODE_USAGE, say("kill|web"));
	EXPECT_EQ(0, asked->nr_kills);
	EXPECT_IN(err, "lodge: web: several users have a VM of this name; give "
		       "one of them by --user, or by --id; `lodge ps --long` "
		       "has the IDs\n");
	EXPECT_EQ(0, say("kill|--user|4000002|web"));
	EXPECT_EQ(4, asked->kills[0]);
}

TEST_F(view, a_name_that_another_user_has_twice_is_refused)
{
	struct netlink_vm twice[] = { vms[1], vms[2], vms[1] };

	fake_netlink.uid = 0;
	fake_netlink.vms = twice;
	EXPECT_EQ(EXIT_CODE_USAGE, say("stat|web"));
	EXPECT_IN(err, "lodge: web: a user has VMs of this name in several "
		       "containers; give one of them by --id; `lodge ps "
		       "--long` has the IDs\n");
}

TEST_F(view, an_id_means_that_vm_whatever_its_name)
{
	EXPECT_EQ(0, say("kill|--id|4"));
	EXPECT_EQ(1, asked->nr_kills);
	EXPECT_EQ(4, asked->kills[0]);
	EXPECT_EQ(0, say("kill|web|--id|5|--id=4"));
	EXPECT_EQ(3, asked->nr_kills);
	EXPECT_EQ(5, asked->kills[0]);
	EXPECT_EQ(4, asked->kills[1]);
	EXPECT_EQ(3, asked->kills[2]);
	EXPECT_EQ(0, say("stat|--id|4"));
	EXPECT_IN(out, "web: VM 4 of 4000002, killed");
}

/* A name may have digits only. */
TEST_F(view, a_number_alone_is_a_name)
{
	EXPECT_EQ(EXIT_CODE_NO_VM, say("kill|4"));
	EXPECT_EQ(0, asked->nr_kills);
	EXPECT_EQ(EXIT_CODE_NO_VM, say("stat|4"));
}

TEST_F(view, an_id_that_no_vm_has_is_told_and_the_others_are_killed)
{
	EXPECT_EQ(EXIT_CODE_NO_VM, say("kill|--id|77|--id|5"));
	EXPECT_IN(err,
		  "lodge: ID 77: there is no VM of this ID; `lodge ps --long` "
		  "has the IDs\n");
	EXPECT_EQ(1, asked->nr_kills);
	EXPECT_EQ(EXIT_CODE_NO_VM, say("stat|--id|77"));
}

TEST_F(view, a_list_while_the_module_is_unloaded_is_told_so)
{
	fake_netlink.error = -EPROTONOSUPPORT;
	EXPECT_EQ(EXIT_CODE_HOST, say("events"));
	EXPECT_IN(err, "the module is being unloaded");
}

TEST_F(view, of_a_name_in_several_containers_the_id_is_asked_for)
{
	fake_netlink.error = -ENOTUNIQ;
	EXPECT_EQ(EXIT_CODE_USAGE, say("kill|web"));
	EXPECT_EQ(0, asked->nr_kills);
	EXPECT_IN(err, "give one of them by --id; `lodge ps --long` has the "
		       "IDs\n");
}

TEST_F(view, a_vm_that_does_not_exist_is_told_and_the_others_are_killed)
{
	EXPECT_EQ(EXIT_CODE_NO_VM, say("kill|nobody|db"));
	EXPECT_IN(err, "lodge: nobody: there is no VM of this name; `lodge ps` "
		       "lists them\n");
	EXPECT_EQ(1, asked->nr_kills);
	EXPECT_EQ(EXIT_CODE_NO_VM, say("kill|--user|4000001|db"));
	EXPECT_EQ(EXIT_CODE_NO_VM, say("kill|"));
	EXPECT_EQ(EXIT_CODE_NO_VM, say("stat|nobody"));
}

TEST_F(view, events_are_told_oldest_first)
{
	EXPECT_EQ(0, say("events"));
	EXPECT_EQ(0, strncmp(out, "1970-01-01 00:00:00  hardware-on \n", 33))
	TH_LOG("%s", out);
	EXPECT_IN(out, "\n1970-01-01 00:00:01  vcpu-stopped  web  VM 3  user "
		       "4000001  vCPU 1  CR0.PG without");
	EXPECT_IN(err, "6 events are no longer remembered");
}

TEST_F(view, events_are_a_line_of_json_each)
{
	EXPECT_EQ(0, say("events|--json"));
	EXPECT_IN(out, "{\"seq\": 7, \"time\": 0, \"event\": \"hardware-on\", "
		       "\"lost\": 6}\n{\"seq\": 8, ");
	EXPECT_IN(out, "\"event\": \"vcpu-stopped\", \"vm\": 3, "
		       "\"name\": \"web\", \"uid\": 4000001, \"vcpu\": 1, "
		       "\"reason\": \"fail-entry\", \"limit\": \"tables\", "
		       "\"scope\": \"total\", "
		       "\"text\": \"CR0.PG without \\\"CR0.PE\\\"\"}\n");
}

/* The second event comes later, and then the module is unloaded. */
static void one_more_event(void)
{
	if (fake_netlink.nr_news == 2) {
		fake_netlink.unloaded = true;
		fake_netlink.error = -ENOENT;
	}
	fake_netlink.nr_news = 2;
}

TEST_F(view, followed_events_are_told_once_until_the_module_is_unloaded)
{
	fake_netlink.nr_news = 1;
	fake_netlink.drain = one_more_event;
	EXPECT_EQ(EXIT_CODE_HOST, say("events|--follow|--json"));
	EXPECT_IN(out, "{\"seq\": 7, ");
	EXPECT_IN(out, "{\"seq\": 8, ");
	EXPECT_EQ(NULL, strstr(strchr(out, '\n'), "\"seq\": 7"));
	EXPECT_IN(err, "the module was unloaded");
}

TEST_F(view, limits_are_told_with_what_is_used)
{
	EXPECT_EQ(0, say("limit"));
	EXPECT_IN(out,
		  "default                   256    1024      64M    none\n");
	EXPECT_IN(out, "user     4000001  own     1/2  2/1024  40K/64M   4K/1M"
		       "\n");
	EXPECT_IN(out,
		  "total                     -/9  -/none    -/64M    -/1M\n");
	EXPECT_EQ(0, say("limit|--user|4000001"));
	EXPECT_NOT_IN(out, "default");
}

TEST_F(view, limits_are_a_line_of_json)
{
	EXPECT_EQ(0, say("limit|--json"));
	EXPECT_STREQ(
		"[{\"scope\": \"default\", \"limits\": {\"vms\": 256, "
		"\"vcpus\": 1024, \"tables\": 67108864, \"kernel\": null}}, "
		"{\"scope\": \"user\", \"user\": \"4000001\", "
		"\"uid\": 4000001, \"inherit\": false, "
		"\"limits\": {\"vms\": 2, \"vcpus\": 1024, "
		"\"tables\": 67108864, \"kernel\": 1048576}, "
		"\"used\": {\"vms\": 1, \"vcpus\": 2, \"tables\": 40960, "
		"\"kernel\": 4096}}, "
		"{\"scope\": \"total\", \"limits\": {\"vms\": 9, "
		"\"vcpus\": null, \"tables\": 67108864, "
		"\"kernel\": 1048576}}]\n",
		out);
}

TEST_F(view, limits_are_set_for_the_scope_that_was_given)
{
	EXPECT_EQ(0, say("limit|vms=3|tables=2M|kernel=none"));
	EXPECT_EQ(LODGE_SCOPE_DEFAULT, asked->change.scope);
	EXPECT_EQ(1 << NETLINK_LIMIT_VMS | 1 << NETLINK_LIMIT_TABLES |
			  1 << NETLINK_LIMIT_KERNEL,
		  asked->change.changed);
	EXPECT_EQ(3, asked->change.limits[NETLINK_LIMIT_VMS]);
	EXPECT_EQ(2 << 20, asked->change.limits[NETLINK_LIMIT_TABLES]);
	EXPECT_EQ(LODGE_LIMIT_NONE, asked->change.limits[NETLINK_LIMIT_KERNEL]);
	EXPECT_EQ(0, say("limit|--total|vcpus=0"));
	EXPECT_EQ(LODGE_SCOPE_TOTAL, asked->change.scope);
	EXPECT_EQ(1 << NETLINK_LIMIT_VCPUS, asked->change.changed);
	EXPECT_EQ(0, say("limit|--user|4000002|--inherit"));
	EXPECT_EQ(LODGE_SCOPE_USER, asked->change.scope);
	EXPECT_EQ(BOB, asked->change.uid);
	EXPECT_TRUE(asked->change.inherit);
	EXPECT_EQ(0, asked->change.changed);
}

TEST_F(view, limits_that_the_caller_may_not_see_are_root_s)
{
	EXPECT_EQ(EXIT_CODE_PERMISSION, say("limit|--user|4000002"));
	EXPECT_STREQ("lodge: showing limits: they are another user's; run as "
		     "root of the host\n",
		     err);
}

TEST_F(view, a_refusal_is_told_in_the_modules_words)
{
	fake_netlink.error = -EPERM;
	fake_netlink.message = "limits are root's";
	EXPECT_EQ(EXIT_CODE_PERMISSION, say("limit|vms=3"));
	EXPECT_STREQ(
		"lodge: setting limits: limits are root's; run as root of the host\n",
		err);
}

TEST_F(view, output_that_cannot_be_written_is_an_error)
{
	static const char *const lines[] = {
		"ps",	    "ps|--json",
		"stat|web", "stat|web|--interval|1|--json",
		"events",   "events|--follow",
		"limit",    "help",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		EXPECT_EQ(EXIT_CODE_OUTPUT,
			  say_to(open("/dev/full", O_WRONLY | O_CLOEXEC),
				 lines[i]));
		EXPECT_IN(err, "lodge: standard output: ");
	}
}

TEST(durations_have_days_only_if_there_are_any)
{
	char text[DURATION_TEXT_SIZE];

	duration_format(text, sizeof(text), 65999999999);
	EXPECT_STREQ("00:01:05", text);
	duration_format(text, sizeof(text),
			(3 * 86400ULL + 4 * 3600 + 5 * 60 + 6) * 1000000000);
	EXPECT_STREQ("3-04:05:06", text);
	duration_format(text, sizeof(text), UINT64_MAX);
	EXPECT_STREQ("213503-23:34:33", text);
}

TEST_HARNESS_MAIN
