// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets between host and guest: the guest's kernel answers a connection of the host's, by
 * both queues, though no program listens there; it does so, too, when the machine has been
 * saved, or is a clone.
 */
#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"
#include "kselftest_harness.h"

#define CID 17
#define PORT 1234
#define LOAD                                                         \
	"while read -r module; do "                                  \
	"[ -d /sys/module/$module ] || insmod /modules/$module.ko; " \
	"done </modules/vhost_vsock.order"

static struct guest guest;

/* Return: the errno of a connection to a machine's port. */
static int connect_to(unsigned int cid)
{
	const struct sockaddr_vm name = {
		.svm_family = AF_VSOCK,
		.svm_cid = cid,
		.svm_port = PORT,
	};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = fd < 0 || connect(fd, (const struct sockaddr *)&name,
				    sizeof(name)) ?
			  errno :
			  0;

	close(fd);
	return err;
}

TEST(the_guests_kernel_answers_the_hosts)
{
	const char *arguments[] = { "--kernel", "vmlinuz-6.1",
				    "--initrd", "guest.cpio",
				    "--append", "console=ttyS0 quiet run=vsock",
				    "--memory", "128M",
				    "--vsock",	"17",
				    NULL };

	ASSERT_EQ(0, system(LOAD));
	ASSERT_EQ(0, guest_start(&guest, arguments));
	ASSERT_TRUE(guest_wait(&guest, "vsock: ready", PATIENCE))
	{
		TH_LOG("%s", guest_tail(&guest));
	}
	EXPECT_NE(NULL, strstr(guest.text, "vsock: 1"));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(ECONNRESET, connect_to(CID));
	EXPECT_EQ(1, write(guest.input, "\n", 1));
	EXPECT_EQ(0, guest_end(&guest, PATIENCE));
	EXPECT_STREQ("", guest.errors);
}

/* Return: true once the guest's kernel answers there. */
static bool answers(unsigned int cid)
{
	int seconds = PATIENCE;

	while (connect_to(cid) != ECONNRESET && seconds--)
		sleep(1);
	return seconds >= 0;
}

/* Return: the exit status of `lodge` with these words. */
static int lodge(const char *words)
{
	char command[512];

	snprintf(
		command, sizeof(command),
		"XDG_RUNTIME_DIR=/tmp \"$LODGE\" %s </dev/null >/tmp/said 2>&1",
		words);
	return system(command);
}

/* Return: the number that was said behind a text, or 0. */
static unsigned int number_behind(const char *text)
{
	char said[4096] = "", *found;
	FILE *file = fopen("/tmp/said", "re");

	if (!file)
		return 0;
	said[fread(said, 1, sizeof(said) - 1, file)] = 0;
	fclose(file);
	found = strstr(said, text);
	return found ? strtoul(found + strlen(text), NULL, 10) : 0;
}

FIXTURE(machine){};

FIXTURE_SETUP(machine)
{
	ASSERT_EQ(0, system(LOAD));
	ASSERT_EQ(0, lodge("run -d --name web --memory 128M --vsock 18 "
			   "--kernel $LODGE_PAYLOAD/vmlinuz-6.1 "
			   "--initrd $LODGE_PAYLOAD/guest.cpio "
			   "--append 'console=ttyS0 quiet run=vsock'"));
	ASSERT_TRUE(answers(18));
}

FIXTURE_TEARDOWN(machine)
{
	lodge("stop --now web copy");
	lodge("rm web copy");
	unlink("/tmp/saved");
}

TEST_F(machine, answers_as_before_when_it_goes_on_from_a_file)
{
	ASSERT_EQ(0, lodge("save --stop web /tmp/saved"));
	EXPECT_NE(ECONNRESET, connect_to(18));
	ASSERT_EQ(0, lodge("rm web"));
	ASSERT_EQ(0, lodge("restore -d /tmp/saved"));
	EXPECT_TRUE(answers(18));
}

TEST_F(machine, has_clones_with_addresses_of_their_own)
{
	unsigned int cid;

	ASSERT_EQ(0, lodge("clone web --name copy"))
	{
		system("sed 's/^/# /' /tmp/said");
	}
	ASSERT_EQ(0, lodge("inspect copy"));
	cid = number_behind("\"vsock\": \"");
	EXPECT_NE(0, cid);
	EXPECT_NE(18, cid);
	EXPECT_TRUE(answers(cid));
	EXPECT_TRUE(answers(18));
}

TEST_HARNESS_MAIN
