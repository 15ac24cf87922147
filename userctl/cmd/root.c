// SPDX-License-Identifier: GPL-2.0
/*
 * A guest whose root is a directory of the host's, and which runs one command.
 *
 * Its initrd has a program that mounts the root and runs the command; that program and
 * this one talk over a port of virtio-console.  COM1 has the kernel's messages, which
 * are kept and shown only when the guest fails.
 */
#include "cmd/root.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board/device.h"
#include "cmd/complain.h"
#include "cmd/device_option.h"
#include "cmd/exit_code.h"
#include "cmd/root_command.h"
#include "cmd/root_image.h"
#include "control/errand.h"
#include "guest/wire.h"

/* The last of what the kernel has said. */
#define LOG_SIZE 65536
/*
 * A panic resets the guest at once, which ends it.  There is no keyboard to be probed,
 * and messages that say nothing about a failure cost time.
 */
#define APPEND                                                  \
	"console=ttyS0 quiet panic=-1 i8042.noaux i8042.nomux " \
	"i8042.dumbkbd cryptomgr.notests random.trust_cpu=on"

/**
 * struct root - the guest and its command
 * @options: of `lodge run`
 * @path: the root
 * @image: the guest's initrd
 * @append: the guest's command line
 * @ports: the agent's port: 0 is the command's, 1 the device's, until it has it
 * @description: the command
 * @errand: the command, while it may run
 * @served: it has run, or the guest has failed: @end is set
 * @end: how it has ended
 * @lock: guards @log and @logged
 * @log: what the kernel has said: a ring
 * @logged: bytes that it has said
 */
struct root {
	struct run_options *options;
	char path[PATH_MAX];
	struct root_image image;
	char *append;
	int ports[2];
	void *description;
	struct errand *errand;
	bool served;
	struct errand_end end;
	pthread_mutex_t lock;
	char log[LOG_SIZE];
	size_t logged;
};

static bool signalled(void *owner, int number)
{
	struct root *root = owner;

	return errand_signal(root->errand, number);
}

static int find_root(struct root *root)
{
	const char *path = root->options->root;
	struct stat st;

	if (!realpath(path, root->path) || stat(root->path, &st))
		return complain(EXIT_CODE_IMAGE, path, strerror(errno),
				"name a directory by --root");
	if (!S_ISDIR(st.st_mode))
		return complain(EXIT_CODE_IMAGE, path, "is no directory",
				"name one by --root");
	return 0;
}

static int want(struct root *root, const char *device)
{
	char why[DEVICE_OPTION_WHY_SIZE];
	int err = device_option_parse(&root->options->machine.devices, device,
				      why, sizeof(why));

	return err ? complain(EXIT_CODE_USAGE, "--root", why, NULL) : 0;
}

static int want_devices(struct root *root)
{
	char *path = device_quote(root->path), *device;
	int code, size;

	if (!path || asprintf(&device,
			      "virtio-fs,dir=%s,tag=" ROOT_TAG
			      ",ro=on,submounts=off,uid=%u",
			      path, geteuid()) < 0)
		device = NULL;
	free(path);
	if (!device)
		return complain(EXIT_CODE_RESOURCES, "--root", strerror(ENOMEM),
				NULL);
	code = want(root, device);
	free(device);
	if (code)
		return code;
	size = asprintf(&device, "virtio-console,fd=%d,name=" WIRE_PORT,
			root->ports[1]);
	if (size < 0)
		return complain(EXIT_CODE_RESOURCES, "--root", strerror(ENOMEM),
				NULL);
	code = want(root, device);
	free(device);
	/* It is the device's, of a machine that this process makes once. */
	root->ports[1] = -1;
	return code;
}

/* What the user appends comes last, and so counts. */
static int set_boot(struct root *root)
{
	struct boot_options *boot = &root->options->machine.boot;
	struct boot_error error;
	int err = root_image_make(&root->image, boot->kernel, root->path,
				  &root->options->machine.devices, &error);

	if (err) {
		fprintf(stderr, "lodge: %s\n", error.text);
		return EXIT_CODE_IMAGE;
	}
	if (asprintf(&root->append, "%s %s", APPEND,
		     boot->append ? boot->append : "") < 0)
		return complain(EXIT_CODE_RESOURCES, "--root", strerror(ENOMEM),
				NULL);
	boot->append = root->append;
	boot->made_initrd = &root->image.image;
	return 0;
}

/* A command has this process's terminal if both its input and its output are one. */
static int set_command(struct root *root)
{
	struct errand_config config = {
		.fd = root->ports[0],
		.fds = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
		.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
	};
	int err = root_command_describe(root->path, root->options->command,
					config.terminal, &root->description,
					&config.size);

	if (err == -E2BIG)
		return complain(EXIT_CODE_USAGE, "the command", strerror(E2BIG),
				"give it fewer arguments or less environment");
	config.description = root->description;
	root->errand = err ? NULL : errand_new(&config);
	if (!root->errand)
		return complain(EXIT_CODE_RESOURCES, "the command",
				strerror(err ? -err : errno), NULL);
	return 0;
}

static int prepare(struct root *root)
{
	struct machine_config *machine = &root->options->machine;
	int code = find_root(root);

	if (code)
		return code;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       root->ports))
		return complain(EXIT_CODE_RESOURCES, "--root", strerror(errno),
				NULL);
	code = want_devices(root);
	if (!code)
		code = set_boot(root);
	if (!code)
		code = set_command(root);
	machine->no_reboot = true;
	machine->signalled = signalled;
	machine->owner = root;
	return code;
}

int root_open(struct root **root, struct run_options *options)
{
	struct root *new = calloc(1, sizeof(*new));
	int code;

	if (!new)
		return complain(EXIT_CODE_RESOURCES, "starting",
				strerror(ENOMEM), NULL);
	new->options = options;
	new->ports[0] = new->ports[1] = -1;
	pthread_mutex_init(&new->lock, NULL);
	code = prepare(new);
	if (code)
		root_close(new);
	else
		*root = new;
	return code;
}

static void keep(void *opaque, const void *data, size_t size)
{
	struct root *root = opaque;

	pthread_mutex_lock(&root->lock);
	for (size_t i = 0; i < size; i++)
		root->log[root->logged++ % LOG_SIZE] = ((const char *)data)[i];
	pthread_mutex_unlock(&root->lock);
}

int root_console(struct root *root, struct console **console)
{
	return console_open_calls(console, -1, keep, root);
}

void root_serve(struct root *root, struct machine *machine)
{
	if (errand_run(root->errand, machine_ended(machine), &root->end))
		root->end.fate = ERRAND_GONE;
	root->served = true;
	machine_end(machine);
}

/* The user's terminal shows what the kernel has said, and does not obey it. */
static void show_log(struct root *root)
{
	size_t from = root->logged > LOG_SIZE ? root->logged - LOG_SIZE : 0;

	pthread_mutex_lock(&root->lock);
	if (root->logged)
		fputs("lodge: the guest's kernel has said:\n", stderr);
	for (; from < root->logged; from++) {
		const char byte = root->log[from % LOG_SIZE];

		if (byte == '\n' || byte == '\t' ||
		    (byte >= ' ' && byte <= '~'))
			fputc(byte, stderr);
	}
	pthread_mutex_unlock(&root->lock);
	if (*root->image.note)
		fprintf(stderr, "lodge: %s\n", root->image.note);
}

static int tell_failure(struct root *root)
{
	const struct errand_end *end = &root->end;

	show_log(root);
	if (end->fate == ERRAND_FAILED)
		return complain(EXIT_CODE_NO_COMMAND, "the guest", end->text,
				NULL);
	if (end->fate == ERRAND_GARBAGE)
		return complain(EXIT_CODE_GUEST_FAILED, "the guest",
				"what it sends is no answer of lodge's agent",
				NULL);
	if (end->up)
		return complain(EXIT_CODE_GUEST_FAILED, "the guest",
				"it ended before its command did", NULL);
	return complain(EXIT_CODE_GUEST_FAILED, "the guest",
			"it ended before it could run a command",
			"its kernel needs CONFIG_BLK_DEV_INITRD and "
			"CONFIG_BINFMT_ELF, and CONFIG_SERIAL_8250_CONSOLE to "
			"say what is wrong");
}

static int tell_no_start(struct root *root)
{
	const struct errand_end *end = &root->end;
	char **command = root->options->command;
	const char *program = command ? command[0] : "the shell";
	const char *why = strerror(end->code);

	if (end->fate == ERRAND_NO_DIRECTORY)
		return complain(EXIT_CODE_NO_COMMAND,
				"the present directory in the guest", why,
				"start from one that is below --root");
	if (end->fate == ERRAND_NO_START)
		return complain(EXIT_CODE_NO_COMMAND, "the command", why, NULL);
	return complain(end->code == ENOENT ? EXIT_CODE_NOT_FOUND :
					      EXIT_CODE_NOT_EXECUTABLE,
			program, why, NULL);
}

/* Codes of a machine's own end mean nothing of the command. */
static int code_without_command(int code)
{
	if (code >= EXIT_CODE_SIGNAL(0))
		return code;
	return code >= EXIT_CODE_USAGE ? EXIT_CODE_NO_COMMAND :
					 EXIT_CODE_GUEST_FAILED;
}

int root_exit_code(struct root *root, int code)
{
	if (!root->served)
		return code_without_command(code);
	switch (root->end.fate) {
	case ERRAND_EXITED:
		return root->end.code;
	case ERRAND_KILLED:
		return EXIT_CODE_SIGNAL(root->end.code);
	case ERRAND_NO_DIRECTORY:
	case ERRAND_NO_PROGRAM:
	case ERRAND_NO_START:
		return tell_no_start(root);
	case ERRAND_QUIT:
		return EXIT_CODE_GUEST_FAILED;
	case ERRAND_GONE:
		/* By a signal, which its sender knows of. */
		if (code >= EXIT_CODE_SIGNAL(0))
			return code;
		break;
	case ERRAND_FAILED:
	case ERRAND_GARBAGE:
		break;
	}
	return tell_failure(root);
}

void root_close(struct root *root)
{
	errand_free(root->errand);
	free(root->description);
	for (int i = 0; i < 2; i++)
		if (root->ports[i] >= 0)
			close(root->ports[i]);
	root_image_free(&root->image);
	free(root->append);
	pthread_mutex_destroy(&root->lock);
	free(root);
}
