// SPDX-License-Identifier: GPL-2.0
/*
 * Virtio devices in the hands of Debian's drivers: one guest with all of them, which tells
 * what it finds (see guest/devices.sh).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "kselftest_harness.h"

#define PORT_FILE "/tmp/lodge-virtio-port"

static struct guest guest;
static bool asked;
static bool told;
static char port_text[64];
static int status;

static void live(void)
{
	static const char *const arguments[] = {
		"--kernel", "vmlinuz-6.1",
		"--initrd", "guest.cpio",
		"--memory", "192M",
		"--device", "virtio-rng",
		"--device", "virtio-console,input=on,file=" PORT_FILE,
		"--device", "virtio-balloon,take=8M",
		"--cdrom",  "cd.iso",
		"--append", "console=ttyS0 quiet run=devices",
		NULL,
	};
	FILE *file;

	status = guest_start(&guest, arguments);
	if (status)
		return;
	asked = guest_wait(&guest, "say something", PATIENCE);
	guest_type(&guest, "by the keyboard\n");
	told = guest_wait(&guest, "devices: told", PATIENCE);
	status = guest_end(&guest, PATIENCE);
	file = fopen(PORT_FILE, "r");
	if (!file)
		return;
	if (!fgets(port_text, sizeof(port_text), file))
		port_text[0] = '\0';
	fclose(file);
	unlink(PORT_FILE);
}

/* Return: the number that the guest has told under this name, or -1. */
static long number(const char *name)
{
	char key[64];
	const char *found;

	snprintf(key, sizeof(key), "\n%s: ", name);
	found = strstr(guest.text, key);
	return found ? strtol(found + strlen(key), NULL, 10) : -1;
}

TEST(guest_with_virtio_devices_tells_its_facts_and_powers_off)
{
	EXPECT_TRUE(told)
	{
		TH_LOG("console: %s", guest_tail(&guest));
		TH_LOG("lodge: %s", guest.errors);
	}
	EXPECT_EQ(0, status);
}

TEST(hwrng_gives_random_bytes)
{
	EXPECT_NE(NULL, strstr(guest.text, "rng: virtio_rng"))
	{
		TH_LOG("console: %s", guest_tail(&guest));
	}
	EXPECT_EQ(256, number("random-bytes"));
	/* One of 256 is. */
	EXPECT_LE(0, number("random-zeroes"));
	EXPECT_GT(32, number("random-zeroes"));
}

TEST(guest_mounts_the_cd_and_reads_its_files)
{
	EXPECT_NE(NULL, strstr(guest.text, "\ncd-says: a CD for guests"));
	EXPECT_LE(1, number("cd-is-memtest"));
}

/* The driver binds only if it can read the ID. */
TEST(driver_of_the_generation_id_finds_it)
{
	EXPECT_EQ(1, number("generation-drivers"));
}

TEST(each_queue_has_its_interrupt)
{
	EXPECT_LT(0, number("queue-interrupts"));
}

TEST(hvc0_shows_what_the_guest_writes_and_reads_what_is_typed)
{
	EXPECT_TRUE(asked);
	EXPECT_NE(NULL, strstr(guest.text, "\nheard: by the keyboard"));
}

TEST(second_port_has_its_name_and_goes_to_a_file)
{
	EXPECT_NE(NULL, strstr(guest.text, "\nport-name: lodge.port"));
	EXPECT_STREQ("to the host\n", port_text);
}

/* Of 4 KiB each. */
TEST(guest_gives_up_the_pages_that_are_wanted)
{
	EXPECT_LE(2048, number("given-up"));
}

int main(int argc, char **argv)
{
	live();
	return test_harness_run(argc, argv);
}
