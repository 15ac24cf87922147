// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the host's end of a port that is at a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "virtio/port.h"

FIXTURE(port)
{
	char path[64];
	struct port *port;
};

static void connected(void *opaque, bool is)
{
}

FIXTURE_SETUP(port)
{
	snprintf(self->path, sizeof(self->path), "/tmp/lodge-port-%d",
		 getpid());
	unlink(self->path);
}

FIXTURE_TEARDOWN(port)
{
	port_close(self->port);
	unlink(self->path);
}

static int open_it(FIXTURE_DATA(port) * self)
{
	const struct port_config config = {
		.path = self->path,
		.connected = connected,
	};

	return port_open(&self->port, &config);
}

TEST_F(port, what_is_written_is_in_the_file_and_nothing_else)
{
	char text[16] = "";
	int file = open(self->path, O_RDWR | O_CREAT, 0600);

	ASSERT_EQ(6, write(file, "before", 6));
	ASSERT_EQ(0, open_it(self));
	EXPECT_EQ(5, port_write(self->port, "hello", 5));
	EXPECT_EQ(5, pread(file, text, sizeof(text), 0));
	EXPECT_STREQ("hello", text);
	close(file);
}

TEST_F(port, a_pipe_without_a_reader_is_refused_at_once)
{
	ASSERT_EQ(0, mkfifo(self->path, 0600));
	EXPECT_EQ(-ENXIO, open_it(self));
	EXPECT_EQ(NULL, self->port);
}

TEST_F(port, a_pipe_that_is_full_is_waited_for_elsewhere)
{
	static const char many[1 << 16];
	int reader;

	ASSERT_EQ(0, mkfifo(self->path, 0600));
	reader = open(self->path, O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, open_it(self));
	for (int i = 0; i < 100; i++)
		if (port_write(self->port, many, sizeof(many)) == -EAGAIN)
			break;
	EXPECT_EQ(-EAGAIN, port_write(self->port, many, 1));
	close(reader);
}

TEST_HARNESS_MAIN
