// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the modules that a guest with --root starts from: those of a tree that is
 * somebody else's must be in that tree.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/root_image.h"
#include "kselftest_harness.h"

FIXTURE(tree)
{
	char path[64];
	struct boot_error error;
};

/* The root, whose overlay.ko is a link; all else that is needed is built in. */
static bool make_root(const char *target)
{
	char line[512];

	snprintf(line, sizeof(line),
		 "t=root/lib/modules/1.0; mkdir -p $t && "
		 "echo 'Linux version 1.0 (me@here)' >kernel && "
		 "echo 'int overlay;' | gcc -xc -c -o outside.ko - && "
		 "cp outside.ko root/inside.ko && ln -s %s $t/overlay.ko && "
		 "printf 'kernel/%%s.ko\\n' virtio_pci virtio_console virtiofs "
		 ">$t/modules.builtin && : >$t/modules.order && "
		 "PATH=$PATH:/sbin:/usr/sbin depmod -b root 1.0 2>/dev/null",
		 target);
	return !system(line);
}

static int make_image(FIXTURE_DATA(tree) * self)
{
	const struct devices_wanted none = {};
	struct root_image image;
	int err = root_image_make(&image, "./kernel", "root", &none,
				  &self->error);

	if (!err)
		root_image_free(&image);
	return err;
}

FIXTURE_SETUP(tree)
{
	strcpy(self->path, "/tmp/lodge-tree-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->path));
	ASSERT_EQ(0, chdir(self->path));
}

FIXTURE_TEARDOWN(tree)
{
	char line[128];

	ASSERT_EQ(0, chdir("/"));
	snprintf(line, sizeof(line), "rm -rf %s", self->path);
	EXPECT_EQ(0, system(line));
}

TEST_F(tree, a_module_may_be_a_link_within_the_root)
{
	ASSERT_TRUE(make_root("../../../inside.ko"));
	EXPECT_EQ(0, make_image(self));
}

TEST_F(tree, a_module_that_is_a_link_out_of_the_root_is_refused)
{
	ASSERT_TRUE(make_root("../../../../outside.ko"));
	EXPECT_EQ(-EXDEV, make_image(self));
	EXPECT_NE(NULL, strstr(self->error.text, "overlay.ko: a link"));
}

TEST_F(tree, a_kernel_that_can_be_read_once_only_is_refused)
{
	ASSERT_EQ(0, mkfifo("kernel", 0600));
	EXPECT_EQ(-EINVAL, make_image(self));
	EXPECT_NE(NULL, strstr(self->error.text, "is no plain file"));
}

TEST_HARNESS_MAIN
