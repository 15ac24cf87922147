// SPDX-License-Identifier: GPL-2.0
/*
 * The argument of --cpu.
 */
#include "cmd/cpu_option.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEPARATORS ", \t\r\n"
#define HOST "host"
/* What of an unknown name is shown. */
#define SHOWN 40

/**
 * struct level - a set of features that has a name
 * @name: its name
 * @more: the features that it has beyond the level before
 */
struct level {
	const char *name;
	const char *more;
};

/*
 * "baseline" is what each processor has on which Lodge runs; the others are the levels of
 * the x86-64 psABI, section 3.1.1.  None has what tells of speculation, which is another
 * thing on each vendor's processors.
 */
static const struct level levels[] = {
	{ "baseline",
	  "fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 "
	  "clflush mmx fxsr sse sse2 sse3 cx16 popcnt x2apic "
	  "tsc_deadline_timer hypervisor arat tsc_adjust syscall nx lm "
	  "lahf_lm" },
	{ "v2", "ssse3 sse4_1 sse4_2" },
	{ "v3", "xsave avx avx2 bmi1 bmi2 f16c fma abm movbe" },
};

#define LEVELS (sizeof(levels) / sizeof(levels[0]))

/* Return: the next word of @*text, of @*length bytes, to which @*text moves; or NULL. */
static const char *next_word(const char **text, size_t *length)
{
	*text += strspn(*text, SEPARATORS);
	while (**text == '#') {
		*text += strcspn(*text, "\n");
		*text += strspn(*text, SEPARATORS);
	}
	*length = strcspn(*text, SEPARATORS "#");
	return *length ? *text : NULL;
}

static void add_words(struct feature_set *set, const char *text)
{
	const char *word;
	size_t length;

	for (; (word = next_word(&text, &length)); text += length)
		features_add(set, word, length);
}

/* Adds a level, and so those before it.  Return: false: there is none of this name. */
static bool add_level(struct feature_set *set, const char *name, size_t length)
{
	size_t level = 0;

	while (level < LEVELS && (strncmp(levels[level].name, name, length) ||
				  levels[level].name[length]))
		level++;
	if (level == LEVELS)
		return false;
	for (size_t i = 0; i <= level; i++)
		add_words(set, levels[i].more);
	return true;
}

/* Appends a word to option.text.  Return: 0 or -ENOMEM. */
static int note(struct cpu_option *option, const char *word, size_t length)
{
	const size_t before = option->text ? strlen(option->text) : 0;
	char *text = realloc(option->text, before + length + 2);

	if (!text)
		return -ENOMEM;
	if (before)
		text[before] = ',';
	memcpy(text + before + !!before, word, length);
	text[before + !!before + length] = '\0';
	option->text = text;
	return 0;
}

/* A file may have any bytes, which a terminal should not get. */
static int refuse(const char *word, size_t length, char *why, size_t size)
{
	char shown[SHOWN + 1] = "";

	for (size_t i = 0; i < length && i < SHOWN; i++)
		shown[i] = isgraph((unsigned char)word[i]) ? word[i] : '?';
	snprintf(why, size,
		 "\"%s%s\" is neither baseline, v2 or v3 nor a feature; lodge "
		 "doctor --cpu lists those of this host",
		 shown, length > SHOWN ? "..." : "");
	return -EINVAL;
}

static int take_words(struct cpu_option *option, const char *text, char *why,
		      size_t size)
{
	const char *word;
	size_t length;
	int err = 0;

	for (; !err && (word = next_word(&text, &length)); text += length)
		if (add_level(&option->set, word, length) ||
		    features_add(&option->set, word, length))
			err = note(option, word, length);
		else
			err = refuse(word, length, why, size);
	if (err || option->text)
		return err;
	snprintf(why, size, "it names no feature");
	return -EINVAL;
}

/* Return: the bytes that were read, with a zero behind them in @text; or -errno. */
static ssize_t read_file(const char *path, char text[CPU_OPTION_FILE_MAX + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t size = 0;
	ssize_t got = 1;

	if (fd < 0)
		return -errno;
	while (size <= CPU_OPTION_FILE_MAX && got > 0) {
		got = read(fd, text + size, CPU_OPTION_FILE_MAX + 1 - size);
		size += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return got;
	if (size > CPU_OPTION_FILE_MAX)
		return -EFBIG;
	text[size] = '\0';
	return (ssize_t)size;
}

static int take_file(struct cpu_option *option, const char *path, char *why,
		     size_t size)
{
	char *text = malloc(CPU_OPTION_FILE_MAX + 1);
	ssize_t got = text ? read_file(path, text) : -ENOMEM;
	int err = got < 0 ? (int)got : 0;

	if (err)
		snprintf(why, size, "%s", strerror(-err));
	else if (strlen(text) != (size_t)got)
		err = refuse(text, strlen(text), why, size);
	else
		err = take_words(option, text, why, size);
	free(text);
	return err;
}

int cpu_option_parse(struct cpu_option *option, const char *text, char *why,
		     size_t size)
{
	struct cpu_option new = { 0 };
	int err;

	snprintf(why, size, "%s", strerror(ENOMEM));
	if (!strcmp(text, HOST)) {
		new.all = true;
		err = note(&new, HOST, strlen(HOST));
	} else if (strpbrk(text, "/.")) {
		err = take_file(&new, text, why, size);
	} else {
		err = take_words(&new, text, why, size);
	}
	if (err)
		free(new.text);
	else
		*option = new;
	return err;
}
