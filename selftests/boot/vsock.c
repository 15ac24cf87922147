// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets between host and guest: the guest's kernel answers a connection of the host's, by
 * both queues, though no program listens there.
 */
#include <errno.h>
#include <linux/vm_sockets.h>
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

TEST_HARNESS_MAIN
