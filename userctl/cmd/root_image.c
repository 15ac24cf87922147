// SPDX-License-Identifier: GPL-2.0
/*
 * The initrd of a guest whose root is a directory of the host's.
 */
#include "cmd/root_image.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/guest_init.h"
#include "boot/kmodules.h"
#include "boot/unpack.h"
#include "boot/version.h"

/* The largest of Debian's has 10 MiB. */
#define MODULE_MAX (128UL << 20)
/* The kernel's console device; the program gets it as its standard descriptors. */
#define CONSOLE_MAJOR 5
#define CONSOLE_MINOR 1

/* What the program needs before the root is there. */
static const struct kmodule_wish needed[] = {
	{ "virtio_pci", "CONFIG_VIRTIO_PCI", true },
	{ "virtio_console", "CONFIG_VIRTIO_CONSOLE", true },
	{ "virtiofs", "CONFIG_VIRTIO_FS", true },
	{ "overlay", "CONFIG_OVERLAY_FS", true },
};

/* Drivers of devices: nobody loads them later, as there is no device manager. */
static const struct {
	const char *device;
	struct kmodule_wish wish;
} drivers[] = {
	{ "virtio-blk", { "virtio_blk", "CONFIG_VIRTIO_BLK", false } },
	{ "virtio-net", { "virtio_net", "CONFIG_VIRTIO_NET", false } },
	{ "virtio-pmem", { "virtio_pmem", "CONFIG_VIRTIO_PMEM", false } },
	{ "virtio-pmem", { "nd_pmem", "CONFIG_BLK_DEV_PMEM", false } },
	{ "virtio-rng", { "virtio_rng", "CONFIG_HW_RANDOM_VIRTIO", false } },
	{ "virtio-balloon",
	  { "virtio_balloon", "CONFIG_VIRTIO_BALLOON", false } },
	{ "virtio-scsi", { "virtio_scsi", "CONFIG_SCSI_VIRTIO", false } },
	{ "virtio-vsock",
	  { "vmw_vsock_virtio_transport", "CONFIG_VIRTIO_VSOCKETS", false } },
};

#define NR_NEEDED (sizeof(needed) / sizeof(needed[0]))
#define NR_DRIVERS (sizeof(drivers) / sizeof(drivers[0]))

static size_t make_wishes(const struct devices_wanted *devices,
			  struct kmodule_wish *wishes)
{
	size_t count = NR_NEEDED;

	memcpy(wishes, needed, sizeof(needed));
	for (size_t i = 0; i < NR_DRIVERS; i++) {
		const struct device_kind *kind =
			devices_find(drivers[i].device);

		if (kind && devices_wants(devices, kind, 0))
			wishes[count++] = drivers[i].wish;
	}
	return count;
}

/*
 * The guest has what is below its root.  A link there must not give it what the host has
 * elsewhere.
 */
static bool is_below(const char *root, const char *path)
{
	char real_root[PATH_MAX], real[PATH_MAX];
	size_t length;

	if (!realpath(root, real_root) || !realpath(path, real))
		return false;
	length = strlen(real_root);
	return length == 1 ||
	       (!strncmp(real, real_root, length) && real[length] == '/');
}

/*
 * Where the modules of a kernel may be: in the root; beside the kernel, as a package has
 * them when it is unpacked, or as `make modules_install` leaves them.
 * @within: out: they must be below this
 */
static bool find_directory(const char *kernel, const char *root,
			   const char *version, char *path, size_t size,
			   const char **within)
{
	char copy[PATH_MAX];
	const char *beside;

	snprintf(copy, sizeof(copy), "%s", kernel);
	beside = dirname(copy);
	const struct {
		const char *above;
		const char *between;
	} places[] = {
		{ root, "/lib/modules" },   { root, "/usr/lib/modules" },
		{ beside, "/lib/modules" }, { beside, "/../lib/modules" },
		{ "", "/lib/modules" },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, size, "%s%s/%s", places[i].above,
			 places[i].between, version);
		*within = places[i].above == root ? root : "/";
		if (!access(path, R_OK | X_OK) && is_below(*within, path))
			return true;
	}
	return false;
}

/* Packs a file as modules/NUMBER-NAME.  Return: 0 or -errno. */
static int add_module(struct root_image *image, FILE *manifest,
		      const char *path, size_t number, struct boot_error *error)
{
	const char *base = strrchr(path, '/') + 1;
	char name[NAME_MAX + 32];
	struct image file;
	void *bytes;
	size_t size;
	int err = image_open(&file, path, error);

	if (err)
		return err;
	err = image_hold(&file, error);
	if (!err) {
		err = unpack(file.data, file.size, MODULE_MAX, &bytes, &size);
		if (err)
			boot_error_set(error, err, "%s: cannot be unpacked: %s",
				       path, strerror(-err));
	}
	image_close(&file);
	if (err)
		return err;
	snprintf(name, sizeof(name), "modules/%02zu-%.*s", number,
		 (int)strcspn(base, "."), base);
	initrd_file(&image->initrd, name, 0644, bytes, size);
	free(bytes);
	fprintf(manifest, "module %s\n", name + strlen("modules/"));
	return 0;
}

static int add_modules(struct root_image *image, FILE *manifest,
		       const char *directory, const char *within,
		       const struct devices_wanted *devices,
		       struct boot_error *error)
{
	struct kmodule_wish wishes[NR_NEEDED + NR_DRIVERS];
	size_t count = make_wishes(devices, wishes);
	struct kmodules modules;
	int err = kmodules_find(&modules, directory, wishes, count, error);

	if (err)
		return err;
	for (size_t i = 0; i < modules.count && !err; i++) {
		const char *path = modules.paths[i];

		err = is_below(within, path) ?
			      add_module(image, manifest, path, i, error) :
			      boot_error_set(error, -EXDEV,
					     "%s: a link that leads out of %s",
					     path, within);
	}
	kmodules_free(&modules);
	return err;
}

/* @version: empty if the kernel tells none.  Return: 0; -errno of reading the kernel. */
static int find_version(const char *kernel, char *version,
			struct boot_error *error)
{
	struct image file;
	struct stat st;
	int err;

	if (!stat(kernel, &st) && !S_ISREG(st.st_mode))
		return boot_error_set(error, -EINVAL,
				      "%s: is no plain file, and with --root "
				      "the kernel is read twice",
				      kernel);
	err = image_open(&file, kernel, error);
	if (err)
		return err;
	err = image_hold(&file, error);
	if (!err && version_find(&file, version))
		*version = '\0';
	image_close(&file);
	return err;
}

/* Return: 0; -errno of finding or reading modules. */
static int write_manifest(struct root_image *image, FILE *manifest,
			  const char *kernel, const char *root,
			  const struct devices_wanted *devices,
			  struct boot_error *error)
{
	char version[VERSION_SIZE], directory[PATH_MAX],
		host[HOST_NAME_MAX + 1];
	const char *within;
	int err = find_version(kernel, version, error);

	if (err)
		return err;
	if (!*version)
		snprintf(
			image->note, sizeof(image->note),
			"the kernel does not tell its version, so it was given "
			"no modules");
	else if (find_directory(kernel, root, version, directory,
				sizeof(directory), &within))
		err = add_modules(image, manifest, directory, within, devices,
				  error);
	else
		snprintf(image->note, sizeof(image->note),
			 "there is no /lib/modules/%s below the root, beside "
			 "the kernel or on this host, so it was given no "
			 "modules",
			 version);
	if (!gethostname(host, sizeof(host)) && *host)
		fprintf(manifest, "host %s\n", host);
	fputs("root " ROOT_TAG "\n", manifest);
	return *image->note ? 0 : err;
}

static int fill(struct root_image *image, const char *kernel, const char *root,
		const struct devices_wanted *devices, struct boot_error *error)
{
	struct initrd *initrd = &image->initrd;
	char *text = NULL;
	size_t size;
	FILE *manifest = open_memstream(&text, &size);
	const void *init;
	int err;

	if (!manifest)
		return -ENOMEM;
	initrd_directory(initrd, "dev");
	initrd_character_device(initrd, "dev/console", CONSOLE_MAJOR,
				CONSOLE_MINOR);
	initrd_directory(initrd, "modules");
	err = write_manifest(image, manifest, kernel, root, devices, error);
	if (fclose(manifest) && !err)
		err = -ENOMEM;
	if (!err) {
		initrd_file(initrd, "manifest", 0644, text, size);
		init = guest_init(&size);
		initrd_file(initrd, "init", 0755, init, size);
		err = initrd_finish(initrd);
	}
	free(text);
	return err;
}

int root_image_make(struct root_image *image, const char *kernel,
		    const char *root, const struct devices_wanted *devices,
		    struct boot_error *error)
{
	int err;

	memset(image, 0, sizeof(*image));
	memset(error, 0, sizeof(*error));
	err = fill(image, kernel, root, devices, error);
	if (err) {
		if (!*error->text)
			boot_error_set(error, err, "the guest's initrd: %s",
				       strerror(-err));
		root_image_free(image);
		return err;
	}
	image->image = (struct image){
		.path = "the guest's initrd",
		.data = image->initrd.bytes,
		.size = image->initrd.size,
	};
	return 0;
}

void root_image_free(struct root_image *image)
{
	initrd_free(&image->initrd);
}
