// SPDX-License-Identifier: GPL-2.0
/*
 * A guest whose root is a directory of the host's, and which runs commands.
 *
 * Its initrd has a program that mounts the root and runs commands; that program and this
 * one talk over a port of virtio-console, which several commands share.  COM1 has the
 * kernel's messages, which in the foreground are kept and shown only when the guest
 * fails.
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
#include "cmd/command_end.h"
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
 * @ports: the agent's port: 0 is @mux's, 1 the device's, until it has it
 * @mux: shares the agent
 * @line: how the command reaches @mux: 0 is the command's, 1 @mux's, until it has it
 * @description: the command, or NULL
 * @errand: the command; without one, it hears whether the guest fails
 * @machine: the machine, while @errand runs
 * @thread: runs @errand
 * @running: there is @thread
 * @background: in the background: takes what the command writes
 * @served: @errand has run: @end is set
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
	struct mux *mux;
	int line[2];
	void *description;
	struct errand *errand;
	struct machine *machine;
	pthread_t thread;
	bool running;
	struct background *background;
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

static void take(void *opaque, const void *data, size_t size)
{
	struct root *root = opaque;

	background_write(root->background, data, size);
}

/* A command has this process's terminal if both its input and its output are one. */
static bool has_terminal(const struct root *root)
{
	return !root->options->detach && isatty(STDIN_FILENO) &&
	       isatty(STDOUT_FILENO);
}

/* Return: 0, or an exit code after a message. */
static int describe(struct root *root, struct errand_config *config)
{
	const struct root_command command = {
		.root = root->path,
		.argv = root->options->command,
		.terminal = config->terminal,
		.ends_guest = true,
	};
	int err;

	if (root->options->detach && !command.argv)
		return 0;
	err = root_command_describe(&command, &root->description,
				    &config->size);
	if (err == -E2BIG)
		return complain(EXIT_CODE_USAGE, "the command", strerror(E2BIG),
				"give it fewer arguments or less environment");
	if (err)
		return complain(EXIT_CODE_RESOURCES, "the command",
				strerror(-err), NULL);
	config->description = root->description;
	return 0;
}

/* Return: 0, or an exit code after a message. */
static int set_command(struct root *root)
{
	struct errand_config config = {
		.fd = root->line[0],
		.fds = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
		.terminal = has_terminal(root),
		.take = root->options->detach ? take : NULL,
		.opaque = root,
	};
	int code = describe(root, &config);

	if (code)
		return code;
	root->errand = errand_new(&config);
	return root->errand ? 0 :
			      complain(EXIT_CODE_RESOURCES, "the command",
				       strerror(errno), NULL);
}

static int open_line(int *ends)
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  0, ends);
}

static int prepare(struct root *root)
{
	struct machine_config *machine = &root->options->machine;
	int code = find_root(root);

	if (code)
		return code;
	if (open_line(root->ports) || open_line(root->line) ||
	    !(root->mux = mux_new(root->ports[0])))
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
	new->ports[0] = new->ports[1] = new->line[0] = new->line[1] = -1;
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

void root_loaded(struct root *root)
{
	root->options->machine.boot.made_initrd = NULL;
	root_image_free(&root->image);
}

int root_console(struct root *root, struct console **console)
{
	return console_open_calls(console, -1, keep, root);
}

static void *run_errand(void *opaque)
{
	struct root *root = opaque;

	/* At the machine's end its line ends, after all that the guest has said. */
	if (errand_run(root->errand, -1, &root->end))
		root->end.fate = ERRAND_GONE;
	root->served = true;
	machine_end(root->machine);
	return NULL;
}

int root_start(struct root *root, struct machine *machine,
	       struct background *background)
{
	int err = mux_add(root->mux, root->line[1], NULL, 0);

	root->line[1] = -1;
	root->machine = machine;
	root->background = background;
	if (!err)
		err = mux_start(root->mux, machine_ended(machine));
	if (!err)
		err = -pthread_create(&root->thread, NULL, run_errand, root);
	root->running = !err;
	return err ? complain(EXIT_CODE_RESOURCES, "starting", strerror(-err),
			      NULL) :
		     0;
}

struct mux *root_mux(struct root *root)
{
	return root->mux;
}

void root_join(struct root *root)
{
	if (root->running)
		pthread_join(root->thread, NULL);
	root->running = false;
	mux_join(root->mux);
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

static void tell_failure(struct root *root)
{
	char **command = root->options->command;
	const struct errand_end *end = &root->end;

	if (!root->background &&
	    (end->fate == ERRAND_GONE || end->fate == ERRAND_FAILED ||
	     end->fate == ERRAND_GARBAGE))
		show_log(root);
	if (end->fate == ERRAND_GONE && !end->up)
		complain(EXIT_CODE_GUEST_FAILED, "the guest",
			 "it ended before it could run a command",
			 "its kernel needs CONFIG_BLK_DEV_INITRD and "
			 "CONFIG_BINFMT_ELF, and CONFIG_SERIAL_8250_CONSOLE to "
			 "say what is wrong");
	else
		command_end_tell(end, "the guest", command ? command[0] : NULL,
				 "start from one that is below --root");
}

/* True if the machine has ended as machines do, and no command counts. */
static bool is_machine_s(const struct root *root)
{
	return root->served && root->end.fate == ERRAND_GONE &&
	       !root->description && root->end.up;
}

const char *root_end(const struct root *root, int *code)
{
	if (!root->served || is_machine_s(root))
		return NULL;
	*code = command_end_code(&root->end);
	return root->end.fate == ERRAND_EXITED ||
			       root->end.fate == ERRAND_KILLED ?
		       "command" :
		       "failure";
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
	if (is_machine_s(root))
		return code;
	/* By a signal, which its sender knows of. */
	if (root->end.fate == ERRAND_GONE && code >= EXIT_CODE_SIGNAL(0))
		return code;
	tell_failure(root);
	return command_end_code(&root->end);
}

void root_close(struct root *root)
{
	errand_free(root->errand);
	free(root->description);
	mux_free(root->mux);
	for (int i = 0; i < 2; i++) {
		if (root->ports[i] >= 0)
			close(root->ports[i]);
		if (root->line[i] >= 0)
			close(root->line[i]);
	}
	root_image_free(&root->image);
	free(root->append);
	pthread_mutex_destroy(&root->lock);
	free(root);
}
