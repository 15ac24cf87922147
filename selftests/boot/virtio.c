// SPDX-License-Identifier: GPL-2.0
/*
 * Virtio devices in the hands of Debian's drivers: one guest with all of them, which tells
 * what it finds (see guest/devices.sh).
 */
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"
#include "kselftest_harness.h"

#define CARDS 2
#define ECHO_PORT 7
/* The host's ends, once the controller has made the interfaces. */
#define LOAD                                                         \
	"while read -r module; do "                                  \
	"[ -d /sys/module/$module ] || insmod /modules/$module.ko; " \
	"done </modules/network.order"
#define CONNECT                                           \
	"tries=600; for card in 0 1; do "                 \
	"until [ -d /sys/class/net/lodge$card ] || "      \
	"[ $tries -eq 0 ]; do usleep 100000; "            \
	"tries=$((tries - 1)); done; "                    \
	"ip addr add 10.77.$card.1/24 dev lodge$card && " \
	"ip link set lodge$card up; done"
#define PMEM_FILE "/tmp/lodge-virtio-pmem"
#define PMEM_SIZE (4 << 20)
#define PORT_FILE "/tmp/lodge-virtio-port"

static struct guest guest;
static bool asked;
static bool told;
static char port_text[64];
static char pmem_text[64];
static int status;
static size_t kernel_threads;

/* Sends back what comes, one connection after the other, in a process of its own. */
static void echo(void)
{
	const struct sockaddr_in name = { .sin_family = AF_INET,
					  .sin_port = htons(ECHO_PORT) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), peer;
	static char bytes[65536];
	ssize_t size;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (bind(listener, (const struct sockaddr *)&name, sizeof(name)) ||
	    listen(listener, CARDS))
		_exit(1);
	while ((peer = accept(listener, NULL, NULL)) >= 0) {
		while ((size = read(peer, bytes, sizeof(bytes))) > 0 &&
		       write(peer, bytes, size) == size)
			;
		close(peer);
	}
	_exit(0);
}

/* Return: how many threads of the kernel's carry frames. */
static size_t count_kernel_threads(void)
{
	size_t count = 0;
	char name[16];
	glob_t tasks;

	if (glob("/proc/[0-9]*/task/*/comm", 0, NULL, &tasks))
		return 0;
	for (size_t i = 0; i < tasks.gl_pathc; i++) {
		FILE *file = fopen(tasks.gl_pathv[i], "r");

		if (!file)
			continue;
		if (fgets(name, sizeof(name), file))
			count += !strncmp(name, "vhost-", 6);
		fclose(file);
	}
	globfree(&tasks);
	return count;
}

/* Return: 0 or -1. */
static int make_pmem(void)
{
	int fd = open(PMEM_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int err = fd < 0 ? -1 : ftruncate(fd, PMEM_SIZE);

	close(fd);
	return err;
}

/* Reads the first line of a file, which is then removed. */
static void read_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return;
	if (!fgets(text, size, file))
		text[0] = '\0';
	fclose(file);
	unlink(path);
}

static void live(void)
{
	static const char *const arguments[] = {
		"--kernel", "vmlinuz-6.1",
		"--initrd", "guest.cpio",
		"--memory", "192M",
		"--cpus",   "2",
		"--net",    "tap,ifname=lodge0,queues=2,vhost=on",
		"--net",    "tap,ifname=lodge1,queues=2,vhost=off",
		"--device", "virtio-rng",
		"--device", "virtio-console,input=on,file=" PORT_FILE,
		"--device", "virtio-balloon,take=8M",
		"--cdrom",  "cd.iso",
		"--pmem",   "cd.iso,ro",
		"--pmem",   PMEM_FILE,
		"--append", "console=ttyS0 quiet run=devices",
		NULL,
	};
	pid_t echoes;

	status = system(LOAD);
	if (!status)
		status = make_pmem();
	if (!status)
		status = guest_start(&guest, arguments);
	if (status)
		return;
	echoes = fork();
	if (!echoes)
		echo();
	status = system(CONNECT);
	kernel_threads = count_kernel_threads();
	asked = guest_wait(&guest, "say something", PATIENCE);
	guest_type(&guest, "by the keyboard\n");
	told = guest_wait(&guest, "devices: told", PATIENCE);
	status = guest_end(&guest, PATIENCE);
	kill(echoes, SIGKILL);
	read_line(PORT_FILE, port_text, sizeof(port_text));
	read_line(PMEM_FILE, pmem_text, sizeof(pmem_text));
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

TEST(guest_mounts_an_image_that_is_persistent_memory)
{
	EXPECT_NE(NULL, strstr(guest.text, "\npmem-says: a CD for guests"));
}

TEST(what_the_guest_has_flushed_to_persistent_memory_is_in_the_file)
{
	EXPECT_STREQ("to the file\n", pmem_text);
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

/* The cards are alike but for who carries their frames. */
static void check_card(struct __test_metadata *_metadata, unsigned int card)
{
	char name[32];

	snprintf(name, sizeof(name), "eth%u-queues", card);
	EXPECT_EQ(2, number(name));
	snprintf(name, sizeof(name), "eth%u-echoes", card);
	EXPECT_EQ(2, number(name));
	for (unsigned int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "eth%u-interrupts-%u", card, i);
		EXPECT_LT(0, number(name));
	}
}

TEST(host_echoes_by_both_queues_what_its_kernel_carries)
{
	check_card(_metadata, 0);
	/* One for each pair of queues. */
	EXPECT_EQ(2, kernel_threads);
}

TEST(host_echoes_by_both_queues_what_the_controller_carries)
{
	check_card(_metadata, 1);
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
