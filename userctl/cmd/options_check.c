// SPDX-License-Identifier: GPL-2.0
/*
 * Options of `lodge run` that contradict each other, or that one of them lacks.
 */
#include "cmd/options_check.h"

#include <errno.h>
#include <stddef.h>

/* Return: 0 or EINVAL. */
static int check_boot(struct argp_state *state,
		      const struct machine_config *machine)
{
	const struct boot_options *boot = &machine->boot;
	const char *option = boot->initrd ? "--initrd" :
			     boot->append ? "--append" :
			     boot->flat	  ? "--flat" :
					    NULL;

	if (boot->kernel && boot->firmware)
		argp_error(state, "--firmware: not with --kernel, which starts "
				  "without a BIOS");
	else if (!boot->kernel && option)
		argp_error(state, "%s: for an image; name it by --kernel",
			   option);
	else if (!boot->kernel && !boot->firmware &&
		 !devices_can_start(&machine->devices))
		argp_error(state, "no image given; name a kernel by --kernel, "
				  "or a disk by --disk");
	else
		return 0;
	return EINVAL;
}

/* Return: 0 or EINVAL. */
static int check_root(struct argp_state *state,
		      const struct run_options *options)
{
	const struct boot_options *boot = &options->machine.boot;
	const char *other =
		boot->initrd ? "--initrd: it starts by one of its own" :
		boot->flat   ? "--flat: it starts Linux" :
		options->nr_serials ?
			     "--serial: it keeps what the kernel says" :
			     NULL;

	if (!options->root && !options->command)
		return 0;
	if (!options->root)
		argp_error(state, "--command: a command needs --root "
				  "DIRECTORY");
	else if (!boot->kernel)
		argp_error(state, "--root: needs a Linux kernel; name one by "
				  "--kernel");
	else if (other)
		argp_error(state, "--root: not with %s", other);
	else
		return 0;
	return EINVAL;
}

/* True if a serial port is to lead to standard input and output by an option. */
static bool wants_stdio(const struct run_options *options)
{
	for (unsigned int i = 0; i < options->nr_serials; i++)
		if (options->serials[i].kind == CONSOLE_STDIO)
			return true;
	return false;
}

/* Return: 0 or EINVAL. */
static int check_detach(struct argp_state *state,
			const struct run_options *options)
{
	if (!options->detach || !wants_stdio(options))
		return 0;
	argp_error(
		state,
		"--detach --serial stdio: there is no standard input in the "
		"background; leave --serial out, and `lodge console` connects "
		"you");
	return EINVAL;
}

int options_check(struct argp_state *state, const struct run_options *options)
{
	if (check_root(state, options) ||
	    check_boot(state, &options->machine) ||
	    check_detach(state, options))
		return EINVAL;
	return 0;
}
