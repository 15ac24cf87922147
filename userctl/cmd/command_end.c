// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a command in a guest.
 */
#include "cmd/command_end.h"

#include <errno.h>
#include <string.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"

int command_end_code(const struct errand_end *end)
{
	switch (end->fate) {
	case ERRAND_EXITED:
		return end->code;
	case ERRAND_KILLED:
		return EXIT_CODE_SIGNAL(end->code);
	case ERRAND_NO_PROGRAM:
		return end->code == ENOENT ? EXIT_CODE_NOT_FOUND :
					     EXIT_CODE_NOT_EXECUTABLE;
	case ERRAND_NO_DIRECTORY:
	case ERRAND_NO_START:
		return EXIT_CODE_NO_COMMAND;
	case ERRAND_FAILED:
		return end->started ? EXIT_CODE_GUEST_FAILED :
				      EXIT_CODE_NO_COMMAND;
	case ERRAND_GONE:
	case ERRAND_GARBAGE:
	case ERRAND_QUIT:
		break;
	}
	return EXIT_CODE_GUEST_FAILED;
}

/* Return: what is wrong, or NULL: nothing, or the user knows. */
static const char *reason(const struct errand_end *end)
{
	switch (end->fate) {
	case ERRAND_NO_PROGRAM:
	case ERRAND_NO_DIRECTORY:
	case ERRAND_NO_START:
		return strerror(end->code);
	case ERRAND_FAILED:
		return end->text;
	case ERRAND_GARBAGE:
		return "what it sends is no answer of lodge's agent";
	case ERRAND_GONE:
		return end->up ? "it ended before its command did" :
				 "it ended before it could run a command";
	case ERRAND_EXITED:
	case ERRAND_KILLED:
	case ERRAND_QUIT:
		break;
	}
	return NULL;
}

void command_end_tell(const struct errand_end *end, const char *who,
		      const char *program, const char *where)
{
	const char *why = reason(end);
	const char *what = who, *remedy = NULL;

	if (end->fate == ERRAND_NO_PROGRAM)
		what = program ? program : "the shell";
	else if (end->fate == ERRAND_NO_START)
		what = "the command";
	else if (end->fate == ERRAND_NO_DIRECTORY) {
		what = "the directory in the guest";
		remedy = where;
	}
	if (why)
		complain(command_end_code(end), what, why, remedy);
}
