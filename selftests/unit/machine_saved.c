// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of machines in files: one that is written goes on from its file, and what no
 * machine has written is refused.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine_fixture.h"
#include "machine/parts.h"
#include "machine/saved.h"
#include "snap/write.h"

#define CONFIG "{\"kernel\": \"/image\"}"
#define PLACE 0x5000
#define PAGES 4

static struct snap_error why;

static int guest_writes(struct lodge_run *run)
{
	*(uint8_t *)fake_memory(PLACE) = 0x21;
	return fake_out(run, DEBUG_EXIT, 1, 0);
}

static int guest_tells(struct lodge_run *run)
{
	return fake_out(run, DEBUG_EXIT, 1, *(uint8_t *)fake_memory(PLACE));
}

/* Return: a file with a machine that has worked. */
static int write_machine(struct __test_metadata *_metadata)
{
	int file = memfd_create("saved", MFD_CLOEXEC);
	struct machine *machine;

	describe(guest_writes, 1);
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	*(uint8_t *)fake_memory(PLACE) = 0x21;
	ASSERT_EQ(0, saved_write(machine, file, CONFIG, NULL, &why));
	machine_free(machine);
	close(image);
	return file;
}

TEST(a_machine_goes_on_from_its_file)
{
	int file = write_machine(_metadata);
	struct saved *saved;
	size_t size;

	ASSERT_EQ(0, saved_open(&saved, file, &why));
	EXPECT_STREQ(CONFIG, saved_config(saved, &size));
	EXPECT_EQ(strlen(CONFIG), size);
	EXPECT_EQ(1, saved_state(saved)->nr_images);
	EXPECT_STREQ(image_path, saved_state(saved)->images[0].path);
	EXPECT_EQ(1, saved_state(saved)->images[0].size);
	config.saved = saved_state(saved);
	fake.run = guest_tells;
	ASSERT_EQ(0, build_and_run());
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(2 * 0x21 + 1, end.code);
	saved_close(saved);
	close(file);
}

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static int new_template(void)
{
	return memfd_create("template", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

/* True if an address of this process is that of a template's byte. */
static bool is_of_template(const void *address)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	char line[256];
	bool found = false;

	while (maps && !found && fgets(line, sizeof(line), maps))
		found = sscanf(line, "%lx-%lx", &start, &end) == 2 &&
			start <= (uintptr_t)address &&
			(uintptr_t)address < end && strstr(line, "template");
	if (maps)
		fclose(maps);
	return found;
}

TEST(a_machine_that_is_frozen_shares_its_memory_with_the_file)
{
	int file = new_template();
	struct machine *machine;
	struct saved *saved;
	uint8_t *place;

	describe(guest_writes, 1);
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	place = fake_memory(PLACE);
	*place = 0x21;
	ASSERT_EQ(0, saved_freeze(machine, file, CONFIG, NULL, &why))
	TH_LOG("%s", why.text);
	EXPECT_EQ(SEALS, fcntl(file, F_GET_SEALS) & SEALS);
	EXPECT_TRUE(is_of_template(place));
	EXPECT_EQ(0x21, *place);
	ASSERT_EQ(0, saved_open(&saved, file, &why));
	EXPECT_EQ(0, saved_check(saved, &why));
	saved_close(saved);
	/* What is written after that is the machine's own. */
	ASSERT_EQ(0, saved_thaw(machine, &why));
	*place = 0x22;
	ASSERT_EQ(0, saved_open(&saved, file, &why));
	EXPECT_EQ(0, saved_check(saved, &why));
	saved_close(saved);
	machine_free(machine);
	close(image);
	close(file);
}

TEST(a_file_that_others_could_change_is_no_template)
{
	int file = memfd_create("template", MFD_CLOEXEC);
	struct machine *machine;
	uint8_t *place;

	describe(guest_writes, 1);
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	place = fake_memory(PLACE);
	*place = 0x21;
	EXPECT_EQ(-EPERM, saved_freeze(machine, file, CONFIG, NULL, &why));
	EXPECT_NE(NULL, strstr(why.text, "cannot be sealed"));
	EXPECT_FALSE(is_of_template(place));
	EXPECT_EQ(0x21, *place);
	machine_free(machine);
	close(image);
	close(file);
}

TEST(a_machine_of_another_size_does_not_take_it)
{
	int file = write_machine(_metadata);
	struct machine *machine;
	struct saved *saved;

	ASSERT_EQ(0, saved_open(&saved, file, &why));
	config.saved = saved_state(saved);
	config.memory = MEMORY / 2;
	EXPECT_EQ(-EINVAL, machine_new(&machine, &config, &error));
	EXPECT_EQ(MACHINE_STEP_LOAD, error.step);
	config.memory = 2 * MEMORY;
	EXPECT_EQ(-ENODATA, machine_new(&machine, &config, &error));
	saved_close(saved);
	close(file);
}

/* Return: what a host with time stamp counters of this rate says of the file. */
static int load_at(const struct saved *saved, uint32_t khz)
{
	struct machine *machine;
	int err;

	fake.tsc_khz = khz;
	config.saved = saved_state(saved);
	err = machine_new(&machine, &config, &error);
	if (!err)
		machine_free(machine);
	return err;
}

TEST(a_module_that_knows_no_other_rate_does_not_take_it)
{
	struct saved *saved;
	int file;

	fake.tsc_khz = 2000000;
	file = write_machine(_metadata);
	ASSERT_EQ(0, saved_open(&saved, file, &why));
	EXPECT_EQ(0, load_at(saved, 2000000));
	EXPECT_EQ(0, load_at(saved, 2000500));
	EXPECT_EQ(0, load_at(saved, 1999501));
	EXPECT_EQ(-ERANGE, load_at(saved, 2000501));
	EXPECT_EQ(-ERANGE, load_at(saved, 1999499));
	EXPECT_EQ(MACHINE_STEP_LOAD, error.step);
	EXPECT_EQ(2000000, error.wants_khz);
	EXPECT_EQ(1999499, error.info.tsc_khz);
	EXPECT_EQ(-ERANGE, load_at(saved, UINT32_MAX));
	/* A host that does not know its rate cannot compare it. */
	EXPECT_EQ(0, load_at(saved, 0));
	saved_close(saved);
	close(file);
}

TEST(a_host_whose_counters_run_at_another_rate_gives_it_the_old_one)
{
	struct saved *saved;
	int file;

	fake.tsc_khz = 2000000;
	fake.tsc_rate_max = 3000000;
	file = write_machine(_metadata);
	ASSERT_EQ(0, saved_open(&saved, file, &why));
	EXPECT_EQ(0, load_at(saved, 2000500));
	EXPECT_EQ(0, fake.tsc_rate);
	EXPECT_EQ(0, load_at(saved, 50000));
	EXPECT_EQ(2000000, fake.tsc_rate);
	fake.tsc_rate_max = 1000000;
	EXPECT_EQ(-ERANGE, load_at(saved, 50000));
	EXPECT_EQ(2000000, error.wants_khz);
	saved_close(saved);
	close(file);
}

/* Sets @second to what a host with time stamp counters of this rate makes of @first. */
static void save_again(struct __test_metadata *_metadata, int first,
		       uint32_t khz, int *second)
{
	struct machine *machine;
	struct saved *saved;

	ASSERT_EQ(0, saved_open(&saved, first, &why));
	fake.tsc_khz = khz;
	config.saved = saved_state(saved);
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	*second = memfd_create("saved", MFD_CLOEXEC);
	ASSERT_EQ(0, saved_write(machine, *second, CONFIG, NULL, &why));
	machine_free(machine);
	saved_close(saved);
	config.saved = NULL;
	close(first);
}

TEST(a_machine_with_another_rate_than_its_host_is_saved_with_its_own)
{
	struct saved *saved;
	int file;

	fake.tsc_khz = 2000000;
	fake.tsc_rate_max = 3000000;
	file = write_machine(_metadata);
	save_again(_metadata, file, 50000, &file);
	fake.tsc_rate = 0;
	ASSERT_EQ(0, saved_open(&saved, file, &why));
	EXPECT_EQ(0, load_at(saved, 50000));
	EXPECT_EQ(2000000, fake.tsc_rate);
	saved_close(saved);
	close(file);
}

TEST(the_rate_does_not_drift_from_host_to_host)
{
	struct saved *saved;
	int file;

	fake.tsc_khz = 2000000;
	fake.tsc_rate_max = 3000000;
	file = write_machine(_metadata);
	save_again(_metadata, file, 2000400, &file);
	fake.tsc_rate = 0;
	ASSERT_EQ(0, saved_open(&saved, file, &why));
	EXPECT_EQ(0, load_at(saved, 2000800));
	EXPECT_EQ(2000000, fake.tsc_rate);
	saved_close(saved);
	close(file);
}

TEST(the_counters_of_a_machine_from_a_host_that_did_not_know_fit)
{
	int file = write_machine(_metadata);
	struct saved *saved;

	ASSERT_EQ(0, saved_open(&saved, file, &why));
	EXPECT_EQ(0, load_at(saved, 2000000));
	saved_close(saved);
	close(file);
}

TEST(a_file_that_is_cut_is_refused)
{
	int file = write_machine(_metadata);
	off_t size = lseek(file, 0, SEEK_END);
	struct saved *saved;

	for (off_t cut = size - 1; cut > 0; cut -= size / 50) {
		ASSERT_EQ(0, ftruncate(file, cut));
		EXPECT_GT(0, saved_open(&saved, file, &why));
		EXPECT_NE('\0', why.text[0]);
	}
	close(file);
}

/* Return: as saved_write() of a machine that was started from so many files. */
static int write_started_from(struct __test_metadata *_metadata, int count,
			      const char *path)
{
	int file = memfd_create("saved", MFD_CLOEXEC), err;
	struct boot_error boot;
	struct machine *machine;
	struct saved *saved;

	describe(guest_writes, 1);
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	while (--count)
		ASSERT_EQ(0, image_store_put(&machine->images, path, image, 0,
					     1, &boot));
	err = saved_write(machine, file, CONFIG, NULL, &why);
	if (!err) {
		ASSERT_EQ(0, saved_open(&saved, file, &why));
		saved_close(saved);
	}
	machine_free(machine);
	close(file);
	close(image);
	return err;
}

TEST(a_machine_with_more_files_than_a_reader_takes_is_not_written)
{
	EXPECT_EQ(0, write_started_from(_metadata, 64, image_path));
	EXPECT_EQ(-E2BIG, write_started_from(_metadata, 65, image_path));
	EXPECT_NE(NULL, strstr(why.text, "more than 64 files"));
}

/* The command line is no limit to what a name may have, and a reader refuses some. */
TEST(a_machine_from_a_file_whose_name_no_reader_takes_is_not_written)
{
	EXPECT_EQ(0, write_started_from(_metadata, 2, "/tmp/\u00e4 b"));
	EXPECT_EQ(-EILSEQ, write_started_from(_metadata, 2, "/tmp/\x1b[2J"));
	EXPECT_NE(NULL, strstr(why.text, "control characters"));
	EXPECT_EQ(NULL, strchr(why.text, '\x1b'));
}

TEST(a_machine_that_cannot_be_written_says_why)
{
	int file = memfd_create("saved", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct machine *machine;

	describe(guest_writes, 1);
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	ASSERT_EQ(0, fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(-EPERM, saved_write(machine, file, CONFIG, NULL, &why));
	EXPECT_NE(NULL, strstr(why.text, strerror(EPERM)));
	machine_free(machine);
	close(file);
}

/* @opaque: an int: after so many calls nobody wants the file. */
static bool gone(void *opaque)
{
	int *left = opaque;

	return !(*left)--;
}

TEST(a_file_that_nobody_wants_any_more_is_given_up_and_the_machine_can_be_saved_again)
{
	int file = memfd_create("saved", MFD_CLOEXEC), left = 1;
	const struct saved_wish wish = { .gone = gone, .opaque = &left };
	struct machine *machine;
	struct saved *saved;

	describe(guest_writes, 1);
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	EXPECT_EQ(-ECANCELED, saved_write(machine, file, CONFIG, &wish, &why));
	EXPECT_GT(0, saved_open(&saved, file, &why));
	left = -1;
	EXPECT_EQ(0, saved_write(machine, file, CONFIG, &wish, &why));
	EXPECT_GT(-2, left);
	ASSERT_EQ(0, saved_open(&saved, file, &why));
	saved_close(saved);
	machine_free(machine);
	close(image);
	close(file);
}

/* The file that is asked after, how often it was made stable, and what that returns. */
static struct {
	ino_t file;
	unsigned int calls;
	int error;
} synced;

int fdatasync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_ino != synced.file)
		return (int)syscall(SYS_fdatasync, fd);
	synced.calls++;
	errno = synced.error;
	return synced.error ? -1 : 0;
}

/* Writes a machine with a device, whose file is asked after.  Return: as saved_write(). */
static int write_with(const char *kind, size_t off)
{
	char path[] = "/tmp/lodge-test.XXXXXX";
	int disk = mkstemp(path), file = memfd_create("saved", MFD_CLOEXEC);
	struct device_value *values;
	struct machine *machine;
	struct stat st;
	int err;

	describe(guest_writes, 1);
	values = devices_want(&config.devices, devices_find(kind));
	devices_set_text(&values[0], path);
	if (off)
		devices_set_number(&values[off], !values[off].number);
	synced.calls = 0;
	err = ftruncate(disk, 2 << 20) || fstat(disk, &st) ? -errno : 0;
	synced.file = st.st_ino;
	if (!err)
		err = machine_new(&machine, &config, &error);
	if (!err) {
		err = saved_write(machine, file, CONFIG, NULL, &why);
		machine_free(machine);
	}
	devices_forget(&config.devices);
	unlink(path);
	close(disk);
	close(file);
	close(image);
	return err;
}

/* The options of virtio-blk and of virtio-pmem by their places. */
enum { RO = 1, SHARE = 2, SNAPSHOT = 3 };

TEST(what_the_guest_has_written_is_stable_before_the_file_is_whole)
{
	EXPECT_EQ(0, write_with("virtio-blk", 0)) TH_LOG("%s", why.text);
	EXPECT_EQ(1, synced.calls);
	EXPECT_EQ(0, write_with("virtio-pmem", 0)) TH_LOG("%s", why.text);
	EXPECT_EQ(1, synced.calls);
	synced.error = EIO;
	EXPECT_EQ(-EIO, write_with("virtio-blk", 0));
	EXPECT_NE(NULL, strstr(why.text, "virtio-blk 0 has written"));
	EXPECT_EQ(-EIO, write_with("virtio-pmem", 0));
	EXPECT_NE(NULL, strstr(why.text, "virtio-pmem 0 has written"));
}

TEST(a_disk_that_the_guest_does_not_write_need_not_be_stable)
{
	synced.error = EIO;
	EXPECT_EQ(0, write_with("virtio-blk", RO));
	EXPECT_EQ(0, write_with("virtio-blk", SNAPSHOT));
	EXPECT_EQ(0, write_with("virtio-pmem", RO));
	EXPECT_EQ(0, write_with("virtio-pmem", SHARE));
	EXPECT_EQ(0, synced.calls);
}

/* Return: a file whose list of images is this one, of @version. */
static int write_list(const struct record *images, uint32_t version)
{
	static const struct snap_plan plan = { .form = SNAP_PLAIN,
					       .pages = PAGES };
	int file = memfd_create("saved", MFD_CLOEXEC);
	struct snap_writer *writer;

	if (snap_writer_new(&writer, file, &plan) ||
	    snap_writer_section(writer, SNAP_CONFIG, 1, 0, "{}", 2) ||
	    snap_writer_section(writer, SNAP_HOST, 1, 0, "{\"time\":1}", 10) ||
	    snap_writer_section(writer, SNAP_STATE, 1, 0, "", 0) ||
	    snap_writer_section(writer, SAVED_IMAGES, version, SNAP_OPTIONAL,
				images->data, images->size) ||
	    snap_writer_end(writer))
		abort();
	snap_writer_free(writer);
	return file;
}

static void add(struct record *record, const char *name, uint64_t page,
		uint64_t size, const char *path)
{
	const uint64_t head[] = { htole64(page), htole64(size) };
	size_t place;

	if (record_open(record, name, 0, &place) ||
	    record_append(record, head, sizeof(head)) ||
	    record_append(record, path, strlen(path)))
		abort();
	record_close(record, place);
}

/* Return: what is said of a list, which is freed. */
static int take_list(struct record *images, uint32_t version)
{
	int file = write_list(images, version);
	struct saved *saved = NULL;
	int err = saved_open(&saved, file, &why);

	if (!err)
		saved_close(saved);
	close(file);
	free(images->data);
	*images = (struct record){ 0 };
	return err;
}

TEST(a_list_of_images_that_contradicts_the_file_is_refused)
{
	struct record images = { 0 };

	add(&images, "image", PAGES - 1, SNAP_PAGE, "a");
	add(&images, "image", 0, 1, "b");
	EXPECT_EQ(0, take_list(&images, 1));
	add(&images, "image", PAGES - 1, SNAP_PAGE + 1, "a");
	EXPECT_EQ(-EBADMSG, take_list(&images, 1));
	add(&images, "image", PAGES + 1, 1, "a");
	EXPECT_EQ(-EBADMSG, take_list(&images, 1));
	add(&images, "image", 1, UINT64_MAX, "a");
	EXPECT_EQ(-EBADMSG, take_list(&images, 1));
	add(&images, "image", UINT64_MAX, 1, "a");
	EXPECT_EQ(-EBADMSG, take_list(&images, 1));
	add(&images, "image", 0, 1, "");
	EXPECT_EQ(-EBADMSG, take_list(&images, 1));
	add(&images, "picture", 0, 1, "a");
	EXPECT_EQ(-EBADMSG, take_list(&images, 1));
	add(&images, "image", 0, 1, "a");
	EXPECT_EQ(-EBADMSG, take_list(&images, 2));
	add(&images, "image", 0, 1, "a");
	images.size--;
	EXPECT_EQ(-EBADMSG, take_list(&images, 1));
	for (int i = 0; i < 65; i++)
		add(&images, "image", 0, 1, "a");
	EXPECT_EQ(-EBADMSG, take_list(&images, 1));
}

TEST(images_whose_names_a_terminal_would_obey_are_refused)
{
	static const char *const names[] = { "/\x1b[31m", "/\r", "/\x7f",
					     "/\xc2\x9b"
					     "31m" };
	struct record images = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		add(&images, "image", 0, 1, names[i]);
		EXPECT_EQ(-EBADMSG, take_list(&images, 1));
	}
	add(&images, "image", 0, 1, "ab");
	images.data[images.size - 1] = '\0';
	EXPECT_EQ(-EBADMSG, take_list(&images, 1));
	add(&images, "image", 0, 1, "/\u00e4");
	EXPECT_EQ(0, take_list(&images, 1));
}

TEST_HARNESS_MAIN
