/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The description of a command that is to run in a guest, as bytes.
 *
 * A head of fixed size, then the numbers of its groups, 32 bits each, then texts that end
 * with a NUL each: the directory, the arguments, the environment.
 */
#ifndef LODGE_GUEST_SPEC_H
#define LODGE_GUEST_SPEC_H

#include <stddef.h>
#include <stdint.h>
#include <termios.h>

/* Arguments and environment have as many bytes as Linux gives a program, and more. */
#define SPEC_MAX (4u << 20)
#define SPEC_MAX_GROUPS 65536u

/*
 * Streams that are a terminal: bit by their number, 0 and 1 only together, 2 only with
 * them; and what the command's end is.
 */
#define SPEC_TERMINAL(stream) (1u << (stream))
#define SPEC_TERMINALS 7u
#define SPEC_ENDS_GUEST 8u
#define SPEC_FLAGS (SPEC_TERMINALS | SPEC_ENDS_GUEST)

/**
 * struct spec - a command
 * @flags: SPEC_TERMINAL() of those of its streams that are its terminal; SPEC_ENDS_GUEST:
 *	its end ends all other processes
 * @uid: its user
 * @gid: its group
 * @mask: its umask
 * @rows: of the terminal
 * @cols: of the terminal
 * @modes: of the terminal
 * @groups: its other groups
 * @nr_groups: their number
 * @directory: where it runs
 * @argv: its arguments, with NULL at the end; the first one is the program
 * @envp: its environment, with NULL at the end
 */
struct spec {
	uint32_t flags;
	uint32_t uid;
	uint32_t gid;
	uint32_t mask;
	uint16_t rows;
	uint16_t cols;
	struct termios modes;
	uint32_t *groups;
	uint32_t nr_groups;
	char *directory;
	char **argv;
	char **envp;
};

/**
 * spec_write() - make bytes of a command
 * @bytes: out: to be freed
 * @size: out
 *
 * Return: 0; -E2BIG its texts are too many; -ENOMEM.
 */
int spec_write(const struct spec *spec, void **bytes, size_t *size);

/**
 * spec_read() - make a command of bytes
 * @spec: out: its texts are in @bytes; spec_free() frees the rest
 * @bytes: are not trusted
 *
 * Return: 0; -EINVAL they are no command; -ENOMEM.
 */
int spec_read(struct spec *spec, void *bytes, size_t size);

/**
 * spec_free() - free what spec_read() has made
 */
void spec_free(struct spec *spec);

#endif
