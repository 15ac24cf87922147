// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of machines that go to a port, and come from one, with a key.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/move_key.h"
#include "cmd/move_place.h"
#include "kselftest_harness.h"

#define PATIENCE_STEPS 600000
#define DIGITS "00112233445566778899aabbccddeeff"
#define OTHER_DIGITS "ff112233445566778899aabbccddeeff"
#define MUCH (8 << 20)

FIXTURE(port)
{
	char dir[32];
	char key[64];
	char other[64];
	char text[80];
	struct sockaddr_in address;
	struct move_place there;
	int code;
	pthread_t thread;
};

static void write_key(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	if (file) {
		fputs(text, file);
		fclose(file);
	}
	chmod(path, mode);
}

/* A port that nobody has. */
static void choose_port(FIXTURE_DATA(port) * self)
{
	socklen_t length = sizeof(self->address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	self->address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	bind(fd, (struct sockaddr *)&self->address, length);
	getsockname(fd, (struct sockaddr *)&self->address, &length);
	snprintf(self->text, sizeof(self->text), "tcp:127.0.0.1:%u",
		 ntohs(self->address.sin_port));
	close(fd);
}

FIXTURE_SETUP(port)
{
	strcpy(self->dir, "/tmp/portXXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	snprintf(self->key, sizeof(self->key), "%s/key", self->dir);
	snprintf(self->other, sizeof(self->other), "%s/other", self->dir);
	write_key(self->key, DIGITS "\n", 0600);
	write_key(self->other, OTHER_DIGITS "\n", 0600);
	choose_port(self);
}

FIXTURE_TEARDOWN(port)
{
	unlink(self->key);
	unlink(self->other);
	rmdir(self->dir);
}

static void *accept_one(void *opaque)
{
	FIXTURE_DATA(port) *self = opaque;

	self->code = move_place_accept(self->text, self->key, &self->there);
	return NULL;
}

/* Nobody may listen there yet. */
static int connect_soon(FIXTURE_DATA(port) * self, const char *key,
			struct move_place *here)
{
	int code = EXIT_CODE_OUTPUT;

	for (int i = 0; i < PATIENCE_STEPS && code == EXIT_CODE_OUTPUT; i++) {
		usleep(100);
		code = move_place_connect(self->text, key, here);
	}
	return code;
}

/* Return: 0, or a code: they are not connected. */
static int join(FIXTURE_DATA(port) * self, struct move_place *here)
{
	int code;

	if (pthread_create(&self->thread, NULL, accept_one, self))
		return -1;
	code = connect_soon(self, self->key, here);
	pthread_join(self->thread, NULL);
	return code ? code : self->code;
}

/* Return: true if what is written to the one is read from the other. */
static bool leads(int from, int to)
{
	char byte = 0;

	return write(from, "x", 1) == 1 && read(to, &byte, 1) == 1 &&
	       byte == 'x';
}

/* Who has another key is turned away, and so is who says what is no TLS. */
TEST_F(port, who_has_the_key_is_taken)
{
	static const char noise[] = "GET / HTTP/1.0\r\n\r\n";
	struct move_place here;
	int fd;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, accept_one, self));
	EXPECT_EQ(EXIT_CODE_PERMISSION, connect_soon(self, self->other, &here));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->address,
			     sizeof(self->address)));
	EXPECT_EQ((ssize_t)strlen(noise), write(fd, noise, strlen(noise)));
	ASSERT_EQ(0, connect_soon(self, self->key, &here));
	pthread_join(self->thread, NULL);
	ASSERT_EQ(0, self->code);
	for (int i = 0; i < 100; i++) {
		ASSERT_TRUE(leads(here.out, self->there.in));
		ASSERT_TRUE(leads(self->there.out, here.in));
	}
	close(fd);
	move_place_close(&here, true);
	move_place_close(&self->there, true);
}

TEST_F(port, a_closed_side_is_seen_by_the_other)
{
	struct move_place here;
	char byte;

	ASSERT_EQ(0, join(self, &here));
	move_place_close(&here, true);
	EXPECT_EQ(0, read(self->there.in, &byte, 1));
	move_place_close(&self->there, true);
}

/* The last word arrives although much is on its way to who has said it, and has gone. */
TEST_F(port, a_last_word_arrives_against_what_comes)
{
	char *much = calloc(1, MUCH), word[4] = "";
	struct move_place here;
	ssize_t sent = 1;

	signal(SIGPIPE, SIG_IGN);
	ASSERT_NE(NULL, much);
	ASSERT_EQ(0, join(self, &here));
	/* Nobody reads: so all that is between is full. */
	while (sent > 0)
		sent = send(here.out, much, MUCH, MSG_DONTWAIT);
	ASSERT_EQ(3, write(self->there.out, "bye", 3));
	move_place_close(&self->there, false);
	EXPECT_EQ(3, recv(here.in, word, 3, MSG_WAITALL));
	EXPECT_EQ(0, strcmp("bye", word));
	move_place_close(&here, true);
	free(much);
}

/* What is waited for by its end must not be kept open by the process between. */
TEST_F(port, no_other_descriptor_is_kept_open)
{
	struct move_place here;
	int ends[2];
	char byte;

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(0, join(self, &here));
	close(ends[1]);
	EXPECT_EQ(0, read(ends[0], &byte, 1));
	EXPECT_TRUE(leads(here.out, self->there.in));
	close(ends[0]);
	move_place_close(&here, true);
	move_place_close(&self->there, true);
}

TEST_F(port, a_key_of_others_is_refused)
{
	static const mode_t modes[] = { 0640, 0604, 0660, 0601 };
	char why[512] = "", key[MOVE_KEY_MAX + 1];

	complain_to(why, sizeof(why));
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		ASSERT_EQ(0, chmod(self->key, modes[i]));
		EXPECT_EQ(EXIT_CODE_PERMISSION, move_key_read(self->key, key));
		EXPECT_NE(NULL, strstr(why, "chmod 600"));
	}
	EXPECT_EQ(EXIT_CODE_PERMISSION, move_key_read("/dev/zero", key));
	EXPECT_EQ(EXIT_CODE_PERMISSION, move_key_read(self->dir, key));
	unlink(self->key);
	EXPECT_EQ(EXIT_CODE_USAGE, move_key_read(self->key, key));
	EXPECT_NE(NULL, strstr(why, "psktool"));
	ASSERT_EQ(0, mkfifo(self->key, 0600));
	EXPECT_EQ(EXIT_CODE_PERMISSION, move_key_read(self->key, key));
	complain_to(NULL, 0);
}

TEST_F(port, a_key_is_one_line_of_digits)
{
	static const char *const keys[] = { DIGITS, DIGITS "\n",
					    "lodge:" DIGITS "\n",
					    DIGITS DIGITS DIGITS DIGITS "\n" };
	static const char *const none[] = { "",
					    "\n",
					    "lodge:",
					    "00112233445566778899aabbccddeef",
					    "g" DIGITS,
					    "00112233445566778899aabbccddee",
					    "other:" DIGITS,
					    DIGITS DIGITS DIGITS DIGITS "00",
					    DIGITS "\n" DIGITS,
					    DIGITS " " };
	char key[MOVE_KEY_MAX + 1];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		write_key(self->key, keys[i], 0600);
		EXPECT_EQ(0, move_key_read(self->key, key));
		EXPECT_EQ(0, strncmp(key, DIGITS, strlen(DIGITS)));
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		write_key(self->key, none[i], 0600);
		EXPECT_EQ(EXIT_CODE_USAGE, move_key_read(self->key, key));
	}
}

TEST_F(port, a_port_needs_a_key_and_other_places_take_none)
{
	char why[512] = "";
	struct move_place here;

	complain_to(why, sizeof(why));
	EXPECT_EQ(EXIT_CODE_USAGE, move_place_connect(self->text, NULL, &here));
	EXPECT_NE(NULL, strstr(why, "--key FILE"));
	EXPECT_EQ(EXIT_CODE_USAGE, move_place_accept(self->text, NULL, &here));
	EXPECT_NE(NULL, strstr(why, "--key FILE"));
	EXPECT_EQ(EXIT_CODE_USAGE,
		  move_place_connect("exec:cat", self->key, &here));
	EXPECT_EQ(EXIT_CODE_USAGE,
		  move_place_accept("stdio", self->key, &here));
	complain_to(NULL, 0);
}

TEST_F(port, a_place_has_an_address_and_a_port)
{
	static const char *const places[] = { "tcp:",	   "tcp:127.0.0.1",
					      "tcp::4000", "tcp:127.0.0.1:",
					      "tcp:::1:1", "tcp:[]:1" };
	struct move_place here;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		EXPECT_EQ(EXIT_CODE_USAGE,
			  move_place_connect(places[i], self->key, &here));
		EXPECT_EQ(EXIT_CODE_USAGE,
			  move_place_accept(places[i], self->key, &here));
	}
	/* Nobody listens there. */
	EXPECT_EQ(EXIT_CODE_OUTPUT,
		  move_place_connect(self->text, self->key, &here));
}

TEST_HARNESS_MAIN
