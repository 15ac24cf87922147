// SPDX-License-Identifier: GPL-2.0
/*
 * The side of a target in AFL++'s forkserver protocol, as AFL++ 4 has it: the fuzzer
 * writes to one descriptor and reads from the next one, 32 bits at a time.
 */
#include "cmd/fuzz_afl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "lib/size.h"

#define FROM_FUZZER 198
#define TO_FUZZER 199

/* What the target can do, in its first word: take inputs in memory, and tell a size. */
#define CAN 0x80000001U
#define CAN_TAKE_MEMORY 0x01000000U
#define CAN_TELL_SIZE 0x40000000U

#define UNIT (2U << 20)
/* The fuzzer looks at all of it behind each run; by itself it would take 8 MiB. */
#define COVERAGE 65536U
/* The largest that AFL++ makes. */
#define COVERAGE_MAX (16U << 20)

static size_t round_up(size_t size)
{
	return (size + UNIT - 1) & ~(size_t)(UNIT - 1);
}

/* Return: 0 or -errno; @end: the descriptor has come to its end. */
static int read_word(uint32_t *word, bool *end)
{
	ssize_t got;

	do {
		got = read(FROM_FUZZER, word, sizeof(*word));
	} while (got < 0 && errno == EINTR);
	*end = !got;
	if (got < 0)
		return -errno;
	return !got || got == sizeof(*word) ? 0 : -EPROTO;
}

static int write_word(uint32_t word)
{
	ssize_t put;

	do {
		put = write(TO_FUZZER, &word, sizeof(word));
	} while (put < 0 && errno == EINTR);
	if (put < 0)
		return -errno;
	return put == sizeof(word) ? 0 : -EPROTO;
}

/* Puts a segment of the fuzzer's to the beginning of memory that is there. */
static int attach(const char *id, void *memory, size_t size, size_t *used)
{
	struct shmid_ds status;
	uint64_t number;

	if (number_parse(id, &number) || number > INT32_MAX)
		return -EINVAL;
	if (shmctl((int)number, IPC_STAT, &status))
		return -errno;
	if (status.shm_segsz > size)
		return -EFBIG;
	*used = status.shm_segsz;
	return shmat((int)number, memory, SHM_REMAP) == (void *)-1 ? -errno : 0;
}

static void *reserve(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static int open_input(struct afl *afl)
{
	const char *id = getenv("__AFL_SHM_FUZZ_ID");
	size_t used;

	afl->input_size = round_up(sizeof(uint32_t) + AFL_INPUT_MAX);
	afl->input = reserve(afl->input_size);
	if (afl->input == MAP_FAILED)
		return -errno;
	afl->in_memory = afl->connected && id;
	return afl->in_memory ? attach(id, afl->input, afl->input_size, &used) :
				0;
}

static int open_coverage(struct afl *afl)
{
	const char *id = getenv("__AFL_SHM_ID");
	size_t used;
	int err;

	afl->coverage_used = COVERAGE;
	afl->coverage_size = round_up(COVERAGE_MAX);
	afl->coverage = reserve(afl->coverage_size);
	if (afl->coverage == MAP_FAILED)
		return -errno;
	if (!afl->connected || !id)
		return 0;
	err = attach(id, afl->coverage, afl->coverage_size, &used);
	if (!err && used < afl->coverage_used)
		afl->coverage_used = (uint32_t)used;
	return err;
}

/* A device's helper that had them would keep the fuzzer from seeing this process's end. */
static bool take_descriptors(void)
{
	return !fcntl(FROM_FUZZER, F_SETFD, FD_CLOEXEC) &&
	       !fcntl(TO_FUZZER, F_SETFD, FD_CLOEXEC);
}

int afl_open(struct afl *afl)
{
	int err;

	*afl = (struct afl){ .connected = take_descriptors() };
	err = open_input(afl);
	return err ? err : open_coverage(afl);
}

int afl_end(const struct afl *afl)
{
	return afl->connected ? FROM_FUZZER : -1;
}

/* A fuzzer whose offer is taken answers with a word. */
int afl_hello(const struct afl *afl)
{
	const uint32_t memory = afl->in_memory ? CAN_TAKE_MEMORY : 0;
	uint32_t word;
	bool end;
	int err = write_word(CAN | CAN_TELL_SIZE | memory |
			     (afl->coverage_used - 1) << 1);

	if (err || !memory)
		return err;
	err = read_word(&word, &end);
	if (err)
		return err;
	return !end && (word & memory) ? 0 : -EPROTO;
}

int afl_next(bool *killed)
{
	uint32_t word = 0;
	bool end;
	int err = read_word(&word, &end);

	*killed = word;
	return err ? err : !end;
}

int afl_begin(const struct afl *afl, int32_t pid)
{
	int err = write_word((uint32_t)pid);

	if (err || afl->in_memory)
		return err;
	return lseek(STDIN_FILENO, 0, SEEK_SET) < 0 ?
		       -errno :
		       afl_take(afl, STDIN_FILENO);
}

int afl_tell(int32_t status)
{
	return write_word((uint32_t)status);
}

int afl_take(const struct afl *afl, int fd)
{
	uint8_t *bytes = afl->input + sizeof(uint32_t);
	uint32_t size = 0;
	ssize_t got = 1;

	while (got > 0 && size <= AFL_INPUT_MAX) {
		got = read(fd, bytes + size, AFL_INPUT_MAX + 1 - size);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			size += (uint32_t)got;
	}
	if (got < 0)
		return -errno;
	if (size > AFL_INPUT_MAX)
		return -EFBIG;
	/* A guest that reads too far, or has written there, finds what it always would. */
	memset(bytes + size, 0, afl->input_size - sizeof(size) - size);
	memcpy(afl->input, &size, sizeof(size));
	return 0;
}
