// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the control socket's requests `save` and `freeze`, with which a descriptor comes:
 * of clients that send the right one, and of such that send anything else; and of
 * `template`, whose answer has one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/session.h"
#include "control_machine.h"
#include "kselftest_harness.h"

#define FREEZE "{\"id\":1,\"command\":\"freeze\"}\n"
#define TEMPLATE "{\"id\":1,\"command\":\"template\"}\n"
#define SAVE "{\"id\":1,\"command\":\"save\"}\n"
#define MANY 20

FIXTURE(save)
{
	struct session session;
	int client;
	int before;
};

static int open_files(void)
{
	DIR *list = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

FIXTURE_SETUP(save)
{
	int ends[2];

	self->before = open_files();
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
	self->client = ends[1];
	session_open(&self->session, ends[0], &control_machine);
}

/* Nothing leaks, whatever came. */
FIXTURE_TEARDOWN(save)
{
	session_close(&self->session);
	close(self->client);
	EXPECT_EQ(self->before, open_files());
}

static void send_files(int socket, const char *text, const int *fds,
		       size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(MANY * sizeof(int))];
	} room = { 0 };
	struct iovec part = { (char *)text, strlen(text) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = count ? &room : NULL,
		.msg_controllen = count ? CMSG_SPACE(count * sizeof(int)) : 0,
	};
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);

	if (control) {
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(control), fds, count * sizeof(int));
	}
	if (sendmsg(socket, &message, 0) < 0)
		abort();
}

/* Return: what the session has answered, without its greeting. */
static const char *answer(FIXTURE_DATA(save) * self)
{
	static char text[4096];
	ssize_t size;
	char *line;

	for (int i = 0; i < 4; i++)
		session_work(&self->session, POLLIN | POLLOUT, &control_machine,
			     NULL, -1);
	size = recv(self->client, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[size > 0 ? size : 0] = '\0';
	line = strstr(text, "\"lodge\"") ? strchr(text, '\n') + 1 : text;
	return line;
}

static const char *save_to(FIXTURE_DATA(save) * self, int fd)
{
	send_files(self->client, SAVE, &fd, 1);
	close(fd);
	return answer(self);
}

TEST_F(save, a_regular_file_is_written)
{
	int fd = memfd_create("file", 0), copy = dup(fd);
	char text[6] = "";

	EXPECT_NE(NULL, strstr(save_to(self, fd), "\"ok\""));
	EXPECT_EQ(1, asked.saves);
	EXPECT_EQ(5, pread(copy, text, 5, 0));
	EXPECT_STREQ("saved", text);
	EXPECT_FALSE(self->session.holds);
	close(copy);
}

TEST_F(save, the_machine_is_told_by_which_socket_it_was_asked)
{
	save_to(self, memfd_create("file", 0));
	EXPECT_EQ(self->session.fd, asked.saver);
}

TEST_F(save, a_client_is_gone_when_it_has_closed_and_not_when_it_is_silent)
{
	char text[4096];

	EXPECT_FALSE(session_is_gone(self->session.fd));
	ASSERT_EQ(0, shutdown(self->client, SHUT_WR));
	EXPECT_FALSE(session_is_gone(self->session.fd));
	recv(self->client, text, sizeof(text), MSG_DONTWAIT);
	close(self->client);
	EXPECT_TRUE(session_is_gone(self->session.fd));
	self->client = dup(self->session.fd);
}

TEST_F(save, a_client_whose_process_has_ended_is_gone_whatever_it_has_not_read)
{
	session_work(&self->session, POLLOUT, &control_machine, NULL, -1);
	close(self->client);
	EXPECT_TRUE(session_is_gone(self->session.fd));
	self->client = dup(self->session.fd);
}

TEST_F(save, a_failure_has_its_reason)
{
	asked.error = -ENOSPC;
	EXPECT_NE(NULL, strstr(save_to(self, memfd_create("file", 0)),
			       "the disk is full"));
}

TEST_F(save, a_machine_that_another_connection_holds_is_said_to_be_busy)
{
	asked.error = CONTROL_HELD;
	EXPECT_NE(NULL, strstr(save_to(self, memfd_create("file", 0)),
			       "\"" CONTROL_BUSY "\""));
	asked.error = -EBUSY;
	EXPECT_NE(NULL, strstr(save_to(self, memfd_create("file", 0)),
			       "\"" CONTROL_FAILED "\""));
}

TEST_F(save, without_a_descriptor_it_is_refused)
{
	send_files(self->client, SAVE, NULL, 0);
	EXPECT_NE(NULL, strstr(answer(self), CONTROL_BAD_ARGUMENT));
	EXPECT_EQ(0, asked.saves);
}

TEST_F(save, with_several_descriptors_it_is_refused)
{
	static const size_t counts[] = { 2, 3, MANY };
	int fds[MANY];

	for (size_t i = 0; i < MANY; i++)
		fds[i] = memfd_create("file", 0);
	for (size_t i = 0; i < 3; i++) {
		send_files(self->client, SAVE, fds, counts[i]);
		EXPECT_NE(NULL, strstr(answer(self), CONTROL_BAD_ARGUMENT));
	}
	send_files(self->client, "{\"id\":1,", fds, 1);
	send_files(self->client, "\"command\":\"save\"}\n", fds, 1);
	EXPECT_NE(NULL, strstr(answer(self), CONTROL_BAD_ARGUMENT));
	EXPECT_EQ(0, asked.saves);
	for (size_t i = 0; i < MANY; i++)
		close(fds[i]);
}

TEST_F(save, what_is_no_regular_file_is_refused)
{
	int pipes[2], sockets[2];

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	EXPECT_NE(NULL, strstr(save_to(self, pipes[1]), "no regular file"));
	EXPECT_NE(NULL, strstr(save_to(self, sockets[0]), "no regular file"));
	EXPECT_NE(NULL, strstr(save_to(self, open("/dev/null", O_RDWR)),
			       "no regular file"));
	EXPECT_NE(NULL, strstr(save_to(self, open("/tmp", O_RDONLY)),
			       "no regular file"));
	close(pipes[0]);
	close(sockets[1]);
	EXPECT_EQ(0, asked.saves);
}

TEST_F(save, a_file_that_cannot_be_written_anywhere_is_refused)
{
	static const int flags[] = { O_RDONLY, O_PATH, O_RDWR | O_APPEND };
	char path[] = "/tmp/lodge-save-XXXXXX";

	close(mkstemp(path));
	for (size_t i = 0; i < 3; i++) {
		int fd = open(path, flags[i]);

		ASSERT_GE(fd, 0);
		EXPECT_NE(NULL, strstr(save_to(self, fd), "for writing"));
	}
	unlink(path);
	EXPECT_EQ(0, asked.saves);
}

TEST_F(save, other_requests_take_no_descriptor)
{
	int fd = memfd_create("file", 0);

	send_files(self->client, "{\"id\":1,\"command\":\"pause\"}\n", &fd, 1);
	EXPECT_NE(NULL, strstr(answer(self), CONTROL_BAD_ARGUMENT));
	EXPECT_EQ(0, asked.pauses);
	/* And it is none of the next one's. */
	send_files(self->client, SAVE, NULL, 0);
	EXPECT_NE(NULL, strstr(answer(self), CONTROL_BAD_ARGUMENT));
	EXPECT_EQ(0, asked.saves);
	close(fd);
}

TEST_F(save, a_descriptor_without_a_request_is_closed_with_the_connection)
{
	int fd = memfd_create("file", 0);

	send_files(self->client, "{", &fd, 1);
	close(fd);
	answer(self);
}

TEST_F(save, a_connection_that_holds_the_machine_is_known)
{
	int fd = memfd_create("file", 0);

	send_files(self->client,
		   "{\"id\":1,\"command\":\"save\",\"hold\":true}\n", &fd, 1);
	close(fd);
	EXPECT_NE(NULL, strstr(answer(self), "\"ok\""));
	EXPECT_EQ(CONTROL_HOLDS_SAVED, self->session.holds);
	session_finish(&self->session, "{}");
	EXPECT_FALSE(self->session.holds);
}

/* Freezes the machine, whose template is a new file. */
static void freeze(FIXTURE_DATA(save) * self)
{
	int fd = memfd_create("file", 0);

	send_files(self->client, FREEZE, &fd, 1);
	close(fd);
	if (!strstr(answer(self), "\"ok\""))
		abort();
}

/* Receives what was answered.  Return: the descriptor that has come with it, or -1. */
static int receive_file(FIXTURE_DATA(save) * self, char *text, size_t size)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(MANY * sizeof(int))];
	} room;
	struct iovec part = { text, size - 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &room,
		.msg_controllen = sizeof(room.bytes),
	};
	struct cmsghdr *control;
	ssize_t length;
	int fd = -1;

	for (int i = 0; i < 4; i++)
		session_work(&self->session, POLLIN | POLLOUT, &control_machine,
			     NULL, -1);
	length = recvmsg(self->client, &message, MSG_DONTWAIT);
	text[length > 0 ? length : 0] = '\0';
	control = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (control && control->cmsg_len != CMSG_LEN(sizeof(fd)))
		abort();
	if (control)
		memcpy(&fd, CMSG_DATA(control), sizeof(fd));
	return fd;
}

TEST_F(save, the_file_of_a_frozen_machine_is_kept_and_answered)
{
	char text[256], bytes[6] = "";
	int fd;

	freeze(self);
	EXPECT_EQ(1, asked.freezes);
	send_files(self->client, TEMPLATE, NULL, 0);
	fd = receive_file(self, text, sizeof(text));
	ASSERT_GE(fd, 0);
	EXPECT_NE(NULL, strstr(text, "\"ok\""));
	EXPECT_NE(asked.template, fd);
	EXPECT_EQ(5, pread(fd, bytes, 5, 0));
	EXPECT_STREQ("saved", bytes);
	close(fd);
	/* What follows has none. */
	send_files(self->client, "{\"id\":1,\"command\":\"status\"}\n", NULL,
		   0);
	EXPECT_EQ(-1, receive_file(self, text, sizeof(text)));
	EXPECT_NE(NULL, strstr(text, "\"state\":\"frozen\""));
	close(asked.template);
}

TEST_F(save, a_file_for_which_a_machine_is_not_frozen_is_closed)
{
	int fd = memfd_create("file", 0);

	asked.error = -ENOSPC;
	send_files(self->client, FREEZE, &fd, 1);
	EXPECT_NE(NULL, strstr(answer(self), "there is no room"));
	asked.error = 0;
	asked.frozen = true;
	send_files(self->client, FREEZE, &fd, 1);
	EXPECT_NE(NULL, strstr(answer(self), "\"ok\""));
	close(fd);
	EXPECT_EQ(2, asked.freezes);
	send_files(self->client, FREEZE, NULL, 0);
	EXPECT_NE(NULL, strstr(answer(self), CONTROL_BAD_ARGUMENT));
	EXPECT_EQ(2, asked.freezes);
}

TEST_F(save, only_a_frozen_machine_has_a_template)
{
	send_files(self->client, TEMPLATE, NULL, 0);
	EXPECT_NE(NULL, strstr(answer(self), CONTROL_NOT_FROZEN));
	EXPECT_FALSE(self->session.holds);
}

TEST_F(save, a_connection_with_the_template_holds_the_machine_once)
{
	char text[256];

	freeze(self);
	for (int i = 0; i < 3; i++) {
		send_files(self->client, TEMPLATE, NULL, 0);
		close(receive_file(self, text, sizeof(text)));
		EXPECT_TRUE(self->session.holds);
		EXPECT_EQ(i, asked.releases);
	}
	close(asked.template);
}

TEST_F(save, a_connection_that_has_begun_something_else_has_the_template_too)
{
	char text[256];

	self->session.holds = CONTROL_HOLDS_MOVE;
	freeze(self);
	send_files(self->client, TEMPLATE, NULL, 0);
	close(receive_file(self, text, sizeof(text)));
	EXPECT_EQ(CONTROL_HOLDS_MOVE | CONTROL_HOLDS_TEMPLATE,
		  self->session.holds);
	EXPECT_EQ(0, asked.releases);
	close(asked.template);
}

TEST_F(save, a_frozen_machine_is_not_changed_and_not_held_otherwise)
{
	static const char *const refused[] = {
		"{\"id\":1,\"command\":\"checkpoint\"}\n",
		"{\"id\":1,\"command\":\"checkpoint\",\"drop\":true}\n",
		"{\"id\":1,\"command\":\"rewind\"}\n",
	};
	int fd = memfd_create("file", 0);

	asked.frozen = true;
	for (size_t i = 0; i < 3; i++) {
		send_files(self->client, refused[i], NULL, 0);
		EXPECT_NE(NULL, strstr(answer(self), CONTROL_IS_FROZEN));
	}
	send_files(self->client,
		   "{\"id\":1,\"command\":\"save\",\"hold\":true}\n", &fd, 1);
	EXPECT_NE(NULL, strstr(answer(self), CONTROL_IS_FROZEN));
	EXPECT_EQ(0, asked.checkpoints + asked.drops + asked.rewinds);
	EXPECT_EQ(0, asked.saves);
	EXPECT_NE(NULL, strstr(save_to(self, fd), "\"ok\""));
	EXPECT_EQ(1, asked.saves);
}

TEST_F(save, a_machine_that_must_stay_frozen_says_why)
{
	asked.frozen = true;
	asked.error = -EBUSY;
	asked.why = "clones read its disk";
	send_files(self->client, "{\"id\":1,\"command\":\"resume\"}\n", NULL,
		   0);
	EXPECT_NE(NULL, strstr(answer(self), "clones read its disk"));
}

TEST_HARNESS_MAIN
