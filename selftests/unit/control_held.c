// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the control socket's server with a connection that has saved the machine and
 * holds it: the machine is let go with it, or ended.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/client.h"
#include "control/directory.h"
#include "control/endpoint.h"
#include "control/server.h"
#include "control_machine.h"
#include "kselftest_harness.h"

#define END "{\"end\": \"power-off\", \"code\": 0}\n"

FIXTURE(held)
{
	char above[32];
	struct directory directory;
	int stop;
	struct server *server;
	pthread_t thread;
	struct client *holder;
	struct client *other;
};

static void *serve(void *opaque)
{
	FIXTURE_DATA(held) *self = opaque;

	server_run(self->server, self->stop);
	server_finish(self->server, END);
	server_free(self->server);
	return NULL;
}

/* Saves the machine by a connection that holds it then.  Return: as client_receive(). */
static int save_and_hold(struct client *client)
{
	int fd = memfd_create("file", 0);
	int err = client_send_file(client, "save", "hold", fd);
	char why[CONTROL_WHY_SIZE];

	close(fd);
	return err ? err :
		     client_receive(client, CLIENT_PATIENCE_MS, NULL, why,
				    sizeof(why));
}

static int call(struct client *client, const char *command)
{
	char why[CONTROL_WHY_SIZE];

	return client_call(client, command, NULL, NULL, why, sizeof(why));
}

/* The server serves connections in the order in which they were made. */
FIXTURE_SETUP(held)
{
	struct server_config config = { .machine = &control_machine };
	char path[64];
	int parent;

	snprintf(self->above, sizeof(self->above), "/tmp/lodge-unit-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->above));
	snprintf(path, sizeof(path), "%s/lodge", self->above);
	parent = directory_parent_open(path, true);
	ASSERT_EQ(0, directory_take(&self->directory, parent, "web"));
	config.listener = endpoint_listen(&self->directory);
	self->stop = eventfd(0, 0);
	self->server = server_new(&config);
	ASSERT_NE(NULL, self->server);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, serve, self));
	ASSERT_EQ(0, client_open(&self->holder, &self->directory));
	ASSERT_EQ(0, client_open(&self->other, &self->directory));
	ASSERT_EQ(0, save_and_hold(self->holder));
	asked.error = CONTROL_HELD;
}

static void end_server(FIXTURE_DATA(held) * self)
{
	if (!self->server)
		return;
	eventfd_write(self->stop, 1);
	pthread_join(self->thread, NULL);
	self->server = NULL;
}

FIXTURE_TEARDOWN(held)
{
	char command[64];

	client_close(self->holder);
	client_close(self->other);
	end_server(self);
	snprintf(command, sizeof(command), "rm -rf %s", self->above);
	EXPECT_EQ(0, system(command));
}

TEST_F(held, the_machine_is_let_go_when_its_connection_closes)
{
	EXPECT_EQ(0, call(self->other, "status"));
	EXPECT_EQ(0, asked.releases);
	client_close(self->holder);
	self->holder = NULL;
	EXPECT_EQ(0, call(self->other, "status"));
	EXPECT_EQ(1, asked.releases);
	EXPECT_EQ(CONTROL_HOLDS_SAVED, asked.released);
}

TEST_F(held, a_connection_that_was_refused_does_not_let_it_go)
{
	struct client *third;

	EXPECT_EQ(-EREMOTEIO, save_and_hold(self->other));
	ASSERT_EQ(0, client_open(&third, &self->directory));
	client_close(self->other);
	self->other = third;
	EXPECT_EQ(0, call(third, "status"));
	EXPECT_EQ(0, asked.releases);
}

TEST_F(held, another_connection_may_end_it_and_then_nobody_lets_it_go)
{
	json_t *end = NULL;
	char why[CONTROL_WHY_SIZE];

	ASSERT_EQ(0, client_send(self->holder, "wait", NULL));
	EXPECT_EQ(0, call(self->other, "end"));
	EXPECT_EQ(1, asked.ends);
	end_server(self);
	EXPECT_EQ(0, client_receive(self->holder, CLIENT_PATIENCE_MS, &end, why,
				    sizeof(why)));
	EXPECT_STREQ("power-off",
		     json_string_value(json_object_get(end, "end")));
	json_decref(end);
	EXPECT_EQ(0, asked.releases);
}

TEST_HARNESS_MAIN
