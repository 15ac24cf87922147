// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge freeze`: makes a machine the template of clones.
 *
 * The file that it is written to is made here, and handed to the controller, which is
 * confined and makes none.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/exit_code.h"
#include "cmd/named.h"
#include "control/protocol.h"

/* Return: 0, or the exit code after a message. */
static int freeze(struct client *client, const char *name)
{
	int fd =
		memfd_create("lodge-template", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char why[CONTROL_WHY_SIZE];
	int err = fd < 0 ? -errno :
			   client_send_file(client, "freeze", NULL, fd);

	if (fd >= 0)
		close(fd);
	if (!err)
		err = client_receive(client, CLIENT_FOREVER, NULL, why,
				     sizeof(why));
	return err ? named_complain(name, err, why) : 0;
}

static int call(const char *name, void *opaque)
{
	struct client *client;
	int code = named_find(&client, name);

	(void)opaque;
	if (code)
		return code;
	code = freeze(client, name);
	client_close(client);
	return code;
}

int freeze_command(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = named_parse,
		.args_doc = "NAME...",
		.doc = "Make machines in the background templates, which lodge "
		       "clone starts others from."
		       "\v"
		       "The guest stands still, as after lodge pause, until "
		       "lodge resume, which is refused while clones read a disk "
		       "that it writes.  Meanwhile clones begin as it is, share "
		       "its memory as long as they do not write it, and read "
		       "its disks, which nobody writes.  lodge inspect --state "
		       "calls it frozen, and lodge ps paused.  One that is "
		       "frozen already stays so.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge freeze web\n"
		       "  lodge freeze web; lodge clone web -n 8; lodge resume "
		       "web\n"
		       "\n"
		       "Exit codes: 0 done; " NAMED_EXIT_CODES
		       ".  After an error the other machines are frozen all "
		       "the same.",
	};
	struct named_list list = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &list))
		return EXIT_CODE_USAGE;
	return named_each(&list, call, NULL);
}
