// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the places where machines go to and come from.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/move_place.h"
#include "kselftest_harness.h"

#define PATIENCE_STEPS 600000

FIXTURE(place)
{
	char dir[32];
	char path[64];
	char text[80];
	const char *key;
	struct move_place there;
	int code;
	pthread_t thread;
};

FIXTURE_SETUP(place)
{
	strcpy(self->dir, "/tmp/placeXXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	snprintf(self->path, sizeof(self->path), "%s/socket", self->dir);
	snprintf(self->text, sizeof(self->text), "unix:%s", self->path);
}

FIXTURE_TEARDOWN(place)
{
	unlink(self->path);
	rmdir(self->dir);
}

static void *accept_one(void *opaque)
{
	FIXTURE_DATA(place) *self = opaque;

	self->code = move_place_accept(self->text, self->key, &self->there);
	return NULL;
}

/* A socket that is bound and does not listen yet cannot be connected to. */
static int connect_soon(const char *text, const char *key,
			struct move_place *here)
{
	int code = EXIT_CODE_OUTPUT;

	for (int i = 0; i < PATIENCE_STEPS && code == EXIT_CODE_OUTPUT; i++) {
		usleep(100);
		code = move_place_connect(text, key, here);
	}
	return code;
}

/* Return: true if what is written to the one is read from the other. */
static bool leads(int from, int to)
{
	char byte = 0;

	return write(from, "x", 1) == 1 && read(to, &byte, 1) == 1 &&
	       byte == 'x';
}

TEST_F(place, a_socket_takes_one_connection_both_ways)
{
	struct move_place here;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, accept_one, self));
	ASSERT_EQ(0, connect_soon(self->text, NULL, &here));
	pthread_join(self->thread, NULL);
	ASSERT_EQ(0, self->code);
	EXPECT_TRUE(leads(here.out, self->there.in));
	EXPECT_TRUE(leads(self->there.out, here.in));
	/* Nobody listens there any more. */
	EXPECT_EQ(-1, access(self->path, F_OK));
	move_place_close(&here, true);
	move_place_close(&self->there, true);
}

TEST_F(place, only_its_owner_can_open_a_socket)
{
	struct move_place here;
	struct stat status;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, accept_one, self));
	for (int i = 0; i < PATIENCE_STEPS && access(self->path, F_OK); i++)
		usleep(100);
	ASSERT_EQ(0, stat(self->path, &status));
	EXPECT_EQ(S_IFSOCK | 0600, status.st_mode);
	ASSERT_EQ(0, connect_soon(self->text, NULL, &here));
	pthread_join(self->thread, NULL);
	move_place_close(&here, true);
	move_place_close(&self->there, true);
}

TEST_F(place, a_socket_of_one_that_was_killed_is_replaced)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int left = socket(AF_UNIX, SOCK_STREAM, 0);
	struct move_place here;

	strcpy(address.sun_path, self->path);
	ASSERT_EQ(0, bind(left, (struct sockaddr *)&address, sizeof(address)));
	close(left);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, accept_one, self));
	ASSERT_EQ(0, connect_soon(self->text, NULL, &here));
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->code);
	move_place_close(&here, true);
	move_place_close(&self->there, true);
}

/* It takes one connection, and that is not the look whether it is there. */
TEST_F(place, a_socket_at_which_another_one_waits_stays_its_own)
{
	struct move_place here, other;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, accept_one, self));
	for (int i = 0; i < PATIENCE_STEPS && access(self->path, F_OK); i++)
		usleep(100);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(EXIT_CODE_OUTPUT,
			  move_place_accept(self->text, NULL, &other));
	ASSERT_EQ(0, connect_soon(self->text, NULL, &here));
	pthread_join(self->thread, NULL);
	ASSERT_EQ(0, self->code);
	EXPECT_TRUE(leads(here.out, self->there.in));
	move_place_close(&here, true);
	move_place_close(&self->there, true);
}

TEST_F(place, another_file_is_not_replaced)
{
	int file = open(self->path, O_CREAT | O_WRONLY, 0600);

	ASSERT_LE(0, file);
	close(file);
	EXPECT_EQ(EXIT_CODE_OUTPUT,
		  move_place_accept(self->text, NULL, &self->there));
	EXPECT_EQ(0, access(self->path, F_OK));
	EXPECT_EQ(EXIT_CODE_OUTPUT,
		  move_place_connect(self->text, NULL, &self->there));
}

/* Who connects waits for somebody else, and who listens does not. */
TEST_F(place, each_side_is_told_what_it_can_do)
{
	char why[256] = "";
	struct move_place here;

	complain_to(why, sizeof(why));
	strcat(self->text, "/there");
	EXPECT_EQ(EXIT_CODE_OUTPUT,
		  move_place_connect(self->text, NULL, &here));
	EXPECT_NE(NULL, strstr(why, "start lodge receive there first"));
	EXPECT_EQ(EXIT_CODE_OUTPUT, move_place_accept(self->text, NULL, &here));
	EXPECT_NE(NULL, strstr(why, "make its directory first"));
	complain_to(NULL, 0);
}

TEST(a_command_is_a_place)
{
	struct move_place here;

	ASSERT_EQ(0, move_place_connect("exec:cat", NULL, &here));
	EXPECT_EQ(here.in, here.out);
	EXPECT_TRUE(leads(here.out, here.in));
	/* It ends when its input does. */
	move_place_close(&here, true);
}

TEST(other_words_are_no_places)
{
	static const char *const words[] = { "",    "unix",  "exec:",
					     "tcp", "stdio", "/socket" };
	struct move_place here;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		EXPECT_EQ(EXIT_CODE_USAGE,
			  move_place_connect(words[i], NULL, &here));
	EXPECT_EQ(EXIT_CODE_USAGE, move_place_accept("exec:cat", NULL, &here));
	EXPECT_EQ(EXIT_CODE_OUTPUT, move_place_connect("unix:", NULL, &here));
}

TEST_HARNESS_MAIN
