// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what a guest with --root starts from: its initrd, which cpio(1) reads; its
 * kernel's version; and the modules, of trees that depmod(8) has listed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "boot/initrd.h"
#include "boot/kmodules.h"
#include "boot/unpack.h"
#include "boot/version.h"

#define MOST (1 << 20)

/* Return: what a shell's command line writes. */
static const char *output_of(const char *line)
{
	static char text[4096];
	FILE *pipe = popen(line, "r");
	size_t size = pipe ? fread(text, 1, sizeof(text) - 1, pipe) : 0;

	text[size] = 0;
	if (pipe)
		pclose(pipe);
	return text;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "we");

	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
		abort();
}

FIXTURE(tree)
{
	char path[64];
	char line[256];
};

FIXTURE_SETUP(tree)
{
	strcpy(self->path, "/tmp/lodge-tree-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->path));
	ASSERT_EQ(0, chdir(self->path));
}

FIXTURE_TEARDOWN(tree)
{
	ASSERT_EQ(0, chdir("/"));
	snprintf(self->line, sizeof(self->line), "rm -rf %s", self->path);
	EXPECT_EQ(0, system(self->line));
}

TEST_F(tree, cpio_reads_an_initrd)
{
	struct initrd initrd = {};

	initrd_directory(&initrd, "dev");
	initrd_character_device(&initrd, "dev/console", 5, 1);
	initrd_file(&initrd, "a", 0644, "one", 3);
	initrd_file(&initrd, "init", 0755, "1234", 4);
	initrd_file(&initrd, "empty", 0600, NULL, 0);
	ASSERT_EQ(0, initrd_finish(&initrd));
	write_file("initrd", initrd.bytes, initrd.size);
	initrd_free(&initrd);
	EXPECT_STREQ("drwxr-xr-x 0 dev\ncrw------- 5, dev/console\n"
		     "-rw-r--r-- 3 a\n-rwxr-xr-x 4 init\n-rw------- 0 empty\n",
		     output_of("cpio -tvn --quiet <initrd | "
			       "awk '{ print $1, $5, $NF }'"));
	EXPECT_STREQ("one", output_of("cpio -i --quiet --to-stdout a <initrd"));
}

TEST_F(tree, an_initrd_that_is_too_large_is_refused)
{
	struct initrd initrd = {};

	initrd_file(&initrd, "huge", 0644, "", 1ULL << 32);
	EXPECT_EQ(-EFBIG, initrd_finish(&initrd));
	initrd_free(&initrd);
}

/* Packs two hundred thousand bytes by a program, and unpacks them. */
static int unpack_from(const char *program, void **bytes, size_t *size)
{
	char line[128];
	FILE *file;
	void *packed = malloc(MOST);
	size_t packed_size;
	int err;

	snprintf(line, sizeof(line), "seq 40000 >plain; %s <plain >packed",
		 program);
	if (system(line))
		abort();
	file = fopen("packed", "re");
	packed_size = fread(packed, 1, MOST, file);
	fclose(file);
	err = unpack(packed, packed_size, MOST, bytes, size);
	free(packed);
	return err;
}

static void expect_unpacked(struct __test_metadata *_metadata,
			    const char *program)
{
	void *bytes = NULL;
	size_t size = 0;

	ASSERT_EQ(0, unpack_from(program, &bytes, &size));
	write_file("unpacked", bytes, size);
	free(bytes);
	EXPECT_EQ(0, system("cmp plain unpacked"));
}

TEST_F(tree, files_of_xz_are_unpacked)
{
	expect_unpacked(_metadata, "xz -c");
}

TEST_F(tree, files_of_gzip_are_unpacked)
{
	expect_unpacked(_metadata, "gzip -c");
}

TEST_F(tree, other_files_are_copied)
{
	expect_unpacked(_metadata, "cat");
}

TEST(damage_and_excess_are_refused)
{
	static const char cut[] = "\xfd"
				  "7zXZ\0rest";
	void *bytes;
	size_t size;

	EXPECT_EQ(-EINVAL,
		  unpack("\x1f\x8bjunkjunkjunkjunk", 18, MOST, &bytes, &size));
	EXPECT_NE(0, unpack(cut, sizeof(cut), MOST, &bytes, &size));
	EXPECT_EQ(-EFBIG, unpack("12345", 5, 4, &bytes, &size));
}

TEST(the_version_of_an_unpacked_kernel_is_that_of_its_banner)
{
	static const char text[] = "\x7f"
				   "ELF..Linux version 6.9.1-rc2+ (me@here) #1";
	const struct image image = {
		.path = "vmlinux",
		.data = text,
		.size = sizeof(text),
	};
	char version[VERSION_SIZE];

	ASSERT_EQ(0, version_find(&image, version));
	EXPECT_STREQ("6.9.1-rc2+", version);
}

TEST(a_version_is_no_way_out_of_a_directory)
{
	static const char text[] = "Linux version ../../etc";
	const struct image image = {
		.path = "vmlinux",
		.data = text,
		.size = sizeof(text),
	};
	char version[VERSION_SIZE];

	EXPECT_EQ(-ENOENT, version_find(&image, version));
}

/* What a module offers, and whom it calls, is enough for depmod. */
#define OFFERS(name)                                                        \
	"__asm__(\".section __ksymtab_strings,\\\"a\\\"\\n.asciz \\\"" name \
	"\\\"\\n.text\");"

/* A tree in which a needs b and c, b needs c, and d is built in. */
static void make_tree(void)
{
	static const char a[] = "void b_call(void), c_call(void);"
				"void a_call(void) { c_call(); b_call(); }";
	static const char b[] =
		OFFERS("b_call") "void c_call(void);"
				 "void b_call(void) { c_call(); }";
	static const char c[] = OFFERS("c_call") "void c_call(void) { }";

	write_file("a.c", a, strlen(a));
	write_file("b.c", b, strlen(b));
	write_file("c.c", c, strlen(c));
	if (system("t=lib/modules/1.0; mkdir -p $t/kernel && "
		   "for m in a b c; do gcc -c -o $t/kernel/$m.ko $m.c; done && "
		   "echo kernel/d.ko >$t/modules.builtin && "
		   ": >$t/modules.order && "
		   "PATH=$PATH:/sbin:/usr/sbin depmod -b . 1.0 2>/dev/null"))
		abort();
}

static int find(struct kmodules *modules, const char *name, bool needed,
		struct boot_error *error)
{
	const struct kmodule_wish wish = { name, "CONFIG_WORD", needed };
	char path[128];

	if (!getcwd(path, sizeof(path) - 20))
		abort();
	strcat(path, "/lib/modules/1.0");
	return kmodules_find(modules, path, &wish, 1, error);
}

TEST_F(tree, a_module_that_is_built_in_needs_no_file)
{
	struct kmodules modules;
	struct boot_error error;

	make_tree();
	ASSERT_EQ(0, find(&modules, "d", true, &error));
	EXPECT_EQ(0, modules.count);
}

TEST_F(tree, a_module_is_found_by_its_name)
{
	struct kmodules modules;
	struct boot_error error;

	make_tree();
	ASSERT_EQ(0, find(&modules, "c", true, &error));
	ASSERT_EQ(1, modules.count);
	EXPECT_NE(NULL, strstr(modules.paths[0], "kernel/c.ko"));
	kmodules_free(&modules);
}

TEST_F(tree, modules_come_behind_those_that_they_need)
{
	struct kmodules modules;
	struct boot_error error;

	make_tree();
	ASSERT_EQ(0, find(&modules, "a", true, &error));
	ASSERT_EQ(3, modules.count);
	EXPECT_NE(NULL, strstr(modules.paths[0], "kernel/c.ko"));
	EXPECT_NE(NULL, strstr(modules.paths[1], "kernel/b.ko"));
	EXPECT_NE(NULL, strstr(modules.paths[2], "kernel/a.ko"));
	kmodules_free(&modules);
}

TEST_F(tree, a_module_that_is_not_there_is_told_by_its_symbol)
{
	struct kmodules modules;
	struct boot_error error;

	make_tree();
	EXPECT_EQ(-ENOENT, find(&modules, "none", true, &error));
	EXPECT_NE(NULL, strstr(error.text, "CONFIG_WORD"));
	EXPECT_EQ(0, find(&modules, "none", false, &error));
}

TEST_F(tree, a_tree_without_depmod_s_lists_is_told)
{
	struct kmodules modules;
	struct boot_error error;

	EXPECT_EQ(-ENODATA, find(&modules, "a", true, &error));
	EXPECT_NE(NULL, strstr(error.text, "depmod"));
}

TEST_HARNESS_MAIN
