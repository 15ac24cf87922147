// SPDX-License-Identifier: GPL-2.0
/*
 * A machine in the background that a connection has saved and holds: who else may do what
 * with it, and how it goes on or ends.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/client.h"
#include "control/protocol.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define PATH_SIZE 64
#define COMMAND_SIZE 256

/*
 * Powers off when the button is pressed:
 * 1: mov $0x601,%dx; in; test $1,%al; jz 1b; mov $0x604,%dx; mov $0x2000,%ax; out; jmp 1b
 */
static const char guest[] = "\xba\x01\x06\xec\xa8\x01\x74\xf8\xba\x04\x06"
			    "\xb8\x00\x20\xef\xeb\xef";

FIXTURE(held)
{
	char image[PATH_SIZE];
	struct directory directory;
	struct client *holder;
};

/* Return: the exit code of a command of the controller's, for the shell. */
__attribute__((format(printf, 1, 2))) static int lodge(const char *format, ...)
{
	char command[COMMAND_SIZE] = "exec </dev/null >/dev/null; $LODGE ";
	const size_t used = strlen(command);
	va_list values;
	int status;

	va_start(values, format);
	vsnprintf(command + used, sizeof(command) - used, format, values);
	va_end(values);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Saves the machine by a connection that holds it then.  Return: as client_receive(). */
static int save_and_hold(struct client *client)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	int err = client_send_file(client, "save", "hold", fd);
	char why[CONTROL_WHY_SIZE];

	close(fd);
	return err ? err :
		     client_receive(client, PATIENCE * 1000, NULL, why,
				    sizeof(why));
}

/* Return: true if the machine's state is told as this. */
static bool is(const FIXTURE_DATA(held) * self, const char *state)
{
	char why[CONTROL_WHY_SIZE];
	struct client *client;
	json_t *status = NULL;
	bool same;

	if (client_open(&client, &self->directory))
		return false;
	client_call(client, "status", NULL, &status, why, sizeof(why));
	client_close(client);
	same = status &&
	       !strcmp(state,
		       json_string_value(json_object_get(status, "state")));
	json_decref(status);
	return same;
}

FIXTURE_SETUP(held)
{
	FILE *image;
	bool lives;
	int fd;

	strcpy(self->image, "/tmp/held.XXXXXX");
	fd = mkstemp(self->image);
	image = fdopen(fd, "w");
	ASSERT_NE(NULL, image);
	ASSERT_EQ(1, fwrite(guest, sizeof(guest) - 1, 1, image));
	ASSERT_EQ(0, fclose(image));
	ASSERT_EQ(0, lodge("run -d --name held --kernel %s --flat 0x7c00 "
			   "--memory 1M",
			   self->image));
	fd = directory_parent_open("/run/lodge", false);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, directory_find(&self->directory, fd, "held", &lives));
	ASSERT_EQ(0, client_open(&self->holder, &self->directory));
	ASSERT_EQ(0, save_and_hold(self->holder));
	ASSERT_TRUE(is(self, "paused"));
}

FIXTURE_TEARDOWN(held)
{
	client_close(self->holder);
	lodge("stop --now held");
	lodge("rm held");
	directory_close(&self->directory);
	unlink(self->image);
}

TEST_F(held, it_runs_on_when_the_connection_closes)
{
	client_close(self->holder);
	self->holder = NULL;
	EXPECT_TRUE(EVENTUALLY(is(self, "running")));
	/* Only a guest that runs powers off. */
	EXPECT_EQ(0, lodge("stop --time 600 held"));
}

TEST_F(held, one_that_was_paused_before_stays_so)
{
	client_close(self->holder);
	ASSERT_TRUE(EVENTUALLY(is(self, "running")));
	ASSERT_EQ(0, lodge("pause held"));
	ASSERT_EQ(0, client_open(&self->holder, &self->directory));
	ASSERT_EQ(0, save_and_hold(self->holder));
	client_close(self->holder);
	self->holder = NULL;
	/* Another one may hold it as soon as it was let go. */
	EXPECT_TRUE(EVENTUALLY(!lodge("checkpoint held 2>/dev/null")));
	EXPECT_TRUE(is(self, "paused"));
}

TEST_F(held, nobody_else_changes_it_meanwhile)
{
	static const char *const commands[] = { "pause", "resume", "checkpoint",
						"checkpoint --drop", "rewind" };
	struct client *other;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		EXPECT_EQ(0, lodge("%s held 2>&1 | grep -q 'another connection "
				   "saves it'",
				   commands[i]))
		TH_LOG("%s", commands[i]);
	}
	ASSERT_EQ(0, client_open(&other, &self->directory));
	EXPECT_EQ(-EREMOTEIO, save_and_hold(other));
	client_close(other);
	EXPECT_TRUE(is(self, "paused"));
}

TEST_F(held, it_is_ended_at_once_if_that_is_asked_for)
{
	EXPECT_EQ(0, lodge("stop --now held"));
	EXPECT_EQ(75, lodge("pause held"));
}

TEST_F(held, it_is_ended_when_the_time_of_its_guest_is_over)
{
	EXPECT_EQ(1, lodge("stop --time 0 held"));
	EXPECT_EQ(75, lodge("pause held"));
}

TEST_F(held, its_own_connection_ends_it)
{
	char why[CONTROL_WHY_SIZE];

	EXPECT_EQ(0, client_call(self->holder, "end", NULL, NULL, why,
				 sizeof(why)));
	EXPECT_EQ(0, lodge("wait held"));
}

TEST_HARNESS_MAIN
