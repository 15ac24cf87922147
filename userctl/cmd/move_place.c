// SPDX-License-Identifier: GPL-2.0
/*
 * Where machines go to and come from.
 */
#include "cmd/move_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/move_key.h"
#include "cmd/move_port.h"
#include "cmd/move_tls.h"

#define SOCKET_MODE 0600

/* Return: what follows a prefix, or NULL: it has another one. */
static const char *after(const char *text, const char *prefix)
{
	const size_t size = strlen(prefix);

	return strncmp(text, prefix, size) ? NULL : text + size;
}

/* @remedy: NULL if none is known */
static int complain_place(const char *text, int err, const char *remedy)
{
	return complain(err == -EACCES || err == -EPERM ? EXIT_CODE_PERMISSION :
							  EXIT_CODE_OUTPUT,
			text, strerror(-err), remedy);
}

static int complain_connect(const char *text, int err)
{
	return complain_place(text, err,
			      err == -ECONNREFUSED || err == -ENOENT ?
				      "start lodge receive there first" :
				      NULL);
}

static int complain_accept(const char *text, int err)
{
	return complain_place(text, err,
			      err == -EADDRINUSE ?
				      "choose another path, or remove what is "
				      "there" :
			      err == -ENOENT ? "make its directory first" :
					       NULL);
}

/* Return: 0 or -errno. */
static int address_of(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	if (!*path)
		return -EINVAL;
	strcpy(address->sun_path, path);
	return 0;
}

/* Return: a descriptor or -errno. */
static int connect_unix(const char *path, int type)
{
	struct sockaddr_un address;
	int err = address_of(&address, path), fd;

	if (err)
		return err;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* Return: 0 or -errno. */
static int connect_command(const char *command, struct move_place *place)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	place->child = fork();
	if (!place->child) {
		if (dup2(ends[1], STDIN_FILENO) >= 0 &&
		    dup2(ends[1], STDOUT_FILENO) >= 0)
			execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(EXIT_CODE_NOT_FOUND);
	}
	close(ends[1]);
	place->in = place->out = ends[0];
	if (place->child > 0)
		return 0;
	place->child = 0;
	close(ends[0]);
	return -EAGAIN;
}

/* @open: one of the two below.  Return: 0, or the exit code after a message. */
static int open_port(const char *text, const char *key,
		     int (*open)(const char *port, const char *key, int *fd),
		     struct move_place *place)
{
	char digits[MOVE_KEY_MAX + 1];
	int code;

	if (!key)
		return complain(EXIT_CODE_USAGE, text,
				"it needs a key that both sides have",
				"say --key FILE; `psktool -u lodge -p FILE` "
				"makes one");
	code = move_key_read(key, digits);
	if (!code)
		code = move_tls_load();
	if (!code)
		code = open(after(text, "tcp:"), digits, &place->in);
	place->out = place->in;
	explicit_bzero(digits, sizeof(digits));
	return code;
}

static int connect_port(const char *port, const char *key, int *fd)
{
	int peer, code = move_port_connect(port, &peer);

	return code ? code : move_tls_open(port, peer, key, false, fd);
}

/* Who has not the key is turned away, and the next one is waited for. */
static int accept_port(const char *port, const char *key, int *fd)
{
	int listener, peer, code = move_port_listen(port, &listener);

	if (code)
		return code;
	do {
		peer = move_port_accept(listener);
		code = peer < 0 ? complain_place(port, peer, NULL) :
				  move_tls_open(port, peer, key, true, fd);
	} while (code == EXIT_CODE_PERMISSION && peer >= 0);
	close(listener);
	return code;
}

/* Return: the exit code. */
static int refuse_key(const char *text)
{
	return complain(EXIT_CODE_USAGE, text, "it takes no --key",
			"leave that out, or say tcp:HOST:PORT");
}

int move_place_connect(const char *text, const char *key,
		       struct move_place *place)
{
	const char *path = after(text, "unix:");
	const char *command = after(text, "exec:");
	int err;

	*place = (struct move_place){ .in = -1, .out = -1 };
	if (after(text, "tcp:"))
		return open_port(text, key, connect_port, place);
	if (key)
		return refuse_key(text);
	if (path) {
		err = connect_unix(path, SOCK_STREAM);
		place->in = place->out = err;
	} else if (command && *command) {
		err = connect_command(command, place);
	} else {
		return complain(EXIT_CODE_USAGE, text,
				"it is no place for a machine",
				"say unix:PATH, tcp:HOST:PORT or exec:COMMAND");
	}
	return err < 0 ? complain_connect(text, err) : 0;
}

/*
 * A socket at which nobody is any more is left by one that was killed.  Who waits there
 * takes one connection, which this must not be: so it is asked by a socket of a type that
 * is never connected to it, and fails in another way.
 */
static bool is_left(const char *path)
{
	struct stat status;
	int fd = connect_unix(path, SOCK_DGRAM);

	if (fd >= 0)
		close(fd);
	return fd == -ECONNREFUSED && !lstat(path, &status) &&
	       S_ISSOCK(status.st_mode);
}

/* Return: 0 or -errno. */
static int bind_path(int fd, const struct sockaddr_un *address)
{
	const struct sockaddr *to = (const struct sockaddr *)address;

	/* The file that bind() makes has the mode of the socket. */
	if (fchmod(fd, SOCKET_MODE))
		return -errno;
	if (!bind(fd, to, sizeof(*address)))
		return 0;
	if (errno != EADDRINUSE || !is_left(address->sun_path))
		return -errno;
	unlink(address->sun_path);
	return bind(fd, to, sizeof(*address)) ? -errno : 0;
}

/* One connection is taken, and the path is gone.  Return: a descriptor or -errno. */
static int accept_unix(const char *path)
{
	struct sockaddr_un address;
	int err = address_of(&address, path), listener, fd;

	if (err)
		return err;
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0)
		return -errno;
	err = bind_path(listener, &address);
	if (err) {
		close(listener);
		return err;
	}
	fd = listen(listener, 1) ? -1 :
				   accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	err = -errno;
	unlink(path);
	close(listener);
	return fd < 0 ? err : fd;
}

/* Return: 0 or -errno. */
static int take_stdio(struct move_place *place)
{
	const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0)
		return -errno;
	place->in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	place->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (place->in < 0 || place->out < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return -errno;
	close(null);
	return 0;
}

int move_place_accept(const char *text, const char *key,
		      struct move_place *place)
{
	const char *path = after(text, "unix:");
	int err;

	*place = (struct move_place){ .in = -1, .out = -1 };
	if (after(text, "tcp:"))
		return open_port(text, key, accept_port, place);
	if (key)
		return refuse_key(text);
	if (path) {
		err = accept_unix(path);
		place->in = place->out = err;
	} else if (!strcmp(text, "stdio")) {
		err = take_stdio(place);
	} else {
		return complain(EXIT_CODE_USAGE, text,
				"it is no place where a machine comes from",
				"say unix:PATH, tcp:ADDRESS:PORT or stdio");
	}
	return err < 0 ? complain_accept(text, err) : 0;
}

void move_place_close(struct move_place *place, bool wait)
{
	if (place->out >= 0 && place->out != place->in)
		close(place->out);
	if (place->in >= 0)
		close(place->in);
	place->in = place->out = -1;
	if (wait && place->child)
		waitpid(place->child, NULL, 0);
	place->child = 0;
}
