// SPDX-License-Identifier: GPL-2.0
/*
 * The command line of `lodge run`.
 */
#include "cmd/options.h"

#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command_option.h"
#include "cmd/config_file.h"
#include "cmd/device_option.h"
#include "cmd/flat_option.h"
#include "cmd/memory_option.h"
#include "cmd/one_dash.h"
#include "cmd/short_option.h"
#include "cmd/options_about.h"
#include "cmd/options_check.h"
#include "lib/cgroup_own.h"
#include "lib/size.h"
#include "machine/serials.h"

#define DEFAULT_MEMORY (512ULL << 20)
#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Keys of options that have no letter. */
enum {
	KEY_NO_REBOOT = 0x100,
	KEY_ON_CRASH,
	KEY_DEVICE,
	KEY_NET,
	KEY_DISK,
	KEY_CDROM,
	KEY_PMEM,
	KEY_SHARE,
	KEY_VSOCK,
	KEY_TESTDEV,
	KEY_FLAT,
	KEY_FIRMWARE,
	KEY_JSON,
	KEY_CPU,
	KEY_CPU_WEIGHT,
	KEY_MEMORY_MAX,
	KEY_BACKING,
	KEY_CONFIG,
	KEY_DIRECTORY,
	KEY_NO_SANDBOX,
	KEY_ROOT,
	KEY_COMMAND,
};

static const struct argp_option descriptions[] = {
	{ "name", 'n', "NAME", 0,
	  "Name of the VM, by which lodge ps lists it (default: one is made up): "
	  "letters, digits, '.', '_' and '-'",
	  0 },
	{ "kernel", 'k', "IMAGE", 0,
	  "Start IMAGE: a Linux bzImage, an ELF image with a PVH note, a "
	  "multiboot 1 image, or any file with --flat",
	  0 },
	{ "firmware", KEY_FIRMWARE, "FILE", 0,
	  "Without --kernel, start the BIOS in FILE (default: SeaBIOS)", 0 },
	{ "initrd", 'i', "FILE", 0,
	  "Give FILE to Linux as its initial RAM disk; for multiboot a module, "
	  "\"FILE ARGUMENTS\", and the option may be given more than once",
	  0 },
	{ "append", 'a', "TEXT", 0,
	  "Give TEXT to the image as its command line", 0 },
	{ "root", KEY_ROOT, "DIRECTORY", 0,
	  "Start a Linux kernel with DIRECTORY of the host as its root, which "
	  "stays as it is, run COMMAND in it as if it ran here, and end with its "
	  "exit code",
	  0 },
	{ "command", KEY_COMMAND, "WORD", 0,
	  "With --root, COMMAND in place of that at the end of the line; given "
	  "again, its arguments",
	  0 },
	{ "memory", 'm', "SIZE", 0,
	  "Guest memory, 1M to 1024G: bytes, or with K, M or G (default 512M)",
	  0 },
	{ "memory-backing", KEY_BACKING, "WHAT", 0,
	  "What is behind guest memory: anonymous (default), memfd, or reserved "
	  "pages of the host of 2M or 1G",
	  0 },
	{ "cpus", 'c', "N", 0, "Number of vCPUs, 1 to 64 (default 1)", 0 },
	{ "cpu", KEY_CPU, "FEATURES", 0,
	  "Give the guest's processors these features and no others, which "
	  "other hosts have, too: baseline, v2 or v3 (x86-64's levels), names "
	  "as /proc/cpuinfo has them, with commas between, or a file of names; "
	  "host (default) is all that this host has",
	  0 },
	{ "serial", 's', "WHERE", 0,
	  "Connect the serial port COM1 to stdio (default), pty, none, or a "
	  "file for its output; given again, COM2, up to COM4",
	  0 },
	{ "no-reboot", KEY_NO_REBOOT, NULL, 0,
	  "End with code 4 when the guest resets, instead of starting it again",
	  0 },
	{ "on-crash", KEY_ON_CRASH, "ACTION", 0,
	  "On a triple fault, reset the machine as a PC does (default), or stop "
	  "it with a report and code 2: ACTION is reset or stop",
	  0 },
	{ "device", KEY_DEVICE, "NAME[,KEY=VALUE]...", 0,
	  "Add a device, or set options of one; a comma in a VALUE is doubled; "
	  "help lists all devices, NAME,help the options of one",
	  0 },
	{ "net", KEY_NET, "TYPE[,KEY=VALUE]...", 0,
	  "Add a network card, whose other end is of TYPE user (by passt), tap or "
	  "fd, or none for no card (default); help lists all options",
	  0 },
	{ "disk", KEY_DISK, "FILE[,KEY=VALUE]...", 0,
	  "Give the guest FILE, an image or a block device, as a disk; ro and "
	  "snapshot=on keep it as it is; a comma in FILE is doubled; help lists "
	  "all options",
	  0 },
	{ "cdrom", KEY_CDROM, "FILE[,KEY=VALUE]...", 0,
	  "Give the guest a CD drive with FILE, an ISO image, in it; a comma in "
	  "FILE is doubled; help lists all options",
	  0 },
	{ "pmem", KEY_PMEM, "FILE[,KEY=VALUE]...", 0,
	  "Give the guest FILE, an image, as persistent memory; ro and share=off "
	  "keep it as it is; a comma in FILE is doubled; help lists all options",
	  0 },
	{ "share", KEY_SHARE, "DIRECTORY[:TAG][,KEY=VALUE]...", 0,
	  "Give the guest DIRECTORY, by virtiofsd: it mounts it by `mount -t "
	  "virtiofs TAG /mnt` (default: share0, share1...); with ro nothing "
	  "there can be changed; a comma in DIRECTORY is doubled; help lists all "
	  "options",
	  0 },
	{ "vsock", KEY_VSOCK, "CID", 0,
	  "Let programs of the guest and of the host reach each other by sockets "
	  "of AF_VSOCK, with CID, a number from 3 on, as the guest's address",
	  0 },
	{ "testdev", KEY_TESTDEV, NULL, 0,
	  "The same as --device testdev: QEMU's pc-testdev, for bare-metal "
	  "tests",
	  0 },
	{ "flat", KEY_FLAT, "ADDRESS[:MODE]", 0,
	  "Load IMAGE as it is at ADDRESS and enter it there in MODE 16 "
	  "(default), 32 or 64",
	  0 },
	{ "cpu-weight", KEY_CPU_WEIGHT, "N", 0,
	  "Share of the host's processors beside other cgroups, 1 to 10000, "
	  "where 100 is usual: run in a cgroup of its own with this weight",
	  0 },
	{ "memory-max", KEY_MEMORY_MAX, "SIZE", 0,
	  "Run in a cgroup of its own that may use SIZE of the host's memory "
	  "and no more, as --memory writes it",
	  0 },
	{ "detach", 'd', NULL, 0,
	  "Run in the background: write the name of the VM when it runs, and "
	  "leave it to lodge console, logs, stop and rm",
	  0 },
	{ "config", KEY_CONFIG, "FILE", 0,
	  "Read options from FILE, as lodge inspect writes them", 0 },
	{ "directory", KEY_DIRECTORY, "DIRECTORY", 0,
	  "Names of files are relative to DIRECTORY, but for those of --config",
	  0 },
	{ "json", KEY_JSON, NULL, 0,
	  "Report the guest's end as one line of JSON on standard error", 0 },
	{ "no-sandbox", KEY_NO_SANDBOX, NULL, 0,
	  "Keep privileges, files and system calls that no machine needs, for "
	  "debugging: a guest that breaks out of its machine has them, too",
	  0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

/* @why: what is wrong with the option's text, or NULL.  Return: 0 or EINVAL. */
static int judge(struct argp_state *state, const char *option, const char *text,
		 const char *why)
{
	if (!why)
		return 0;
	argp_error(state, "%s %s: %s", option, text, why);
	return EINVAL;
}

/* The last one counts.  Return: 0, EINVAL or ENOMEM. */
static int set_cpu(struct argp_state *state, struct run_options *options,
		   const char *text)
{
	struct cpu_option cpu;
	char why[256];
	int err = cpu_option_parse(&cpu, text, why, sizeof(why));

	if (err)
		return judge(state, "--cpu", text, why);
	free(options->cpu.text);
	options->cpu = cpu;
	options->machine.features = cpu.all ? NULL : &options->cpu.set;
	return -options_note(options, "cpu", cpu.text);
}

/* As struct lodge_vm_create has it. */
static bool is_name(const char *text)
{
	size_t length = strspn(text, LETTERS DIGITS "._-");

	return strspn(text, LETTERS DIGITS) && !text[length] &&
	       length < LODGE_NAME_SIZE;
}

/* Return: 0 or EINVAL. */
static int set_name(struct argp_state *state, struct machine_config *machine,
		    const char *text)
{
	machine->name = text;
	if (is_name(text))
		return 0;
	argp_error(state,
		   "--name %s: must be of letters, digits, '.', '_' and '-', "
		   "begin with a letter or a digit, and have at most %d",
		   text, LODGE_NAME_SIZE - 1);
	return EINVAL;
}

static void set_cpus(struct argp_state *state, struct boot_options *boot,
		     const char *text)
{
	uint64_t cpus;

	boot->cpus = 0;
	if (number_parse(text, &cpus) || !cpus || cpus > LODGE_MAX_VCPUS)
		argp_error(state, "--cpus %s: must be a number from 1 to %d",
			   text, LODGE_MAX_VCPUS);
	else
		boot->cpus = cpus;
}

/* Return: 0 or EINVAL. */
static int set_cpu_weight(struct argp_state *state, struct run_options *options,
			  const char *text)
{
	if (!number_parse(text, &options->cpu_weight) &&
	    options->cpu_weight >= CGROUP_WEIGHT_MIN &&
	    options->cpu_weight <= CGROUP_WEIGHT_MAX)
		return 0;
	argp_error(state, "--cpu-weight %s: must be a number from %d to %d",
		   text, CGROUP_WEIGHT_MIN, CGROUP_WEIGHT_MAX);
	return EINVAL;
}

/* Return: 0 or EINVAL. */
static int set_memory_max(struct argp_state *state, struct run_options *options,
			  const char *text)
{
	if (!size_parse(text, &options->memory_max) &&
	    options->memory_max >= MACHINE_MEMORY_UNIT &&
	    options->memory_max < CGROUP_NO_LIMIT)
		return 0;
	argp_error(state,
		   "--memory-max %s: must be a size of 4K or more; write for "
		   "example 512M or 2G",
		   text);
	return EINVAL;
}

static bool has_stdio(const struct run_options *options)
{
	bool found = false;

	for (unsigned int i = 0; i < options->nr_serials; i++)
		found |= options->serials[i].kind == CONSOLE_STDIO;
	return found;
}

/* Return: 0 or EINVAL. */
static int set_serial(struct argp_state *state, struct run_options *options,
		      const char *text)
{
	struct serial_place place = { .kind = CONSOLE_FILE, .path = text };

	if (!*text) {
		argp_error(state,
			   "--serial: must be stdio, pty, none or a file");
		return EINVAL;
	}
	if (options->nr_serials == SERIAL_MAX) {
		argp_error(state, "--serial %s: a machine has at most %d ports",
			   text, SERIAL_MAX);
		return EINVAL;
	}
	if (!strcmp(text, "stdio"))
		place.kind = CONSOLE_STDIO;
	else if (!strcmp(text, "pty"))
		place.kind = CONSOLE_PTY;
	else if (!strcmp(text, "none"))
		place.kind = CONSOLE_NONE;
	if (place.kind == CONSOLE_STDIO && has_stdio(options)) {
		argp_error(state,
			   "--serial stdio: one port at most can be connected "
			   "to it; give the others a pty or a file");
		return EINVAL;
	}
	options->serials[options->nr_serials++] = place;
	return 0;
}

/* Wants the ports that --serial names.  Return: 0 or EINVAL. */
static int add_serials(struct argp_state *state, struct run_options *options)
{
	for (unsigned int i = 0; i < options->nr_serials; i++)
		if (serials_want(&options->machine.devices, i)) {
			argp_error(state,
				   "--serial: a machine has at most %d devices",
				   DEVICES_MAX);
			return EINVAL;
		}
	return 0;
}

/* Return: 0 or EINVAL. */
static int set_on_crash(struct argp_state *state,
			struct machine_config *machine, const char *text)
{
	if (strcmp(text, "reset") && strcmp(text, "stop")) {
		argp_error(state, "--on-crash %s: must be reset or stop", text);
		return EINVAL;
	}
	machine->stop_on_crash = !strcmp(text, "stop");
	return 0;
}

/*
 * Wants a device, or prints help.  @option, @text: what the user has written, which
 * messages name; @device: what --device is given for it.  Return: 0, EINVAL or ENOMEM.
 */
static int set_device(struct argp_state *state, struct machine_config *machine,
		      const char *option, const char *text, const char *device)
{
	char why[DEVICE_OPTION_WHY_SIZE];
	int err;

	if (!device_option_help(stdout, device)) {
		if (!(state->flags & ARGP_NO_EXIT))
			exit(EXIT_SUCCESS);
		return EINVAL;
	}
	err = device_option_parse(&machine->devices, device, why, sizeof(why));
	if (!err)
		return 0;
	argp_error(state, "%s %s: %s", option, text, why);
	return -err;
}

/* @device: what @option is short for, which is freed.  Return: as set_device(). */
static int set_short(struct argp_state *state, struct machine_config *machine,
		     const char *option, const char *text, char *device)
{
	int err = device ? set_device(state, machine, option, text, device) :
			   ENOMEM;

	free(device);
	return err;
}

/* Return: 0, EINVAL or ENOMEM. */
static int set_net(struct argp_state *state, struct machine_config *machine,
		   const char *text)
{
	if (!strcmp(text, "none"))
		return 0;
	return set_short(state, machine, "--net", text, short_option_net(text));
}

static void set_flat(struct argp_state *state, struct boot_options *boot,
		     const char *text)
{
	int err = flat_option_parse(boot, text);

	if (err == -ENOMEM)
		argp_failure(state, EXIT_FAILURE, ENOMEM, "--flat");
	else if (err)
		argp_error(state,
			   "--flat %s: must be an address and perhaps a mode, "
			   "for example 0x7c00:16 or 0x100000:32",
			   text);
}

/* The loaders take several files as one list with commas between them. */
static int add_initrd(struct run_options *options, const char *file)
{
	char *list;

	if (!options->initrd)
		list = strdup(file);
	else if (asprintf(&list, "%s,%s", options->initrd, file) < 0)
		list = NULL;
	if (!list)
		return ENOMEM;
	free(options->initrd);
	options->initrd = list;
	options->machine.boot.initrd = list;
	options->machine.boot.initrds++;
	return 0;
}

static enum config_type type_of(const struct argp_option *option)
{
	if (!option->arg)
		return CONFIG_FLAG;
	switch (option->key) {
	case 'i':
	case 's':
	case KEY_DEVICE:
	case KEY_NET:
	case KEY_DISK:
	case KEY_CDROM:
	case KEY_PMEM:
	case KEY_SHARE:
	case KEY_COMMAND:
		return CONFIG_LIST;
	case 'c':
	case KEY_CPU_WEIGHT:
		return CONFIG_NUMBER;
	}
	return CONFIG_TEXT;
}

const struct config_key *options_keys(void)
{
	static struct config_key
		keys[sizeof(descriptions) / sizeof(descriptions[0])];
	size_t count = 0;

	for (size_t i = 0; descriptions[i].name; i++)
		if (descriptions[i].key != KEY_CONFIG)
			keys[count++] = (struct config_key){
				.name = descriptions[i].name,
				.type = type_of(&descriptions[i]),
			};
	return keys;
}

int options_note(struct run_options *options, const char *name,
		 const char *value)
{
	const struct config_key *key = options_keys();

	while (key->name && strcmp(key->name, name))
		key++;
	return key->name ? config_add(options->config, key, value) : -EINVAL;
}

/* Notes an option for `lodge inspect`.  Return: 0, EINVAL or ENOMEM. */
static int note(struct argp_state *state, int key, const char *value)
{
	const struct argp_option *option = descriptions;
	int err;

	while (option->name && option->key != key)
		option++;
	/* What a file says of processors is noted in its place. */
	if (!option->name || key == KEY_CONFIG || key == KEY_CPU)
		return 0;
	err = short_option_note(state->input, option->name, value);
	if (err != -EILSEQ)
		return -err;
	argp_error(state, "--%s: its value is no UTF-8", option->name);
	return EINVAL;
}

static error_t parse_option(int key, char *argument, struct argp_state *state);

static const struct argp run_argp = {
	.options = descriptions,
	.parser = parse_option,
	.args_doc = "[DISK...]\n--kernel IMAGE --root DIRECTORY [COMMAND...]",
	.doc = options_about,
};

/* Return: 0, EINVAL or ENOMEM. */
static int read_words(struct argp_state *state, const char *path, char ***words,
		      size_t *count)
{
	char why[256];
	int err = config_file_read(path, options_keys(), words, count, why,
				   sizeof(why));

	if (err)
		argp_error(state, "--config %s: %s", path, why);
	return err == -ENOMEM ? ENOMEM : err ? EINVAL : 0;
}

/* Its options count as if they stood in its place.  Return: 0, EINVAL or ENOMEM. */
static int set_config(struct argp_state *state, struct run_options *options,
		      const char *path)
{
	char **words, **argv;
	size_t count;
	int err;

	if (options->files == OPTIONS_MAX_CONFIGS) {
		argp_error(state, "--config %s: there are too many", path);
		return EINVAL;
	}
	err = read_words(state, path, &words, &count);
	if (err)
		return err;
	options->words[options->files++] = words;
	argv = calloc(count + 2, sizeof(*argv));
	if (!argv)
		return ENOMEM;
	argv[0] = state->argv[0];
	if (count)
		memcpy(argv + 1, words, count * sizeof(*argv));
	options->inside = true;
	err = argp_parse(&run_argp, count + 1, argv,
			 state->flags &
				 (ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP),
			 NULL, options);
	options->inside = false;
	free(argv);
	return err;
}

/* An argument is a disk; with --root, it and all that follow are the command. */
static int take_argument(struct argp_state *state, struct run_options *options,
			 char *argument)
{
	if (options->root) {
		command_option_take(options, state->argv + state->next - 1);
		state->next = state->argc;
		return 0;
	}
	if (!state->quoted || !options->machine.boot.kernel)
		return parse_option(KEY_DISK, argument, state);
	argp_error(
		state,
		"-- %s: a command needs --root DIRECTORY before it; a disk is "
		"named by --disk",
		argument);
	return EINVAL;
}

static error_t end_of_options(struct argp_state *state,
			      struct run_options *options)
{
	if (options->inside)
		return 0;
	if (options_check(state, options))
		return EINVAL;
	return add_serials(state, options);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct run_options *options = state->input;
	struct machine_config *machine = &options->machine;
	int err = note(state, key, argument);

	if (err)
		return err;
	switch (key) {
	case ARGP_KEY_INIT:
		/* argp sets the name later, and argp_error() needs it now. */
		state->name = state->argv[0];
		return one_dash_refuse(state, descriptions);
	case 'k':
		machine->boot.kernel = argument;
		return 0;
	case 'i':
		return add_initrd(options, argument);
	case 'a':
		machine->boot.append = argument;
		return 0;
	case 'm':
		return judge(state, "--memory", argument,
			     memory_option_size(argument, &machine->memory));
	case 'n':
		return set_name(state, machine, argument);
	case 'c':
		set_cpus(state, &machine->boot, argument);
		return machine->boot.cpus ? 0 : EINVAL;
	case 's':
		return set_serial(state, options, argument);
	case KEY_NO_REBOOT:
		machine->no_reboot = true;
		return 0;
	case KEY_ON_CRASH:
		return set_on_crash(state, machine, argument);
	case KEY_DEVICE:
		return set_device(state, machine, "--device", argument,
				  argument);
	case KEY_NET:
		return set_net(state, machine, argument);
	case KEY_DISK:
		return set_short(state, machine, "--disk", argument,
				 short_option_disk(argument));
	case KEY_CDROM:
		return set_short(state, machine, "--cdrom", argument,
				 short_option_cdrom(argument));
	case KEY_PMEM:
		return set_short(state, machine, "--pmem", argument,
				 short_option_pmem(argument));
	case KEY_SHARE:
		return set_short(state, machine, "--share", argument,
				 short_option_share(&machine->devices,
						    argument));
	case KEY_VSOCK:
		return set_short(state, machine, "--vsock", argument,
				 short_option_vsock(argument));
	case KEY_TESTDEV:
		return set_device(state, machine, "--device", "testdev",
				  "testdev");
	case KEY_FLAT:
		set_flat(state, &machine->boot, argument);
		return machine->boot.flat ? 0 : EINVAL;
	case KEY_FIRMWARE:
		machine->boot.firmware = argument;
		return 0;
	case KEY_CPU_WEIGHT:
		return set_cpu_weight(state, options, argument);
	case KEY_BACKING:
		return judge(state, "--memory-backing", argument,
			     memory_option_backing(argument,
						   &machine->backing));
	case KEY_CPU:
		return set_cpu(state, options, argument);
	case KEY_MEMORY_MAX:
		return set_memory_max(state, options, argument);
	case KEY_JSON:
		options->json = true;
		return 0;
	case 'd':
		options->detach = true;
		return 0;
	case KEY_DIRECTORY:
		options->directory = argument;
		return 0;
	case KEY_NO_SANDBOX:
		options->no_sandbox = true;
		return 0;
	case KEY_CONFIG:
		return set_config(state, options, argument);
	case KEY_ROOT:
		options->root = argument;
		return 0;
	case KEY_COMMAND:
		return command_option_add(options, argument);
	case ARGP_KEY_ARG:
		return take_argument(state, options, argument);
	case ARGP_KEY_END:
		return end_of_options(state, options);
	}
	return ARGP_ERR_UNKNOWN;
}

int options_parse(struct run_options *options, int argc, char **argv,
		  unsigned int flags)
{
	error_t err;

	memset(options, 0, sizeof(*options));
	options->config = config_new();
	if (!options->config)
		return ENOMEM;
	options->machine.memory = DEFAULT_MEMORY;
	options->machine.boot.cpus = 1;
	devices_default(&options->machine.devices);
	for (size_t i = 1; i < SERIAL_MAX; i++)
		options->serials[i].kind = CONSOLE_NONE;
	/* What follows a command is its own. */
	err = argp_parse(&run_argp, argc, argv, flags | ARGP_IN_ORDER, NULL,
			 options);
	if (err)
		options_free(options);
	return err;
}

void options_free(struct run_options *options)
{
	devices_forget(&options->machine.devices);
	free(options->initrd);
	options->initrd = NULL;
	free(options->cpu.text);
	options->cpu.text = NULL;
	free(options->given);
	options->given = options->command = NULL;
	config_free(options->config);
	options->config = NULL;
	for (unsigned int i = 0; i < options->files; i++)
		config_free_words(options->words[i]);
	options->files = 0;
}
