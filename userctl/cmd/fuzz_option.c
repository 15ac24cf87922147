// SPDX-License-Identifier: GPL-2.0
/*
 * The command line of `lodge fuzz`.
 */
#include "cmd/fuzz_option.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "lib/size.h"

#define DEFAULT_TIMEOUT_MS 10000
#define MAX_TIMEOUT_MS 86400000

/* They have no letters, which are those of lodge run. */
#define KEY_INPUT 0x100
#define KEY_TIMEOUT 0x101

#define INPUT "--input"
#define TIMEOUT "--timeout"

static const struct argp_option descriptions[] = {
	{ "input", KEY_INPUT, "FILE", 0,
	  "Run the guest on FILE, and tell how that ended, instead of being run "
	  "by a fuzzer; may be given more than once",
	  0 },
	{ "timeout", KEY_TIMEOUT, "MS", 0,
	  "With --input: take a run for a hang after so many milliseconds "
	  "(default 10000)",
	  0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static error_t help_only(int key, char *argument, struct argp_state *state)
{
	(void)key;
	(void)argument;
	(void)state;
	return ARGP_ERR_UNKNOWN;
}

static const struct argp help = {
	.options = descriptions,
	.parser = help_only,
	.args_doc = "OPTIONS-OF-RUN... [-- WORD...]",
	.doc = "Run a guest under AFL++ on many inputs, and put it back after "
	       "each."
	       "\v"
	       "Of lodge run, all options are taken but --detach, --root, "
	       "--json, --cpu-weight, --memory-max and --device checkpoint.  "
	       "Each WORD is given to the kernel "
	       "behind --, so that it is an argument of the guest's first "
	       "process.  The guest's harness says by the device fuzz from "
	       "where on it is to be run, and how each run ends: see \"Fuzzing\" "
	       "in lodge(1).  AFL_FORKSRV_INIT_TMOUT, in milliseconds, must give the guest "
	       "time to start.\n"
	       "\n"
	       "Examples:\n"
	       "  AFL_FORKSRV_INIT_TMOUT=60000 afl-fuzz -i in -o out -- \\\n"
	       "      lodge fuzz --kernel vmlinuz --initrd harness.cpio -- parse\n"
	       "  lodge fuzz --input crash1 --input crash2 --kernel vmlinuz \\\n"
	       "      --initrd harness.cpio -- parse\n"
	       "\n"
	       "Exit codes: 0 all runs are done; 1 with --input: a run has "
	       "ended by a crash or a hang, or out of memory; others as of lodge "
	       "run.",
};

/* Return: 0, or the exit code after a message. */
static int add_input(struct fuzz_options *options, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return complain(EXIT_CODE_IMAGE, path, strerror(errno), NULL);
	options->inputs[options->nr_inputs] = path;
	options->input_fds[options->nr_inputs++] = fd;
	return 0;
}

static int set_timeout(struct fuzz_options *options, const char *text)
{
	uint64_t ms;

	if (number_parse(text, &ms) || !ms || ms > MAX_TIMEOUT_MS)
		return complain(EXIT_CODE_USAGE, TIMEOUT,
				"must be a number of milliseconds, of a day at "
				"most",
				NULL);
	options->timeout_ms = (int)ms;
	return 0;
}

/* Return: the value if the word is this option, and it has one; @next: the next word */
static const char *value_of(const char *word, const char *option, char *next,
			    int *used)
{
	const size_t length = strlen(option);

	if (strncmp(word, option, length) ||
	    (word[length] && word[length] != '='))
		return NULL;
	*used = word[length] ? 1 : 2;
	return word[length] ? word + length + 1 : next;
}

/*
 * Takes an option of this command.  Return: how many words it has, 0 if it is none, or
 * -1: @code has the exit code after a message.
 */
static int take_own(struct fuzz_options *options, char **words, int *code)
{
	int used = 0;
	const char *input = value_of(words[0], INPUT, words[1], &used);
	const char *timeout = value_of(words[0], TIMEOUT, words[1], &used);

	if (!used)
		return 0;
	if (input)
		*code = add_input(options, input);
	else if (timeout)
		*code = set_timeout(options, timeout);
	else
		*code = complain(EXIT_CODE_USAGE, words[0], "needs a value",
				 NULL);
	return *code ? -1 : used;
}

/* Splits the words.  Return: 0, or the exit code after a message. */
static int split(struct fuzz_options *options, int argc, char **argv,
		 int *count, int *rest)
{
	int code = 0, at = 1;

	options->words[(*count)++] = argv[0];
	while (at < argc && strcmp(argv[at], "--")) {
		int used = take_own(options, argv + at, &code);

		if (used < 0)
			return code;
		if (!used)
			options->words[(*count)++] = argv[at];
		at += used ? used : 1;
	}
	*rest = at + 1;
	return 0;
}

/* Gives the harness's words to the kernel.  Return: 0 or -errno. */
static int add_words(struct fuzz_options *options, int argc, char **argv,
		     int rest)
{
	const char *append = options->run.machine.boot.append;
	size_t size;
	FILE *file;

	if (rest >= argc)
		return 0;
	file = open_memstream(&options->append, &size);
	if (!file)
		return -errno;
	fprintf(file, "%s --", append ? append : "");
	for (int i = rest; i < argc; i++)
		fprintf(file, " %s", argv[i]);
	if (fclose(file))
		return -ENOMEM;
	options->run.machine.boot.append = options->append;
	return 0;
}

static int check(struct fuzz_options *options)
{
	if (options->run.detach)
		return complain(EXIT_CODE_USAGE, "--detach",
				"the fuzzer waits for this process",
				"leave it out");
	if (options->run.root)
		return complain(EXIT_CODE_USAGE, "--root",
				"files of the host's cannot be put back",
				"put what the guest needs into its --initrd");
	if (options->run.json || options->run.cpu_weight ||
	    options->run.memory_max)
		return complain(EXIT_CODE_USAGE,
				"--json, --cpu-weight and --memory-max",
				"are none of a fuzzer's", "leave them out");
	if (devices_wants(&options->run.machine.devices,
			  devices_find("checkpoint"), 0))
		return complain(EXIT_CODE_USAGE, "--device checkpoint",
				"the guest would move the place to which each "
				"run goes back",
				"leave it out; the device fuzz says where runs "
				"begin");
	/* Both are verdicts. */
	options->run.machine.no_reboot = true;
	options->run.machine.stop_on_crash = true;
	return 0;
}

/* A word that asks for this command's help. */
static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "--usage") ||
	       !strcmp(word, "-?");
}

static int parse(struct fuzz_options *options, int argc, char **argv)
{
	int count = 0, rest = argc, err;
	int code = split(options, argc, argv, &count, &rest);

	if (code)
		return code;
	err = options_parse(&options->run, count, options->words, 0);
	if (err)
		return EXIT_CODE_USAGE;
	err = add_words(options, argc, argv, rest);
	return err ? complain(EXIT_CODE_RESOURCES, "starting", strerror(-err),
			      NULL) :
		     check(options);
}

int fuzz_options_parse(struct fuzz_options *options, int argc, char **argv)
{
	*options = (struct fuzz_options){
		.timeout_ms = DEFAULT_TIMEOUT_MS,
		.words = calloc((size_t)argc + 1, sizeof(char *)),
		.inputs = calloc((size_t)argc, sizeof(char *)),
		.input_fds = calloc((size_t)argc, sizeof(int)),
	};
	if (!options->words || !options->inputs || !options->input_fds)
		return complain(EXIT_CODE_RESOURCES, "starting",
				strerror(ENOMEM), NULL);
	if (argc == 1) {
		argp_help(&help, stderr, ARGP_HELP_SEE | ARGP_HELP_SHORT_USAGE,
			  argv[0]);
		return EXIT_CODE_USAGE;
	}
	if (is_help(argv[1])) {
		argp_help(&help, stdout,
			  ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG |
				  ARGP_HELP_DOC,
			  argv[0]);
		exit(EXIT_SUCCESS);
	}
	return parse(options, argc, argv);
}

void fuzz_options_free(struct fuzz_options *options)
{
	options_free(&options->run);
	for (size_t i = 0; i < options->nr_inputs; i++)
		close(options->input_fds[i]);
	free(options->inputs);
	free(options->input_fds);
	free(options->words);
	free(options->append);
}
