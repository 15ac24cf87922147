// SPDX-License-Identifier: GPL-2.0
/*
 * First process of a guest whose root is a directory of the host's: loads the modules
 * that /manifest names, mounts the root and what belongs below it, and serves the
 * controller.
 *
 * The manifest has lines of two words:
 *
 *	module FILE	loaded in this order; FILE is below /modules
 *	root TAG	of the virtio-fs device that has the root
 *	host NAME	the guest's host name
 *
 * What fails is said to the kernel's log, whose errors the controller shows when the
 * guest ends by itself; and to the controller, once there is a way.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest/agent.h"
#include "guest/wire.h"

#define MANIFEST "/manifest"
#define MANIFEST_MAX 65536
/* Where the root is put together, and its parts. */
#define ROOT "/root"
#define LOWER "/lower"
#define UPPER "/upper"
/* The kernel's log: <3> is an error, which a quiet kernel shows, too. */
#define LOG_ERROR "<3>lodge: "
/* A port is there some milliseconds after its driver; in a slow guest seconds. */
#define PATIENCE_MS 60000
#define MAX_PORTS 8

static int port = -1;

/* A kernel that cannot power off would stop for ever: it resets, which ends it as well. */
static void end_machine(void)
{
	sync();
	reboot(access("/sys/firmware/acpi", F_OK) ? RB_AUTOBOOT : RB_POWER_OFF);
	for (;;)
		pause();
}

static void say_to_kernel(const char *text)
{
	const int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	dprintf(log >= 0 ? log : STDERR_FILENO, LOG_ERROR "%s\n", text);
	if (log >= 0)
		close(log);
}

static void say_to_controller(const char *text)
{
	struct wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return;
	wire->fd = port;
	wire_put(wire, WIRE_FAILED, 0, 0, text, strlen(text));
	wire_flush(wire);
	/* It ends the machine when it has got this. */
	poll(NULL, 0, PATIENCE_MS);
}

static _Noreturn void fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	say_to_kernel(text);
	if (port >= 0)
		say_to_controller(text);
	end_machine();
	_exit(1);
}

/**
 * struct mounting - a file system
 * @needed: without it nothing works
 */
struct mounting {
	const char *type;
	const char *where;
	unsigned long flags;
	const char *options;
	bool needed;
};

#define PLAIN (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* For this program. */
static const struct mounting own[] = {
	{ "devtmpfs", "/dev", MS_NOSUID, "mode=755", true },
	{ "proc", "/proc", PLAIN, NULL, true },
	{ "sysfs", "/sys", PLAIN, NULL, true },
};

/* For the command, below its root. */
static const struct mounting commands[] = {
	{ "devtmpfs", ROOT "/dev", MS_NOSUID, "mode=755", true },
	{ "devpts", ROOT "/dev/pts", MS_NOSUID | MS_NOEXEC,
	  "gid=5,mode=620,ptmxmode=666", false },
	{ "tmpfs", ROOT "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777", false },
	{ "proc", ROOT "/proc", PLAIN, NULL, true },
	{ "sysfs", ROOT "/sys", PLAIN, NULL, true },
	{ "cgroup2", ROOT "/sys/fs/cgroup", PLAIN, NULL, false },
	{ "debugfs", ROOT "/sys/kernel/debug", PLAIN, NULL, false },
	{ "tracefs", ROOT "/sys/kernel/tracing", PLAIN, NULL, false },
	{ "tmpfs", ROOT "/run", MS_NOSUID | MS_NODEV, "mode=755", false },
};

static void mount_all(const struct mounting *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		mkdir(list[i].where, 0755);
		if (mount(list[i].type, list[i].where, list[i].type,
			  list[i].flags, list[i].options) &&
		    list[i].needed)
			fail("mounting %s: %s", list[i].type, strerror(errno));
	}
}

static char *read_file(const char *path, char *text, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got = -1;

	if (fd < 0)
		return NULL;
	while (length < size - 1 &&
	       (got = read(fd, text + length, size - 1 - length)) > 0)
		length += got;
	close(fd);
	text[length] = 0;
	return got < 0 ? NULL : text;
}

/* One that is loaded already, or built into the kernel, is as good. */
static void load(const char *file)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/modules/%s", file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
		fail("the module %s: %s", file, strerror(errno));
	close(fd);
	unlink(path);
}

/* Return: the root's tag. */
static const char *follow_manifest(void)
{
	static char text[MANIFEST_MAX];
	char *line, *rest = text, *word;
	const char *tag = NULL;

	if (!read_file(MANIFEST, text, sizeof(text)))
		fail(MANIFEST ": %s", strerror(errno));
	while ((line = strsep(&rest, "\n"))) {
		word = strsep(&line, " ");
		if (line && !strcmp(word, "module"))
			load(line);
		else if (line && !strcmp(word, "host") &&
			 sethostname(line, strlen(line)))
			fail("the name %s: %s", line, strerror(errno));
		else if (line && !strcmp(word, "root"))
			tag = line;
	}
	if (!tag)
		fail(MANIFEST " names no root");
	return tag;
}

static bool is_there(const char *path)
{
	return !access(path, F_OK);
}

static bool has_filesystem(const char *name)
{
	char text[8192], *line, *rest = text;
	const char *type;

	if (!read_file("/proc/filesystems", text, sizeof(text)))
		return true;
	while ((line = strsep(&rest, "\n"))) {
		type = strchr(line, '\t');
		if (type && !strcmp(type + 1, name))
			return true;
	}
	return false;
}

/* The kernel has all drivers, or its user learns which one is missing. */
static void check_kernel(void)
{
	const struct {
		bool is_there;
		const char *symbol;
	} needed[] = {
		{ is_there("/sys/bus/pci/devices"), "CONFIG_PCI" },
		{ is_there("/sys/bus/pci/drivers/virtio-pci"),
		  "CONFIG_VIRTIO_PCI" },
		{ is_there("/sys/bus/virtio/drivers/virtio_console"),
		  "CONFIG_VIRTIO_CONSOLE" },
		{ has_filesystem("virtiofs"), "CONFIG_VIRTIO_FS" },
		{ has_filesystem("overlay"), "CONFIG_OVERLAY_FS" },
		{ has_filesystem("tmpfs"), "CONFIG_TMPFS" },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!needed[i].is_there)
			fail("the kernel lacks %s, which --root needs; build "
			     "it with it",
			     needed[i].symbol);
}

/* Return: a descriptor of the port that the controller has, or -1. */
static int find_port(void)
{
	char path[64], name[64];

	for (int i = 0; i < MAX_PORTS; i++)
		for (int j = 1; j < MAX_PORTS; j++) {
			snprintf(path, sizeof(path),
				 "/sys/class/virtio-ports/vport%dp%d/name", i,
				 j);
			if (!read_file(path, name, sizeof(name)))
				continue;
			name[strcspn(name, "\n")] = 0;
			if (strcmp(name, WIRE_PORT))
				continue;
			snprintf(path, sizeof(path), "/dev/vport%dp%d", i, j);
			return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		}
	return -1;
}

/* It hangs up as long as the controller's end is not known to be there. */
static bool is_connected(int fd)
{
	struct pollfd wanted = { .fd = fd, .events = POLLOUT };

	return poll(&wanted, 1, 0) >= 0 && !(wanted.revents & POLLHUP);
}

static void open_port(void)
{
	int fd = -1;

	for (int waited = 0; waited < PATIENCE_MS; waited++) {
		if (fd < 0)
			fd = find_port();
		if (fd >= 0 && is_connected(fd)) {
			port = fd;
			return;
		}
		poll(NULL, 0, 1);
	}
	fail("the port " WIRE_PORT " does not come up");
}

/* The host's directory below, and what the command changes in memory above. */
static void mount_root(const char *tag)
{
	mkdir(LOWER, 0755);
	mkdir(UPPER, 0755);
	mkdir(ROOT, 0755);
	if (mount(tag, LOWER, "virtiofs", MS_RDONLY, NULL))
		fail("mounting the root from the host: %s", strerror(errno));
	if (mount("tmpfs", UPPER, "tmpfs", 0, "mode=755") ||
	    mkdir(UPPER "/upper", 0755) || mkdir(UPPER "/work", 0755))
		fail("the memory above the root: %s", strerror(errno));
	if (mount("overlay", ROOT, "overlay", 0,
		  "lowerdir=" LOWER ",upperdir=" UPPER "/upper,workdir=" UPPER
		  "/work"))
		fail("putting memory above the root: %s", strerror(errno));
}

/* As the first root cannot be left, the other one is moved onto it. */
static void change_root(void)
{
	if (chdir(ROOT) || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/"))
		fail("changing the root: %s", strerror(errno));
}

/* What a device manager makes where there is one. */
static void add_links(void)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]) && errno != EEXIST)
			fail("%s: %s", links[i][1], strerror(errno));
}

/* Programs talk to themselves; a kernel without networks has no such thing. */
static void raise_loopback(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
}

static void ask_others(void)
{
	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
}

static void end_others(void)
{
	kill(-1, SIGKILL);
}

int main(void)
{
	const struct agent_hooks hooks = {
		.ask_others = ask_others,
		.end_others = end_others,
		.settle = sync,
	};
	const char *tag;
	int err;

	/* Ctrl-Alt-Del is no business of the kernel's here. */
	reboot(RB_DISABLE_CAD);
	umask(0);
	mount_all(own, sizeof(own) / sizeof(own[0]));
	tag = follow_manifest();
	check_kernel();
	open_port();
	mount_root(tag);
	mount_all(commands, sizeof(commands) / sizeof(commands[0]));
	unlink("/init");
	change_root();
	add_links();
	raise_loopback();
	err = agent_serve(port, &hooks);
	if (err)
		fail("the port " WIRE_PORT ": %s", strerror(-err));
	end_machine();
}
