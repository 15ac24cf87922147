// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge run` starts images of each kind; and every way in which it
 * ends (lodge(1), EXIT STATUS).
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"
#include "tiny.h"
#include "kselftest_harness.h"

/* As the manual page has them. */
#define CODE_POWER_OFF 0
#define CODE_CRASH 2
#define CODE_RESET 4
#define CODE_IMAGE 66
#define CODE_SIGNAL(number) (128 + (number))
#define CODE_DEBUG_EXIT(value) (2 * (value) + 1)

#define CTRL_A "\001"
#define CTRL_C "\003"

#define MAX_OPTIONS 8

FIXTURE(image)
{
	struct guest guest;
	char path[32];
	const char *arguments[MAX_OPTIONS];
};

FIXTURE_SETUP(image)
{
	memset(self, 0, sizeof(*self));
	strcpy(self->path, "/tmp/image-XXXXXX");
}

FIXTURE_TEARDOWN(image)
{
	unlink(self->path);
}

static int put(FIXTURE_DATA(image) * self, const struct image *image)
{
	ssize_t size = image->end - image->start;
	int fd = mkstemp(self->path);

	if (fd < 0 || write(fd, image->start, size) != size)
		return -1;
	close(fd);
	self->arguments[0] = "--kernel";
	self->arguments[1] = self->path;
	return 0;
}

/* Starts a flat image; @option may be NULL. */
static int start(FIXTURE_DATA(image) * self, const struct image *image,
		 const char *mode, const char *option)
{
	if (put(self, image))
		return -1;
	self->arguments[2] = "--flat";
	self->arguments[3] = mode;
	self->arguments[4] = option;
	return guest_start(&self->guest, self->arguments);
}

static int start_on_terminal(FIXTURE_DATA(image) * self,
			     const struct image *image)
{
	if (put(self, image))
		return -1;
	self->arguments[2] = "--flat";
	self->arguments[3] = "0x7c00";
	return guest_start_on_terminal(&self->guest, self->arguments);
}

TEST_F(image, of_16_bits_runs)
{
	ASSERT_EQ(0, start(self, &image_off_16, "0x7c00", NULL));
	EXPECT_EQ(CODE_POWER_OFF, guest_end(&self->guest, PATIENCE));
	EXPECT_STREQ("here\n", self->guest.text);
	EXPECT_STREQ("", self->guest.errors);
}

TEST_F(image, of_32_bits_runs)
{
	ASSERT_EQ(0, start(self, &image_off_32, "0x100000:32", NULL));
	EXPECT_EQ(CODE_POWER_OFF, guest_end(&self->guest, PATIENCE));
	EXPECT_STREQ("here\n", self->guest.text);
}

TEST_F(image, of_64_bits_runs)
{
	ASSERT_EQ(0, start(self, &image_off_64, "0x100000:64", NULL));
	EXPECT_EQ(CODE_POWER_OFF, guest_end(&self->guest, PATIENCE));
	EXPECT_STREQ("here\n", self->guest.text);
}

TEST_F(image, of_multiboot_gets_its_command_line_behind_its_name)
{
	ASSERT_EQ(0, put(self, &image_multiboot));
	self->arguments[2] = "--append";
	self->arguments[3] = "one two";
	ASSERT_EQ(0, guest_start(&self->guest, self->arguments));
	EXPECT_EQ(CODE_POWER_OFF, guest_end(&self->guest, PATIENCE));
	EXPECT_EQ(0, strncmp(self->guest.text, self->path, strlen(self->path)));
	EXPECT_NE(NULL, strstr(self->guest.text, " one two"));
}

TEST_F(image, that_writes_to_isa_debug_exit_sets_the_exit_code)
{
	ASSERT_EQ(0, start(self, &image_debug_exit, "0x7c00", NULL));
	EXPECT_EQ(CODE_DEBUG_EXIT(21), guest_end(&self->guest, PATIENCE));
}

TEST_F(image, that_resets_starts_again)
{
	ASSERT_EQ(0, start(self, &image_reset_acpi, "0x7c00", NULL));
	EXPECT_TRUE(guest_wait(&self->guest, "here\nhere\nhere\n", PATIENCE));
	kill(self->guest.pid, SIGTERM);
	EXPECT_EQ(CODE_SIGNAL(SIGTERM), guest_end(&self->guest, PATIENCE));
}

TEST_F(image, that_resets_by_acpi_ends_with_no_reboot)
{
	ASSERT_EQ(0, start(self, &image_reset_acpi, "0x7c00", "--no-reboot"));
	EXPECT_EQ(CODE_RESET, guest_end(&self->guest, PATIENCE));
	EXPECT_STREQ("here\n", self->guest.text);
}

TEST_F(image, that_resets_by_keyboard_controller_ends_with_no_reboot)
{
	ASSERT_EQ(0, start(self, &image_reset_i8042, "0x7c00", "--no-reboot"));
	EXPECT_EQ(CODE_RESET, guest_end(&self->guest, PATIENCE));
	EXPECT_STREQ("here\n", self->guest.text);
}

TEST_F(image, that_resets_by_the_bios_ends_with_no_reboot)
{
	ASSERT_EQ(0, start(self, &image_reset_bios, "0x7c00", "--no-reboot"));
	EXPECT_EQ(CODE_RESET, guest_end(&self->guest, PATIENCE));
	EXPECT_STREQ("here\n", self->guest.text);
}

TEST_F(image, that_resets_by_init_ends_with_no_reboot)
{
	ASSERT_EQ(0,
		  start(self, &image_reset_init, "0x100000:32", "--no-reboot"));
	EXPECT_EQ(CODE_RESET, guest_end(&self->guest, PATIENCE));
	EXPECT_STREQ("here\n", self->guest.text);
	EXPECT_STREQ("", self->guest.errors);
}

TEST_F(image, that_resets_by_init_starts_again)
{
	ASSERT_EQ(0, start(self, &image_reset_init, "0x100000:32", NULL));
	EXPECT_TRUE(guest_wait(&self->guest, "here\nhere\nhere\n", PATIENCE));
	kill(self->guest.pid, SIGTERM);
	EXPECT_EQ(CODE_SIGNAL(SIGTERM), guest_end(&self->guest, PATIENCE));
}

TEST_F(image, that_resets_by_a_triple_fault_starts_again)
{
	ASSERT_EQ(0, start(self, &image_triple_fault, "0x100000:64", NULL));
	EXPECT_TRUE(guest_wait(&self->guest, "here\nhere\nhere\n", PATIENCE));
	kill(self->guest.pid, SIGTERM);
	EXPECT_EQ(CODE_SIGNAL(SIGTERM), guest_end(&self->guest, PATIENCE));
}

TEST_F(image, that_resets_by_a_triple_fault_ends_with_no_reboot)
{
	ASSERT_EQ(0, start(self, &image_triple_fault, "0x100000:64",
			   "--no-reboot"));
	EXPECT_EQ(CODE_RESET, guest_end(&self->guest, PATIENCE));
	EXPECT_STREQ("here\n", self->guest.text);
	EXPECT_NE(NULL, strstr(self->guest.errors, "triple fault"));
}

TEST_F(image, that_crashes_is_reported_with_the_bytes_at_rip)
{
	ASSERT_EQ(0, start(self, &image_triple_fault, "0x100000:64",
			   "--on-crash=stop"));
	EXPECT_EQ(CODE_CRASH, guest_end(&self->guest, PATIENCE));
	EXPECT_NE(NULL, strstr(self->guest.errors, "triple fault"));
	EXPECT_NE(NULL, strstr(self->guest.errors, "rip"));
	EXPECT_NE(NULL, strstr(self->guest.errors, "cr3"));
	/* INT3, the last one of the image. */
	EXPECT_NE(NULL, strstr(self->guest.errors, "cc"));
}

TEST_F(image, that_crashes_is_reported_as_json)
{
	self->arguments[5] = "--json";
	ASSERT_EQ(0, start(self, &image_triple_fault, "0x100000:64",
			   "--on-crash=stop"));
	EXPECT_EQ(CODE_CRASH, guest_end(&self->guest, PATIENCE));
	EXPECT_NE(NULL, strstr(self->guest.errors, "\"end\": \"crash\""));
	EXPECT_NE(NULL, strstr(self->guest.errors, "\"reason\": \"shutdown\""));
}

TEST_F(image, ends_by_sigterm)
{
	ASSERT_EQ(0, start(self, &image_idle, "0x7c00", NULL));
	ASSERT_TRUE(guest_wait(&self->guest, "here", PATIENCE));
	kill(self->guest.pid, SIGTERM);
	EXPECT_EQ(CODE_SIGNAL(SIGTERM), guest_end(&self->guest, PATIENCE));
}

TEST_F(image, ends_by_sigint)
{
	ASSERT_EQ(0, start(self, &image_idle, "0x7c00", NULL));
	ASSERT_TRUE(guest_wait(&self->guest, "here", PATIENCE));
	kill(self->guest.pid, SIGINT);
	EXPECT_EQ(CODE_SIGNAL(SIGINT), guest_end(&self->guest, PATIENCE));
}

TEST_F(image, that_is_no_image_is_refused_by_name)
{
	static const char text[] = "no image";
	const struct image nothing = { text, text + strlen(text) };

	ASSERT_EQ(0, put(self, &nothing));
	ASSERT_EQ(0, guest_start(&self->guest, self->arguments));
	EXPECT_EQ(CODE_IMAGE, guest_end(&self->guest, PATIENCE));
	EXPECT_NE(NULL, strstr(self->guest.errors, self->path));
}

TEST_F(image, gets_ctrl_c_from_a_terminal)
{
	ASSERT_EQ(0, start_on_terminal(self, &image_echo));
	ASSERT_TRUE(guest_wait(&self->guest, "here", PATIENCE));
	ASSERT_EQ(0, guest_type(&self->guest, CTRL_C));
	EXPECT_EQ(CODE_DEBUG_EXIT(CTRL_C[0]),
		  guest_end(&self->guest, PATIENCE));
}

TEST_F(image, ends_by_ctrl_a_x_from_a_terminal)
{
	ASSERT_EQ(0, start_on_terminal(self, &image_idle));
	ASSERT_TRUE(guest_wait(&self->guest, "here", PATIENCE));
	ASSERT_EQ(0, guest_type(&self->guest, CTRL_A "x"));
	EXPECT_EQ(CODE_POWER_OFF, guest_end(&self->guest, PATIENCE));
}

/* Those settings of a terminal that raw mode clears. */
static tcflag_t settings(int terminal)
{
	struct termios termios = { 0 };

	tcgetattr(terminal, &termios);
	return termios.c_lflag & (ICANON | ECHO | ISIG);
}

static void end_on_terminal(struct __test_metadata *_metadata,
			    FIXTURE_DATA(image) * self, int number)
{
	int terminal;

	ASSERT_EQ(0, start_on_terminal(self, &image_idle));
	terminal = dup(self->guest.output);
	ASSERT_TRUE(guest_wait(&self->guest, "here", PATIENCE));
	EXPECT_EQ(0, settings(terminal));
	kill(self->guest.pid, number);
	EXPECT_EQ(CODE_SIGNAL(number), guest_end(&self->guest, PATIENCE));
	EXPECT_EQ(ICANON | ECHO | ISIG, settings(terminal));
	close(terminal);
}

TEST_F(image, ended_by_sigterm_leaves_the_terminal_as_it_was)
{
	end_on_terminal(_metadata, self, SIGTERM);
}

TEST_F(image, ended_by_sigint_leaves_the_terminal_as_it_was)
{
	end_on_terminal(_metadata, self, SIGINT);
}

TEST_HARNESS_MAIN
