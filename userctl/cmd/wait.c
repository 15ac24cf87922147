// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge wait`: waits for the end of machines, and ends as they do.
 */
#include "cmd/command.h"

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/named.h"
#include "control/protocol.h"

/* What is recorded of an end is no longer. */
#define MAX_END (64 << 10)

/* Return: the exit code of the machine, of its end. */
static int code_of_end(const char *name, const json_t *end)
{
	const json_t *code = json_object_get(end, "code");

	if (!json_is_integer(code))
		return complain(EXIT_CODE_INTERNAL, name,
				"its end is not known",
				"see `lodge logs --messages`");
	return (int)json_integer_value(code);
}

/* Return: the exit code of a machine that has ended. */
static int code_of_ended(const struct directory *directory)
{
	size_t size = 0;
	char *text = directory_read(directory, DIRECTORY_END, MAX_END, &size);
	json_t *end = text ? json_loadb(text, size, 0, NULL) : NULL;
	int code = code_of_end(directory->name, end);

	json_decref(end);
	free(text);
	return code;
}

/* The connection ends without an answer when the controller is killed. */
static int wait_for_client(const struct directory *directory,
			   struct client *client)
{
	char why[CONTROL_WHY_SIZE] = "";
	json_t *end = NULL;
	int err = client_send(client, "wait", NULL);
	int code;

	if (!err)
		err = client_receive(client, CLIENT_FOREVER, &end, why,
				     sizeof(why));
	if (named_is_gone(err))
		return complain(EXIT_CODE_KILLED, directory->name,
				"its controller has died", NULL);
	if (err)
		return named_complain(directory->name, err, why);
	code = code_of_end(directory->name, end);
	json_decref(end);
	return code;
}

static int wait_for(const char *name, void *opaque)
{
	struct directory directory;
	struct client *client;
	bool lives;
	int code = named_open(&directory, name, &lives);

	(void)opaque;
	if (code)
		return code;
	if (!lives) {
		code = code_of_ended(&directory);
	} else {
		code = named_connect(&directory, &client);
		if (!code) {
			code = wait_for_client(&directory, client);
			client_close(client);
		}
	}
	named_close(&directory);
	return code;
}

int wait_command(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = named_parse,
		.args_doc = "NAME...",
		.doc = "Wait until machines have ended, and end with the exit "
		       "code of lodge run for them."
		       "\v"
		       "A machine of the background that has ended before, and "
		       "was not removed, is not waited for.  Of several "
		       "machines, the code is that of the first named whose "
		       "code is not 0.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge run -d --name test --kernel test.elf; lodge wait test\n"
		       "\n"
		       "Exit codes: those of lodge run, for the machine's end; "
		       "6 also if its controller was killed meanwhile; " NAMED_EXIT_CODES
		       ".",
	};
	struct named_list list = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &list))
		return EXIT_CODE_USAGE;
	return named_each(&list, wait_for, NULL);
}
