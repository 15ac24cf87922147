// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's side of `lodge fuzz`.
 */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

/* The device "fuzz": two registers of 32 bits. */
#define RUN 0x520
#define FACT 0x524
#define HERE 1
#define DONE 2
#define CRASH 3
#define MAGIC 0x5a5a5546U
#define INPUT_FACT 1
#define COVERAGE_FACT 3
#define SIZE_FACT 5
#define INPUT_SIZE (2U << 20)

static uint8_t *coverage;
static uint32_t coverage_mask;
static uintptr_t before;

static uint32_t fact(uint32_t number)
{
	outl(number, FACT);
	return inl(FACT);
}

static void *map(int memory, uint32_t number, size_t size)
{
	const uint64_t low = fact(number), high = fact(number + 1);
	void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			     memory, (off_t)(high << 32 | low));

	if (address == MAP_FAILED) {
		perror("/dev/mem");
		exit(EXIT_FAILURE);
	}
	return address;
}

/* What is written after that is undone, so it only has to wait. */
static void say(uint32_t word)
{
	outl(word, RUN);
	for (;;)
		__builtin_ia32_pause();
}

void harness_done(void)
{
	say(DONE);
	__builtin_unreachable();
}

void harness_crash(void)
{
	say(CRASH);
	__builtin_unreachable();
}

static void fault(int number)
{
	(void)number;
	harness_crash();
}

/* A program that has used its whole stack up needs another one for its handler. */
static void take_faults(void)
{
	static const int numbers[] = { SIGSEGV, SIGBUS,	 SIGILL, SIGFPE,
				       SIGABRT, SIGTRAP, SIGSYS };
	static uint8_t stack[64 << 10];
	const stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = fault,
				    .sa_flags = SA_ONSTACK | SA_NODEFER };

	if (sigaltstack(&other, NULL) || atexit(harness_done)) {
		perror("starting the harness");
		exit(EXIT_FAILURE);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

const uint8_t *harness_begin(size_t *size)
{
	const uint8_t *input;
	uint32_t length;
	int memory;

	if (iopl(3) || fact(0) != MAGIC) {
		fputs("there is no fuzzer, or this is not root\n", stderr);
		exit(EXIT_FAILURE);
	}
	memory = open("/dev/mem", O_RDWR | O_CLOEXEC);
	if (memory < 0) {
		perror("/dev/mem");
		exit(EXIT_FAILURE);
	}
	input = map(memory, INPUT_FACT, INPUT_SIZE);
	length = fact(SIZE_FACT);
	coverage = map(memory, COVERAGE_FACT, length);
	take_faults();
	/* The fuzzer's size is a power of two, or is used up to one. */
	coverage_mask = (1U << (31 - __builtin_clz(length))) - 1;
	outl(HERE, RUN);
	while (!inl(RUN))
		;
	memcpy(&length, input, sizeof(length));
	*size = length;
	return input + sizeof(length);
}

/* The compiler calls it on each edge of what it instruments. */
void __sanitizer_cov_trace_pc(void) __attribute__((no_sanitize_coverage));

void __sanitizer_cov_trace_pc(void)
{
	uintptr_t here = (uintptr_t)__builtin_return_address(0);

	if (!coverage)
		return;
	here = here * 0x9e3779b97f4a7c15U >> 32;
	coverage[(here ^ before) & coverage_mask]++;
	before = here >> 1;
}
