// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge fuzz`: runs a guest on many inputs, and puts it back after each.
 *
 * The guest's harness says from where on it is to be run, by the device "fuzz".  The
 * machine is held there, and checkpointed; then each run lets it go on, until the harness
 * says that it is done, the guest ends, or the fuzzer has no patience any more.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/detach.h"
#include "cmd/exit_code.h"
#include "cmd/fuzz_afl.h"
#include "cmd/fuzz_option.h"
#include "cmd/fuzz_victim.h"
#include "cmd/step_refusal.h"
#include "machine/machine.h"
#include "sandbox/leftover.h"
#include "sandbox/sandbox.h"

/**
 * enum verdict - how a run has ended
 * @DONE: the harness says so
 * @CRASH: it has found a fault, or the guest has ended or reset the machine
 * @MEMORY: it is out of memory
 * @HANG: it took too long
 * @QUIT: the user has ended the machine
 */
enum verdict {
	DONE,
	CRASH,
	MEMORY,
	HANG,
	QUIT,
};

static const char *const verdict_names[] = {
	[DONE] = "ok",	 [CRASH] = "crash", [MEMORY] = "out of memory",
	[HANG] = "hang", [QUIT] = "ended",
};

/* As waitpid(2) has it: the number of a signal. */
static const int32_t statuses[] = {
	[CRASH] = SIGSEGV,
	[MEMORY] = SIGKILL,
	[HANG] = SIGKILL,
};

/**
 * struct fuzzer - the machine, and what it shares with its guest
 * @options: the command line
 * @machine: the machine
 * @afl: the memory, and the fuzzer
 * @shared: the same, for the device
 * @victim: what the fuzzer kills
 * @told: the guest has said something
 * @ready: runs have begun
 * @run: number of the present one
 * @word: what the guest has said first in it, or 0
 */
struct fuzzer {
	const struct fuzz_options *options;
	struct machine *machine;
	struct afl afl;
	struct board_fuzz shared;
	struct victim victim;
	int told;
	bool ready;
	uint32_t run;
	uint32_t word;
};

static uint32_t run_number(void *opaque)
{
	const struct fuzzer *fuzzer = opaque;

	return __atomic_load_n(&fuzzer->run, __ATOMIC_ACQUIRE);
}

/* In a vCPU's thread: the first word counts. */
static void tell(void *opaque, uint32_t word)
{
	struct fuzzer *fuzzer = opaque;
	const bool ready = __atomic_load_n(&fuzzer->ready, __ATOMIC_ACQUIRE);
	uint32_t none = 0;

	if (ready != (word >= FUZZ_DONE && word <= FUZZ_MEMORY) ||
	    (!ready && word != FUZZ_HERE))
		return;
	if (__atomic_compare_exchange_n(&fuzzer->word, &none, word, false,
					__ATOMIC_RELEASE, __ATOMIC_RELAXED))
		eventfd_write(fuzzer->told, 1);
}

/*
 * A fuzzer that is killed ends the wait, too: nobody would end a guest that hangs then.
 *
 * @fd: the same, or -1.  Return: true if the guest has said something.
 */
static bool await_word(struct fuzzer *fuzzer, int fd, int timeout_ms)
{
	const bool by_hand = fuzzer->options->nr_inputs;
	struct pollfd fds[] = {
		{ .fd = fuzzer->told, .events = POLLIN },
		{ .fd = machine_ended(fuzzer->machine), .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
		{ .fd = by_hand ? -1 : afl_end(&fuzzer->afl) },
	};

	while (poll(fds, 4, timeout_ms) < 0 && errno == EINTR)
		;
	return fds[0].revents;
}

/* The machine is held from here on.  Return: 0 or -errno. */
static int stop(struct fuzzer *fuzzer)
{
	eventfd_t count;
	int err = machine_pause(fuzzer->machine);

	eventfd_read(fuzzer->told, &count);
	return err;
}

static enum verdict verdict_of(uint32_t word, bool ended)
{
	switch (word) {
	case FUZZ_DONE:
		return DONE;
	case FUZZ_CRASH:
		return CRASH;
	case FUZZ_MEMORY:
		return MEMORY;
	}
	return ended ? CRASH : HANG;
}

static bool is_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

static bool has_ended(const struct fuzzer *fuzzer)
{
	return is_readable(machine_ended(fuzzer->machine));
}

/* Runs the machine once.  Return: 0 or -errno. */
static int run_once(struct fuzzer *fuzzer, int timeout_ms,
		    enum verdict *verdict)
{
	int err;

	__atomic_store_n(&fuzzer->word, 0, __ATOMIC_RELAXED);
	/* Zero is for no run. */
	__atomic_store_n(&fuzzer->run, fuzzer->run + 1 ? fuzzer->run + 1 : 1,
			 __ATOMIC_RELEASE);
	err = machine_resume(fuzzer->machine);
	if (err)
		return err;
	await_word(fuzzer, fuzzer->victim.fd, timeout_ms);
	err = stop(fuzzer);
	if (err)
		return err;
	*verdict = verdict_of(__atomic_load_n(&fuzzer->word, __ATOMIC_ACQUIRE),
			      has_ended(fuzzer));
	err = machine_rewind(fuzzer->machine);
	if (err == -ECANCELED) {
		*verdict = QUIT;
		return 0;
	}
	return err;
}

/* True if it was not the fuzzer that has ended the victim. */
static bool has_no_maker(const struct victim *victim)
{
	struct pollfd fd = { .fd = victim->fd };

	return poll(&fd, 1, 0) > 0;
}

/*
 * Runs the machine for the fuzzer.  It may have killed the victim when the run before was
 * over already: so it is asked, and the next victim waited for.
 */
static int run_next(struct fuzzer *fuzzer, bool killed, enum verdict *verdict)
{
	int err = 0;

	if (killed || is_readable(fuzzer->victim.fd))
		err = victim_next(&fuzzer->victim);
	if (!err)
		err = afl_begin(&fuzzer->afl, fuzzer->victim.pid);
	if (!err)
		err = run_once(fuzzer, -1, verdict);
	if (!err && *verdict == HANG && has_no_maker(&fuzzer->victim))
		err = -ECHILD;
	/* Whatever is told of a run that the user has ended would be a crash of it. */
	if (err || *verdict == QUIT)
		return err;
	return afl_tell(statuses[*verdict]);
}

/* Return: 0, when the fuzzer has no more inputs or has gone; or -errno. */
static int run_for_afl(struct fuzzer *fuzzer, enum verdict *verdict)
{
	int err = afl_hello(&fuzzer->afl);
	bool killed;

	while (!err && *verdict != QUIT && (err = afl_next(&killed)) > 0)
		err = run_next(fuzzer, killed, verdict);
	return err == -EPIPE ? 0 : err;
}

/*
 * Return: the exit code of a machine that something else than its guest has ended, or -1:
 * it was its guest.
 */
static int code_of_end(struct fuzzer *fuzzer)
{
	static struct machine_end end;
	struct machine_error error;

	machine_wait(fuzzer->machine, &end, &error);
	switch (end.fate) {
	case MACHINE_SIGNALLED:
		return EXIT_CODE_SIGNAL(end.code);
	case MACHINE_KILLED:
		return EXIT_CODE_KILLED;
	case MACHINE_QUIT:
	case MACHINE_MIGRATED:
		return EXIT_CODE_SIGNAL(SIGTERM);
	case MACHINE_POWERED_OFF:
	case MACHINE_RESET:
	case MACHINE_EXITED:
	case MACHINE_CRASHED:
		break;
	}
	return -1;
}

/* Return: 0, or the exit code after a message; @bad: set where one is not done. */
static int run_file(struct fuzzer *fuzzer, const char *path, int fd, bool *bad)
{
	enum verdict verdict = QUIT;
	int err = afl_take(&fuzzer->afl, fd);

	if (err)
		return complain(EXIT_CODE_IMAGE, path, strerror(-err), NULL);
	err = run_once(fuzzer, fuzzer->options->timeout_ms, &verdict);
	if (err)
		return complain(EXIT_CODE_INTERNAL, "running the machine",
				strerror(-err), NULL);
	printf("%s: %s\n", path, verdict_names[verdict]);
	*bad |= verdict != DONE;
	return verdict == QUIT ? code_of_end(fuzzer) : 0;
}

static int run_files(struct fuzzer *fuzzer)
{
	const struct fuzz_options *options = fuzzer->options;
	bool bad = false;
	int code = 0;

	for (size_t i = 0; i < options->nr_inputs && !code; i++)
		code = run_file(fuzzer, options->inputs[i],
				options->input_fds[i], &bad);
	return code ? code : bad;
}

/* Return: 0, or the exit code after a message. */
static int run_all(struct fuzzer *fuzzer)
{
	enum verdict verdict = DONE;
	int err;

	if (fuzzer->options->nr_inputs)
		return run_files(fuzzer);
	err = run_for_afl(fuzzer, &verdict);
	if (err)
		return complain(EXIT_CODE_INTERNAL, "the fuzzer",
				strerror(-err), NULL);
	return verdict == QUIT ? code_of_end(fuzzer) : 0;
}

static int complain_checkpoint(int err, const struct device_error *why)
{
	char what[sizeof(why->name) + 32];

	if (!*why->name)
		return complain(EXIT_CODE_RESOURCES, "the machine's checkpoint",
				strerror(-err), NULL);
	snprintf(what, sizeof(what), "--device %s", why->name);
	return complain(EXIT_CODE_USAGE, what, why->reason,
			*why->remedy ? why->remedy : NULL);
}

static int complain_early_end(struct fuzzer *fuzzer)
{
	const int code = code_of_end(fuzzer);

	return code >= 0 ? code :
			   complain(EXIT_CODE_IMAGE, "the guest",
				    "has ended before its harness has said "
				    "where runs begin",
				    "see what it writes by --serial stdio");
}

/*
 * Lets the guest start, until its harness says from where it is to be run, or the fuzzer
 * has gone.
 */
static int prepare(struct fuzzer *fuzzer)
{
	struct device_error why;
	bool here = await_word(fuzzer, -1, -1);
	int err = stop(fuzzer);

	if (err)
		return complain(EXIT_CODE_INTERNAL, "running the machine",
				strerror(-err), NULL);
	if (!here && !has_ended(fuzzer))
		return 0;
	if (has_ended(fuzzer))
		return complain_early_end(fuzzer);
	err = machine_checkpoint(fuzzer->machine, &why);
	if (err)
		return complain_checkpoint(err, &why);
	__atomic_store_n(&fuzzer->ready, true, __ATOMIC_RELEASE);
	return 0;
}

static int confine(const struct fuzz_options *options)
{
	int parts, err;

	if (options->run.no_sandbox)
		return 0;
	/* A guest that takes the process over would have them, too. */
	detach_close_inherited();
	err = leftovers_guard();
	parts = err ? err : sandbox_enter(STDERR_FILENO);
	return parts < 0 ?
		       complain(EXIT_CODE_HOST, "the sandbox", strerror(-parts),
				"--no-sandbox runs without it") :
		       0;
}

/*
 * Of the default, nothing is shown: a fuzzer's screen is there.
 *
 * Return: 0, or the exit code after a message.
 */
static int open_console(const struct fuzzer *fuzzer, size_t port,
			struct console **console)
{
	const struct serial_place *place = &fuzzer->options->run.serials[port];
	const bool given = port < fuzzer->options->run.nr_serials;
	const bool is_file = given && place->kind == CONSOLE_FILE;
	int err;

	/* Opening it would empty it. */
	if (is_file && machine_starts_from(fuzzer->machine, place->path))
		return complain(EXIT_CODE_OUTPUT, place->path,
				"is what the machine starts from",
				"choose another place by --serial");
	err = console_open(console, given ? place->kind : CONSOLE_NONE,
			   given ? place->path : NULL);
	return err ? complain(EXIT_CODE_OUTPUT,
			      is_file ? place->path : "the serial port",
			      strerror(-err),
			      "choose another place by --serial") :
		     0;
}

/* Return: 0, or the exit code after a message. */
static int open_consoles(const struct fuzzer *fuzzer, struct console **consoles)
{
	int code = 0;

	for (size_t i = 0; i < SERIAL_MAX && !code; i++)
		code = open_console(fuzzer, i, &consoles[i]);
	return code;
}

static int start_and_run(struct fuzzer *fuzzer, struct console **consoles)
{
	struct machine_error error;
	int err = machine_start(fuzzer->machine, consoles, &error);
	int code;

	if (err)
		return complain_step(&fuzzer->options->run, err, &error);
	code = prepare(fuzzer);
	return code || !fuzzer->ready ? code : run_all(fuzzer);
}

static int build_and_run(struct fuzzer *fuzzer)
{
	struct console *consoles[SERIAL_MAX] = { NULL };
	struct machine_error error;
	int err = machine_new(&fuzzer->machine, &fuzzer->options->run.machine,
			      &error);
	int code;

	if (err)
		return complain_step(&fuzzer->options->run, err, &error);
	code = open_consoles(fuzzer, consoles);
	if (!code)
		code = confine(fuzzer->options);
	if (!code)
		code = start_and_run(fuzzer, consoles);
	machine_free(fuzzer->machine);
	leftovers_finish();
	for (size_t i = 0; i < SERIAL_MAX; i++)
		console_close(consoles[i]);
	return code;
}

/* Return: 0 or -errno. */
static int open_fuzzer(struct fuzzer *fuzzer)
{
	int err = afl_open(&fuzzer->afl);

	if (err)
		return err;
	fuzzer->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fuzzer->told < 0)
		return -errno;
	fuzzer->victim.fd = -1;
	if (!fuzzer->options->nr_inputs)
		err = victim_start(&fuzzer->victim);
	fuzzer->shared = (struct board_fuzz){
		.input = fuzzer->afl.input,
		.input_size = fuzzer->afl.input_size,
		.coverage = fuzzer->afl.coverage,
		.coverage_size = fuzzer->afl.coverage_size,
		.coverage_used = fuzzer->afl.coverage_used,
		.run = run_number,
		.tell = tell,
		.opaque = fuzzer,
	};
	return err;
}

static int fuzz(struct fuzz_options *options)
{
	static struct fuzzer fuzzer;
	int err;

	fuzzer.options = options;
	signal(SIGPIPE, SIG_IGN);
	/* A disk's file that may not grow is an error for the guest (RLIMIT_FSIZE). */
	signal(SIGXFSZ, SIG_IGN);
	if (options->run.directory && chdir(options->run.directory))
		return complain(EXIT_CODE_IMAGE, options->run.directory,
				strerror(errno),
				"name a directory by --directory");
	err = open_fuzzer(&fuzzer);
	if (err)
		return complain(EXIT_CODE_RESOURCES, "the fuzzer",
				strerror(-err), NULL);
	if (!options->nr_inputs && !fuzzer.afl.connected)
		return complain(EXIT_CODE_USAGE, "the fuzzer",
				"there is none that has started this",
				"start it by afl-fuzz -i IN -o OUT -- lodge "
				"fuzz ..., or give --input FILE");
	if (options->run.no_sandbox)
		warn_of_no_sandbox();
	options->run.machine.fuzz = &fuzzer.shared;
	err = devices_want(&options->run.machine.devices,
			   devices_find("fuzz")) ?
		      0 :
		      -ENOMEM;
	return err ? complain(EXIT_CODE_RESOURCES, "the fuzzer", strerror(-err),
			      NULL) :
		     build_and_run(&fuzzer);
}

int fuzz_command(int argc, char **argv)
{
	struct fuzz_options options;
	int code = fuzz_options_parse(&options, argc, argv);

	if (!code)
		code = fuzz(&options);
	fuzz_options_free(&options);
	return code;
}
