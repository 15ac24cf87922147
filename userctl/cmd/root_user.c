// SPDX-License-Identifier: GPL-2.0
/*
 * Users of a guest whose root is a directory of the host's.
 */
#include "cmd/root_user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/size.h"

#define PASSWD "/etc/passwd"
#define GROUP "/etc/group"
/* The longest line of either file. */
#define LINE_MAX_SIZE 65536
/* setresuid(2) takes it for "stay as you are", and the agent is root. */
#define NO_ID UINT32_MAX

/* A file as the guest finds it: links lead to nothing of the host's. */
static int open_in(const char *root, const char *path)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT,
	};
	int directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = -1;

	if (directory >= 0) {
		fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
		close(directory);
	}
	return fd;
}

/* Nor do others than plain files count, of which reading may wait. */
static FILE *open_below(const char *root, const char *path)
{
	int fd = open_in(root, path);
	FILE *file = NULL;
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
		file = fdopen(fd, "r");
	if (!file && fd >= 0)
		close(fd);
	return file;
}

static bool is_id(const char *text, uint32_t *id)
{
	uint64_t number;

	if (number_parse(text, &number) || number >= NO_ID)
		return false;
	*id = number;
	return true;
}

/* Return: 0 or -ENOMEM. */
static int set_vars(struct root_user *user, const struct passwd *entry)
{
	if (asprintf(&user->vars[0], "HOME=%s", entry->pw_dir) < 0)
		user->vars[0] = NULL;
	else if (asprintf(&user->vars[1], "USER=%s", entry->pw_name) < 0)
		user->vars[1] = NULL;
	else if (asprintf(&user->vars[2], "LOGNAME=%s", entry->pw_name) < 0)
		user->vars[2] = NULL;
	else if (asprintf(&user->vars[3], "SHELL=%s", entry->pw_shell) < 0)
		user->vars[3] = NULL;
	return user->vars[3] ? 0 : -ENOMEM;
}

static bool is_user(const struct passwd *entry)
{
	return entry->pw_uid != NO_ID && entry->pw_gid != NO_ID;
}

static bool has_member(const struct group *group, const char *name)
{
	for (char **member = group->gr_mem; *member; member++)
		if (!strcmp(*member, name))
			return true;
	return false;
}

static void add_groups(struct root_user *user, const char *root,
		       const char *name)
{
	char line[LINE_MAX_SIZE];
	struct group entry, *found;
	FILE *file = open_below(root, GROUP);

	if (!file)
		return;
	while (user->nr_groups < ROOT_USER_GROUPS &&
	       !fgetgrent_r(file, &entry, line, sizeof(line), &found))
		if (has_member(found, name))
			user->groups[user->nr_groups++] = found->gr_gid;
	fclose(file);
}

/* Return: 0; -ENOENT; -ENOMEM. */
static int find_user(struct root_user *user, const char *root, const char *text)
{
	const bool number = is_id(text, &user->uid);
	char line[LINE_MAX_SIZE];
	struct passwd entry, *found;
	FILE *file = open_below(root, PASSWD);
	int err = number ? 0 : -ENOENT;

	while (file && !fgetpwent_r(file, &entry, line, sizeof(line), &found)) {
		if (!is_user(found) || (number ? found->pw_uid != user->uid :
						 strcmp(found->pw_name, text)))
			continue;
		user->uid = found->pw_uid;
		user->gid = found->pw_gid;
		err = set_vars(user, found);
		add_groups(user, root, found->pw_name);
		break;
	}
	if (file)
		fclose(file);
	return err;
}

/* Return: 0 or -ESRCH. */
static int find_group(struct root_user *user, const char *root,
		      const char *text)
{
	char line[LINE_MAX_SIZE];
	struct group entry, *found;
	int err = is_id(text, &user->gid) ? 0 : -ESRCH;
	FILE *file = err ? open_below(root, GROUP) : NULL;

	while (file && err &&
	       !fgetgrent_r(file, &entry, line, sizeof(line), &found))
		if (!strcmp(found->gr_name, text) && found->gr_gid != NO_ID) {
			user->gid = found->gr_gid;
			err = 0;
		}
	if (file)
		fclose(file);
	/* As with others who are given a group, it is the only one. */
	user->nr_groups = 0;
	return err;
}

int root_user_find(struct root_user *user, const char *root, const char *text)
{
	char *name = strdup(text);
	char *group = name ? strchr(name, ':') : NULL;
	int err;

	memset(user, 0, sizeof(*user));
	if (!name)
		return -ENOMEM;
	if (group)
		*group++ = '\0';
	err = find_user(user, root, name);
	if (!err && group)
		err = find_group(user, root, group);
	free(name);
	if (err)
		root_user_free(user);
	return err;
}

void root_user_free(struct root_user *user)
{
	for (char **var = user->vars; *var; var++)
		free(*var);
	memset(user->vars, 0, sizeof(user->vars));
}
