// SPDX-License-Identifier: GPL-2.0
/*
 * Users by name and by number.
 */
#include "lib/user.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>

#include "lib/size.h"

int user_parse(const char *text, uint32_t *uid)
{
	const struct passwd *user = getpwnam(text);
	uint64_t number;

	/* -1 stands for no user in the kernel. */
	if (!user && (number_parse(text, &number) || number >= UINT32_MAX))
		return -ENOENT;
	*uid = user ? user->pw_uid : number;
	return 0;
}

void user_format(char *text, size_t size, uint32_t uid)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(text, size, "%s", user->pw_name);
	else
		snprintf(text, size, "%" PRIu32, uid);
}
