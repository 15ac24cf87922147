// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge doctor`: checks whether this host can run virtual machines, and names
 * remedies.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd/doctor_cpu.h"
#include "cmd/exit_code.h"
#include "cmd/host.h"
#include "cmd/json.h"
#include "cmd/limit_option.h"
#include "cmd/processor.h"
#include "cmd/trial.h"
#include "lib/client.h"
#include "lib/netlink.h"
#include "lib/size.h"
#include "sandbox/sandbox.h"
#include "view/word.h"

#define KEY_CPU 0x100
#define MAX_FINDINGS 16
#define LITTLE_MEMORY (1ULL << 30)

enum verdict {
	GOOD,
	DOUBTFUL,
	BAD,
	UNKNOWN,
};

static const char *const verdict_names[] = {
	[GOOD] = "ok",
	[DOUBTFUL] = "warning",
	[BAD] = "failed",
	[UNKNOWN] = "skipped",
};

/**
 * struct finding - the result of a check
 * @name: the subject of the check
 * @verdict: the result in a word
 * @detail: the result in a sentence
 * @remedy: what the user can do about it, or empty
 */
struct finding {
	const char *name;
	enum verdict verdict;
	char detail[192];
	char remedy[256];
};

/**
 * struct diagnosis - the results of all checks
 * @lodge: descriptor of /dev/lodge, or -errno
 * @info: answer of LODGE_GET_INFO
 * @ready: a VM has run
 * @sandbox: answer of sandbox_probe()
 * @count: entries in @findings
 */
struct diagnosis {
	int lodge;
	struct lodge_info info;
	bool ready;
	int sandbox;
	size_t count;
	struct finding findings[MAX_FINDINGS];
};

__attribute__((format(printf, 4, 5))) static struct finding *
add(struct diagnosis *diagnosis, const char *name, enum verdict verdict,
    const char *format, ...)
{
	struct finding *finding = &diagnosis->findings[diagnosis->count++];
	va_list arguments;

	finding->name = name;
	finding->verdict = verdict;
	va_start(arguments, format);
	vsnprintf(finding->detail, sizeof(finding->detail), format, arguments);
	va_end(arguments);
	return finding;
}

static void set_remedy(struct finding *finding, const char *remedy)
{
	snprintf(finding->remedy, sizeof(finding->remedy), "%s", remedy);
}

static void check_kernel(struct diagnosis *diagnosis)
{
	struct utsname name;

	if (uname(&name))
		add(diagnosis, "kernel", UNKNOWN, "%s", strerror(errno));
	else
		add(diagnosis, "kernel", GOOD, "%s %s, %s", name.sysname,
		    name.release, name.machine);
}

static const char *virtualization(const struct processor *processor)
{
	if (processor->svm)
		return "with AMD-V";
	if (processor->vmx)
		return "with VT-x";
	return "without AMD-V or VT-x";
}

/*
 * Looks for AMD-V or VT-x at all.  The module, if it is there, decides whether this
 * processor has all that is needed: see check_status().
 */
static void check_processor(struct diagnosis *diagnosis)
{
	const struct lodge_info none = {
		.abi_version = LODGE_ABI_VERSION,
		.status = LODGE_STATUS_NO_VIRTUALIZATION,
	};
	struct processor processor;
	struct finding *finding;
	bool able;

	processor_read(&processor);
	if (!*processor.vendor) {
		add(diagnosis, "processor", UNKNOWN, "it has no CPUID");
		return;
	}
	able = processor.svm || processor.vmx;
	finding = add(diagnosis, "processor", able ? GOOD : BAD,
		      "%s, %ld online, %s%s", processor.vendor,
		      sysconf(_SC_NPROCESSORS_ONLN), virtualization(&processor),
		      host_is_guest() ? ", in a virtual machine" : "");
	if (!able)
		host_status_remedy(&none, finding->remedy,
				   sizeof(finding->remedy));
}

static void check_module(struct diagnosis *diagnosis)
{
	struct finding *finding;

	if (access("/sys/module/lodge", F_OK)) {
		finding = add(diagnosis, "module", BAD, "lodge is not loaded");
		host_open_remedy(-ENOENT, finding->remedy,
				 sizeof(finding->remedy));
		return;
	}
	add(diagnosis, "module", GOOD, "lodge is loaded");
}

static void check_device(struct diagnosis *diagnosis)
{
	struct finding *finding;

	diagnosis->lodge = lodge_open();
	if (diagnosis->lodge >= 0) {
		add(diagnosis, "device", GOOD, "%s opens", LODGE_DEVICE);
		return;
	}
	if (access("/sys/module/lodge", F_OK)) {
		add(diagnosis, "device", UNKNOWN, "the module makes %s",
		    LODGE_DEVICE);
		return;
	}
	finding = add(diagnosis, "device", BAD, "%s: %s", LODGE_DEVICE,
		      strerror(-diagnosis->lodge));
	host_open_remedy(diagnosis->lodge, finding->remedy,
			 sizeof(finding->remedy));
}

static void check_status(struct diagnosis *diagnosis)
{
	struct lodge_info *info = &diagnosis->info;
	struct finding *finding;
	int err = diagnosis->lodge;

	if (err >= 0)
		err = lodge_info(diagnosis->lodge, info);
	if (err < 0) {
		add(diagnosis, "virtualization", UNKNOWN,
		    "only the module can tell");
		return;
	}
	finding = add(diagnosis, "virtualization",
		      info->status == LODGE_STATUS_READY ? GOOD : BAD,
		      "%.16s%s%.128s", info->backend,
		      *info->backend ? ": " : "", info->message);
	if (info->status != LODGE_STATUS_READY)
		host_status_remedy(info, finding->remedy,
				   sizeof(finding->remedy));
}

static void check_abi(struct diagnosis *diagnosis)
{
	const struct lodge_info *info = &diagnosis->info;
	struct finding *finding;

	if (!info->abi_version)
		return;
	finding = add(diagnosis, "abi",
		      info->abi_version == LODGE_ABI_VERSION ? GOOD : BAD,
		      "version %u, this program knows %d", info->abi_version,
		      LODGE_ABI_VERSION);
	if (info->abi_version != LODGE_ABI_VERSION)
		host_status_remedy(info, finding->remedy,
				   sizeof(finding->remedy));
}

static void check_limits(struct diagnosis *diagnosis)
{
	const struct lodge_info *info = &diagnosis->info;

	if (!info->abi_version)
		return;
	add(diagnosis, "limits", GOOD,
	    "%u vCPUs, %u memory slots, %u bits of guest address, TSC %u.%03u "
	    "MHz",
	    info->max_vcpus, info->max_slots, info->phys_bits,
	    info->tsc_khz / 1000, info->tsc_khz % 1000);
}

/* What is used, where the module tells it.  Return: true if a limit is reached. */
static bool add_used(char *text, size_t size, const struct netlink_limit *limit)
{
	char used[SIZE_TEXT_SIZE], most[SIZE_TEXT_SIZE];
	bool has_used = netlink_has(limit, LODGE_LIMIT_USED_VMS);
	bool reached = false;
	size_t length = 0;

	for (int kind = 0; kind < NETLINK_LIMITS; kind++) {
		limit_option_format(used, sizeof(used), kind,
				    limit->used[kind]);
		limit_option_format(most, sizeof(most), kind,
				    limit->limits[kind]);
		length += snprintf(text + length, size - length, "%s%s %s%s%s",
				   kind ? ", " : "", word_of_limit(kind),
				   has_used ? used : "", has_used ? " of " : "",
				   most);
		reached |= has_used && limit->used[kind] >= limit->limits[kind];
	}
	return reached;
}

static void check_scope(struct diagnosis *diagnosis, struct netlink *netlink,
			const char *name, enum lodge_limit_scope scope)
{
	struct netlink_limit limit;
	struct finding *finding;
	char text[192];
	bool reached;
	int err = netlink_limit_get(netlink, scope, getuid(), &limit);

	if (err) {
		add(diagnosis, name, UNKNOWN, "%s", strerror(-err));
		return;
	}
	reached = add_used(text, sizeof(text), &limit);
	finding = add(diagnosis, name, reached ? DOUBTFUL : GOOD, "%s", text);
	if (reached)
		set_remedy(finding, host_remedy(-EDQUOT, ""));
}

/* What of each limit is used: a call that is refused only says EDQUOT. */
static void check_used(struct diagnosis *diagnosis)
{
	struct netlink *netlink;
	int err = netlink_open(&netlink);

	if (err) {
		add(diagnosis, "use of limits", UNKNOWN,
		    "only the module can tell");
		return;
	}
	check_scope(diagnosis, netlink, "your limits", LODGE_SCOPE_USER);
	check_scope(diagnosis, netlink, "total limits", LODGE_SCOPE_TOTAL);
	netlink_close(netlink);
}

static uint64_t available_memory(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t kib = 0;
	char line[128];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			break;
	fclose(file);
	return kib << 10;
}

static void check_memory(struct diagnosis *diagnosis)
{
	uint64_t bytes = available_memory();
	struct finding *finding;

	finding = add(diagnosis, "memory",
		      bytes < LITTLE_MEMORY ? DOUBTFUL : GOOD,
		      "%" PRIu64
		      " MiB available; guest memory is not locked, so "
		      "ulimit -l does not matter",
		      bytes >> 20);
	if (bytes < LITTLE_MEMORY)
		set_remedy(finding, "give guests little memory (lodge run "
				    "--memory 256M), or free some");
}

/* The trial decides: if it succeeds, this host is ready whatever else was found. */
static void check_trial(struct diagnosis *diagnosis)
{
	const char *step;
	int err;

	if (diagnosis->lodge < 0) {
		add(diagnosis, "trial", UNKNOWN, "no VM without %s",
		    LODGE_DEVICE);
		return;
	}
	err = trial_run(diagnosis->lodge, &step);
	diagnosis->ready = !err;
	if (!err)
		add(diagnosis, "trial", GOOD,
		    "a VM with one vCPU executed an instruction");
	else
		set_remedy(add(diagnosis, "trial", BAD, "%s: %s", step,
			       host_reason(err)),
			   diagnosis->info.status == LODGE_STATUS_READY ?
				   host_remedy(err,
					       "see the kernel log (dmesg)") :
				   "see \"virtualization\" above");
}

/* The parts of the sandbox, with their names for people and for programs. */
static const struct {
	int part;
	const char *name;
	const char *key;
} sandbox_parts[] = {
	{ SANDBOX_NO_NEW_PRIVS, "no new privileges", "no_new_privileges" },
	{ SANDBOX_NO_CAPABILITIES, "no capabilities", "no_capabilities" },
	{ SANDBOX_USER, "user namespace", "user_namespace" },
	{ SANDBOX_MOUNT, "mount namespace", "mount_namespace" },
	{ SANDBOX_ROOT, "empty root directory", "empty_root" },
	{ SANDBOX_NETWORK, "network namespace", "network_namespace" },
	{ SANDBOX_IPC, "IPC namespace", "ipc_namespace" },
	{ SANDBOX_FILTER, "filters of system calls", "filters" },
};

#define SANDBOX_PARTS (sizeof(sandbox_parts) / sizeof(sandbox_parts[0]))

static bool file_says(const char *path, char wanted)
{
	FILE *file = fopen(path, "re");
	int said = file ? getc(file) : EOF;

	if (file)
		fclose(file);
	return said == wanted;
}

/* What keeps users from namespaces of their own, on several distributions. */
static const char *sandbox_remedy(int missing)
{
	if (missing == SANDBOX_FILTER)
		return "use a kernel with CONFIG_SECCOMP_FILTER";
	if (file_says("/proc/sys/kernel/unprivileged_userns_clone", '0'))
		return "sysctl kernel.unprivileged_userns_clone=1 lets users "
		       "make namespaces";
	if (file_says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
		      '1'))
		return "sysctl kernel.apparmor_restrict_unprivileged_userns=0, "
		       "or a profile of AppArmor's for lodge, lets users make "
		       "namespaces";
	if (file_says("/proc/sys/user/max_user_namespaces", '0'))
		return "raise sysctl user.max_user_namespaces";
	return "use a kernel with namespaces and CONFIG_SECCOMP_FILTER, outside "
	       "of a container that forbids them";
}

static void check_sandbox(struct diagnosis *diagnosis)
{
	const int got = sandbox_probe();
	struct finding *finding;
	char text[160] = "";
	size_t length = 0;

	diagnosis->sandbox = got < 0 ? 0 : got;
	if (got < 0) {
		finding = add(diagnosis, "sandbox", BAD, "%s", strerror(-got));
		set_remedy(finding, "lodge run --no-sandbox goes without it");
		return;
	}
	for (size_t i = 0; i < SANDBOX_PARTS; i++)
		if (!(got & sandbox_parts[i].part))
			length += snprintf(text + length, sizeof(text) - length,
					   "%s%s", length ? ", " : "",
					   sandbox_parts[i].name);
	if (!length) {
		add(diagnosis, "sandbox", GOOD,
		    "all of it: lodge run gives up privileges, files, network "
		    "and system calls");
		return;
	}
	finding = add(diagnosis, "sandbox", DOUBTFUL, "without: %s", text);
	set_remedy(finding, sandbox_remedy(SANDBOX_ALL & ~got));
}

static void diagnose(struct diagnosis *diagnosis)
{
	check_kernel(diagnosis);
	check_processor(diagnosis);
	check_memory(diagnosis);
	check_module(diagnosis);
	check_device(diagnosis);
	check_status(diagnosis);
	check_abi(diagnosis);
	check_limits(diagnosis);
	check_used(diagnosis);
	check_sandbox(diagnosis);
	check_trial(diagnosis);
	if (diagnosis->lodge >= 0)
		close(diagnosis->lodge);
}

static void tell(const struct diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->count; i++) {
		const struct finding *finding = &diagnosis->findings[i];

		printf("%-8s %-15s %s\n", verdict_names[finding->verdict],
		       finding->name, finding->detail);
		if (*finding->remedy)
			printf("%-8s %-15s %s\n", "",
			       "  remedy:", finding->remedy);
	}
	puts(diagnosis->ready ? "This host can run virtual machines." :
				"This host cannot run virtual machines.");
}

static void tell_json(const struct diagnosis *diagnosis)
{
	struct json json;

	json_start(&json, stdout);
	json_open(&json, NULL, '{');
	json_bool(&json, "ready", diagnosis->ready);
	json_open(&json, "checks", '[');
	for (size_t i = 0; i < diagnosis->count; i++) {
		const struct finding *finding = &diagnosis->findings[i];

		json_open(&json, NULL, '{');
		json_text(&json, "name", finding->name);
		json_text(&json, "result", verdict_names[finding->verdict]);
		json_text(&json, "detail", finding->detail);
		json_text(&json, "remedy", finding->remedy);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_open(&json, "sandbox", '{');
	for (size_t i = 0; i < SANDBOX_PARTS; i++)
		json_bool(&json, sandbox_parts[i].key,
			  diagnosis->sandbox & sandbox_parts[i].part);
	json_close(&json, '}');
	json_close(&json, '}');
	json_finish(&json);
}

/**
 * struct doctor_options - the command line
 * @as_json: write JSON
 * @cpu: list the features that a guest can have
 */
struct doctor_options {
	bool as_json;
	bool cpu;
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct doctor_options *options = state->input;

	switch (key) {
	case 'j':
		options->as_json = true;
		return 0;
	case KEY_CPU:
		options->cpu = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: it takes no arguments", argument);
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

int doctor_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "json", 'j', NULL, 0, "Write one line of JSON", 0 },
		{ "cpu", KEY_CPU, NULL, 0,
		  "List the features of processors that a guest can have here, "
		  "for lodge run --cpu",
		  0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.doc = "Check whether this host can run virtual machines, and "
		       "name remedies where it cannot."
		       "\v"
		       "A VM is created and executes an instruction, as proof.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge doctor\n"
		       "  lodge doctor --cpu | sort >here.cpu\n"
		       "  comm -12 here.cpu there.cpu >both.cpu; lodge run --cpu "
		       "./both.cpu ...\n"
		       "\n"
		       "Exit codes: 0 this host can run virtual machines; 1 it "
		       "cannot, or with --cpu the list cannot be had; 64 the command line is wrong.",
	};
	struct diagnosis diagnosis = { .lodge = -ENOENT };
	struct doctor_options options = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	if (options.cpu)
		return doctor_cpu(options.as_json);
	diagnose(&diagnosis);
	if (options.as_json)
		tell_json(&diagnosis);
	else
		tell(&diagnosis);
	return diagnosis.ready ? EXIT_SUCCESS : EXIT_FAILURE;
}
