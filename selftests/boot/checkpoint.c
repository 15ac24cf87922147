// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that makes a checkpoint of its machine, changes all that it has, and goes back:
 * each time it finds what it had, and after a thousand times nothing is left behind.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "machine/machine.h"

/*
 * The guest.  It has at 0x200010 how often it is to go back; what it finds wrong are bits
 * that it writes to isa-debug-exit: 1 general registers, 2 SSE, 4 memory, 8 a device, 16
 * the local APIC's timer, 32 the TSC, 64 it was not put back.  In the first SLOW passes
 * it lets time pass, which must not have passed at the next one.
 */
#define GUEST 0x200000
#define SLOW 5
#define TICKS 50000000
#define PAGES 64
#define RIGHT 21

#define STRING(x) #x
#define TEXT(x) STRING(x)

asm(".pushsection .rodata\n"
    ".globl own_start, own_end\n"
    "own_start:\n"
    "	jmp	1f\n"
    "	.balign	16\n"
    "limit:	.quad	0\n"
    /* SSE on; the local APIC's timer counts down, masked; memory has addresses. */
    "1:	lea	0x10000(%rip), %rsp\n"
    "	mov	%cr4, %rax\n"
    "	or	$0x200, %eax\n"
    "	mov	%rax, %cr4\n"
    "	mov	%cr0, %rax\n"
    "	and	$~4, %eax\n"
    "	mov	%rax, %cr0\n"
    "	mov	$0xfee00000, %ebp\n"
    "	movl	$0x1ff, 0xf0(%rbp)\n"
    "	movl	$0x10020, 0x320(%rbp)\n"
    "	movl	$0xb, 0x3e0(%rbp)\n"
    "	mov	$0x400000, %edi\n"
    "2:	mov	%edi, (%rdi)\n"
    "	add	$4, %edi\n"
    "	cmp	$0x400000 + 4096 * " TEXT(
	    PAGES) ", %edi\n"
		   "	jb	2b\n"
		   "	mov	$0x3ff, %dx\n"
		   "	mov	$0x5a, %al\n"
		   "	out	%al, %dx\n"
		   "	mov	$0x1234567890abcdef, %r12\n"
		   "	mov	%r12, %r13\n"
		   "	movq	%r12, %xmm7\n"
		   "	movl	$0xffffffff, 0x380(%rbp)\n"
		   "	rdtsc\n"
		   "	shl	$32, %rdx\n"
		   "	or	%rdx, %rax\n"
		   "	mov	%rax, %r14\n"
		   "	mov	$1, %eax\n"
		   "	out	%eax, $0xf8\n"
		   /* Here it is back. */
		   "	in	$0xf8, %eax\n"
		   "	mov	%eax, %esi\n"
		   "	xor	%r15d, %r15d\n"
		   "	mov	$0x1234567890abcdef, %rax\n"
		   "	cmp	%rax, %r12\n"
		   "	jne	3f\n"
		   "	cmp	%rax, %r13\n"
		   "	je	4f\n"
		   "3:	or	$1, %r15d\n"
		   "4:	movq	%xmm7, %rdx\n"
		   "	cmp	%rax, %rdx\n"
		   "	je	5f\n"
		   "	or	$2, %r15d\n"
		   "5:	mov	$0x400000, %edi\n"
		   "6:	cmp	%edi, (%rdi)\n"
		   "	je	7f\n"
		   "	or	$4, %r15d\n"
		   "7:	add	$4, %edi\n"
		   "	cmp	$0x400000 + 4096 * " TEXT(
			   PAGES) ", %edi\n"
				  "	jb	6b\n"
				  "	mov	$0x3ff, %dx\n"
				  "	in	%dx, %al\n"
				  "	cmp	$0x5a, %al\n"
				  "	je	8f\n"
				  "	or	$8, %r15d\n"
				  /* A timer that was set anew would have less left than the half. */
				  "8:	cmpl	$0x80000000, 0x390(%rbp)\n"
				  "	ja	9f\n"
				  "	or	$16, %r15d\n"
				  "9:	cmp	$" TEXT(
					  SLOW) ", %esi\n"
						"	jne	1f\n"
						"	rdtsc\n"
						"	shl	$32, %rdx\n"
						"	or	%rdx, %rax\n"
						"	sub	%r14, %rax\n"
						"	cmp	$(" TEXT(SLOW) " - 1) * " TEXT(
							TICKS) ", %rax\n"
							       "	jb	1f\n"
							       "	or	$32, %r15d\n"
							       "1:	test	%r15d, %r15d\n"
							       "	jnz	3f\n"
							       "	cmp	limit(%rip), %esi\n"
							       "	jbe	4f\n"
							       "	mov	$" TEXT(
								       RIGHT) ", %r15d\n"
									      "3:	mov	%r15d, %eax\n"
									      "	out	%al, $0xf4\n"
									      /* Changes all of it. */
									      "4:	cmp	$" TEXT(
										      SLOW) ", %esi\n"
											    "	ja	6f\n"
											    "5:	pause\n"
											    "	rdtsc\n"
											    "	shl	$32, %rdx\n"
											    "	or	%rdx, %rax\n"
											    "	sub	%r14, %rax\n"
											    "	cmp	$" TEXT(
												    TICKS) ", %rax\n"
													   "	jb	5b\n"
													   "6:	movl	$1000, 0x380(%rbp)\n"
													   "	mov	$0x3ff, %dx\n"
													   "	mov	$0xa5, %al\n"
													   "	out	%al, %dx\n"
													   "	mov	$0x400000, %edi\n"
													   "7:	notl	(%rdi)\n"
													   "	add	$4096, %edi\n"
													   "	cmp	$0x400000 + 4096 * " TEXT(
														   PAGES) ", %edi\n"
															  "	jb	7b\n"
															  "	inc	%r12\n"
															  "	not	%r13\n"
															  "	pxor	%xmm7, %xmm7\n"
															  "	mov	%esi, %eax\n"
															  "	out	%eax, $0xfc\n"
															  "	mov	$64, %eax\n"
															  "	out	%al, $0xf4\n"
															  "8:	hlt\n"
															  "	jmp	8b\n"
															  "own_end:\n"
															  ".popsection\n");

extern const char own_start[], own_end[];

/* Where it has how often it is to go back. */
#define LIMIT 0x10

static struct machine_config config = {
	.boot = {
		.flat = true,
		.flat_mode = FLAT_LONG,
		.flat_address = GUEST,
		.cpus = 2,
	},
	.memory = 16ULL << 20,
};

/* What a process has. */
struct holdings {
	long files;
	long mappings;
	long pages;
};

FIXTURE(checkpoint)
{
	int image;
	char path[32];
	struct machine *machine;
	struct console *console;
	struct machine_error error;
	struct machine_end end;
};

FIXTURE_SETUP(checkpoint)
{
	size_t size = own_end - own_start;

	self->image = memfd_create("guest", 0);
	ASSERT_EQ(size, write(self->image, own_start, size));
	snprintf(self->path, sizeof(self->path), "/proc/self/fd/%d",
		 self->image);
	config.boot.kernel = self->path;
	devices_default(&config.devices);
	ASSERT_NE(NULL,
		  devices_want(&config.devices, devices_find("checkpoint")));
	ASSERT_EQ(0, console_open(&self->console, CONSOLE_NONE, NULL));
}

FIXTURE_TEARDOWN(checkpoint)
{
	machine_free(self->machine);
	console_close(self->console);
	devices_forget(&config.devices);
	close(self->image);
}

#define checkpoint_data FIXTURE_DATA(checkpoint)

/* Starts the guest, which goes back so often.  Return: 0 or -errno. */
static int start(checkpoint_data *self, uint64_t passes)
{
	int err;

	if (pwrite(self->image, &passes, sizeof(passes), LIMIT) < 0)
		return -errno;
	err = machine_new(&self->machine, &config, &self->error);
	return err ? err :
		     machine_start(
			     self->machine,
			     (struct console *[SERIAL_MAX]){ self->console },
			     &self->error);
}

static long count_files(void)
{
	DIR *directory = opendir("/proc/self/fd");
	long count = 0;

	while (directory && readdir(directory))
		count++;
	if (directory)
		closedir(directory);
	return count;
}

static struct holdings look(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	FILE *statm = fopen("/proc/self/statm", "r");
	struct holdings found = { .files = count_files() };
	long file = 0;

	for (int c; maps && (c = getc(maps)) != EOF;)
		found.mappings += c == '\n';
	/* Those of files come with what is used of them. */
	if (!statm || fscanf(statm, "%*d %ld %ld", &found.pages, &file) != 2)
		found.pages = -1;
	found.pages -= file;
	if (maps)
		fclose(maps);
	if (statm)
		fclose(statm);
	return found;
}

/* Waits until the machine was put back so often, or has ended. */
static void await_pass(checkpoint_data *self, uint32_t pass)
{
	struct pollfd ended = { .fd = machine_ended(self->machine),
				.events = POLLIN };

	while (machine_passes(self->machine).pass < pass && !poll(&ended, 1, 1))
		;
}

TEST_F(checkpoint, guest_finds_what_it_had_each_time)
{
	struct machine_passes passes;

	ASSERT_EQ(0, start(self, 2 * SLOW));
	ASSERT_EQ(0, machine_wait(self->machine, &self->end, &self->error));
	EXPECT_EQ(MACHINE_EXITED, self->end.fate);
	EXPECT_EQ(RIGHT << 1 | 1, self->end.code);
	passes = machine_passes(self->machine);
	EXPECT_EQ(2 * SLOW + 1, passes.pass);
	EXPECT_EQ(2 * SLOW, passes.value);
	EXPECT_LE(PAGES, passes.pages);
	/* Its tables, perhaps, and what the kernel writes for it. */
	EXPECT_GE(PAGES + 16, passes.pages);
}

#define MANY 1000
#define WARM 100
/* Pages that the C library may take in between. */
#define SOME 64

TEST_F(checkpoint, thousand_passes_leave_nothing_behind)
{
	struct holdings before, after;

	ASSERT_EQ(0, start(self, MANY));
	await_pass(self, WARM);
	before = look();
	ASSERT_EQ(0, machine_wait(self->machine, &self->end, &self->error));
	after = look();
	EXPECT_EQ(RIGHT << 1 | 1, self->end.code);
	EXPECT_EQ(MANY + 1, machine_passes(self->machine).pass);
	EXPECT_GE(before.files, after.files);
	EXPECT_GE(before.mappings + 2, after.mappings);
	EXPECT_GE(before.pages + SOME, after.pages);
}

TEST_F(checkpoint, user_puts_a_guest_back_in_the_middle_of_its_passes)
{
	ASSERT_EQ(0, start(self, 40));
	await_pass(self, 2);
	ASSERT_EQ(0, machine_pause(self->machine));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, machine_resume(self->machine));
		usleep(5000);
		ASSERT_EQ(0, machine_pause(self->machine));
		ASSERT_EQ(0, machine_rewind(self->machine));
	}
	ASSERT_EQ(0, machine_resume(self->machine));
	ASSERT_EQ(0, machine_wait(self->machine, &self->end, &self->error));
	EXPECT_EQ(RIGHT << 1 | 1, self->end.code);
}

TEST_HARNESS_MAIN
