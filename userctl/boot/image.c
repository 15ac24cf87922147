// SPDX-License-Identifier: GPL-2.0
/*
 * A file to be loaded.
 *
 * Without a name in the file system, as of a pipe, its bytes are kept in a memfd, which
 * is a file from then on.
 */
#include "boot/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/read.h"

/* Bytes of a pipe that are copied at once. */
#define PIECE 65536

/* glibc's fstat() may ask newfstatat(2), which takes a path: the sandbox lets it fail. */
static int get_status(int fd, struct stat *status)
{
	return syscall(SYS_fstat, fd, status) ? -errno : 0;
}

static int write_all(int fd, const char *bytes, size_t size)
{
	ssize_t done;

	while (size) {
		done = write(fd, bytes, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		bytes += done;
		size -= done;
	}
	return 0;
}

/* Copies to the end of what @from reads. */
static int copy(int from, int to)
{
	char piece[PIECE];
	uint64_t size = 0;
	ssize_t got;
	int ret = 0;

	while (!ret) {
		got = read(from, piece, sizeof(piece));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : 0;
		size += got;
		ret = size > IMAGE_MAX_SIZE ? -EFBIG :
					      write_all(to, piece, got);
	}
	return ret;
}

/* Replaces *@fd by a file of the same bytes. */
static int keep(int *fd)
{
	int file = memfd_create("image", MFD_CLOEXEC);
	int ret = file < 0 ? -errno : copy(*fd, file);

	if (ret) {
		if (file >= 0)
			close(file);
		return ret;
	}
	close(*fd);
	*fd = file;
	return 0;
}

/* Files of the kernel's, as those in /proc, may have a size of 0 and yet bytes. */
static bool is_stream(const struct stat *status)
{
	return !S_ISREG(status->st_mode) || !status->st_size;
}

static int take(struct image *image)
{
	struct stat status;
	int ret = get_status(image->fd, &status);

	/* One such as /dev/zero has no end, and a terminal waits for its user. */
	if (!ret && S_ISCHR(status.st_mode))
		return -ENOTBLK;
	if (!ret && is_stream(&status)) {
		ret = keep(&image->fd);
		if (!ret)
			ret = get_status(image->fd, &status);
	}
	if (ret)
		return ret;
	if ((uint64_t)status.st_size > IMAGE_MAX_SIZE)
		return -EFBIG;
	image->size = image->file_size = status.st_size;
	image->written = status.st_mtim;
	return status.st_size ? 0 : -ENODATA;
}

int image_open(struct image *image, const char *path, struct boot_error *error)
{
	int ret;

	if (!*path)
		return boot_error_set(error, -ENOENT,
				      "an empty file name; is a variable of "
				      "the shell's not set?");
	*image = (struct image){ .path = path };
	image->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (image->fd < 0 && errno == EMFILE)
		return boot_error_set(error, -errno,
				      "%s: %s; allow more by ulimit -n", path,
				      strerror(errno));
	if (image->fd < 0)
		return boot_error_set(error, -errno, "%s: %s", path,
				      strerror(errno));
	ret = take(image);
	if (!ret)
		return 0;
	close(image->fd);
	if (ret == -ENODATA)
		return boot_error_set(error, ret, "%s: is empty", path);
	if (ret == -ENOTBLK)
		return boot_error_set(error, ret,
				      "%s: is a character device; name a file "
				      "or a pipe",
				      path);
	if (ret == -EFBIG)
		return boot_error_set(error, ret, "%s: is larger than %s", path,
				      boot_size(IMAGE_MAX_SIZE).text);
	return boot_error_set(error, ret, "%s: %s", path, strerror(-ret));
}

void image_close(struct image *image)
{
	image_release(image);
	close(image->fd);
}

int image_read(const struct image *image, uint64_t offset, void *to,
	       uint64_t size)
{
	if (offset > image->size || size > image->size - offset)
		return -ENODATA;
	if (!image->data)
		return read_at(image->fd, to, size, image->offset + offset);
	memcpy(to, (const char *)image->data + offset, size);
	return 0;
}

int image_load(const struct image *image, uint64_t offset, void *to,
	       uint64_t size, struct boot_error *error)
{
	int ret = image_read(image, offset, to, size);

	if (ret == -ENODATA)
		return boot_error_set(error, ret,
				      "%s: ends before its size, %zu bytes",
				      image->path, image->size);
	return ret ? boot_error_set(error, ret, "%s: %s", image->path,
				    strerror(-ret)) :
		     0;
}

int image_hold(struct image *image, struct boot_error *error)
{
	void *bytes;
	int ret;

	bytes = mmap(NULL, image->size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		return boot_error_set(error, -errno, "%s: %s", image->path,
				      strerror(errno));
	ret = image_load(image, 0, bytes, image->size, error);
	if (ret)
		munmap(bytes, image->size);
	else
		image->data = bytes;
	return ret;
}

void image_release(struct image *image)
{
	if (image->data)
		munmap((void *)image->data, image->size);
	image->data = NULL;
}

struct image_stored {
	struct image image;
	struct image_stored *next;
	char path[];
};

/* Return: one with its path, to be filled and added; NULL without memory. */
static struct image_stored *image_store_new(const char *path)
{
	size_t size = strlen(path) + 1;
	struct image_stored *new = malloc(sizeof(*new) + size);

	if (new)
		memcpy(new->path, path, size);
	return new;
}

static int image_store_add(struct image_store *store, const char *path,
			   struct boot_error *error)
{
	struct image_stored *new = image_store_new(path);
	int ret;

	if (!new)
		return boot_error_set(error, -ENOMEM, "out of memory");
	ret = image_open(&new->image, new->path, error);
	if (ret) {
		free(new);
		return ret;
	}
	new->next = store->first;
	store->first = new;
	return 0;
}

/* Return: 0; -EINVAL; -ENODATA; -errno. */
static int take_piece(struct image *image, int fd, uint64_t offset,
		      uint64_t size)
{
	struct stat status;
	uint64_t end;
	int ret = get_status(fd, &status);

	if (ret)
		return ret;
	if (!size || size > IMAGE_MAX_SIZE ||
	    __builtin_add_overflow(offset, size, &end))
		return -EINVAL;
	if (end > (uint64_t)status.st_size)
		return -ENODATA;
	image->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (image->fd < 0)
		return -errno;
	image->size = size;
	image->offset = offset;
	image->file_size = status.st_size;
	image->written = status.st_mtim;
	return 0;
}

int image_store_put(struct image_store *store, const char *path, int fd,
		    uint64_t offset, uint64_t size, struct boot_error *error)
{
	struct image_stored *new = image_store_new(path);
	int ret;

	if (!new)
		return boot_error_set(error, -ENOMEM, "out of memory");
	new->image = (struct image){ .path = new->path };
	ret = take_piece(&new->image, fd, offset, size);
	if (ret) {
		free(new);
		return boot_error_set(error, ret, "%s: %s", path,
				      strerror(-ret));
	}
	new->next = store->first;
	store->first = new;
	return 0;
}

const struct image *image_store_list(const struct image_store *store,
				     size_t number)
{
	const struct image_stored *stored = store->first;

	while (stored && number--)
		stored = stored->next;
	return stored ? &stored->image : NULL;
}

const struct image *image_find(const struct image_store *store,
			       const char *path)
{
	const struct image_stored *stored = store->first;

	while (stored && strcmp(stored->path, path))
		stored = stored->next;
	return stored ? &stored->image : NULL;
}

int image_get(struct image_store *store, const char *path,
	      const struct image **image, struct boot_error *error)
{
	int ret = 0;

	*image = image_find(store, path);
	if (!*image) {
		ret = image_store_add(store, path, error);
		if (!ret)
			*image = &store->first->image;
	}
	return ret;
}

int image_get_held(struct image_store *store, const char *path,
		   const struct image **image, struct boot_error *error)
{
	int ret = image_get(store, path, image, error);

	if (ret || (*image)->data)
		return ret;
	/* It is the store's own, and so no constant. */
	return image_hold((struct image *)*image, error);
}

bool image_store_has(const struct image_store *store, const char *path)
{
	struct stat wanted, status;

	if (stat(path, &wanted) || !S_ISREG(wanted.st_mode))
		return false;
	for (const struct image_stored *stored = store->first; stored;
	     stored = stored->next)
		if (!get_status(stored->image.fd, &status) &&
		    status.st_dev == wanted.st_dev &&
		    status.st_ino == wanted.st_ino)
			return true;
	return false;
}

static bool has_changed(const struct image *image)
{
	struct stat status;

	return get_status(image->fd, &status) ||
	       (uint64_t)status.st_size != image->file_size ||
	       status.st_mtim.tv_sec != image->written.tv_sec ||
	       status.st_mtim.tv_nsec != image->written.tv_nsec;
}

int image_store_check(const struct image_store *store, struct boot_error *error)
{
	for (const struct image_stored *stored = store->first; stored;
	     stored = stored->next)
		if (has_changed(&stored->image))
			return boot_error_set(
				error, -ESTALE,
				"%s: has changed since the machine first read "
				"it; start the machine anew to boot what the "
				"file holds now",
				stored->path);
	return 0;
}

void image_store_free(struct image_store *store)
{
	while (store->first) {
		struct image_stored *stored = store->first;

		store->first = stored->next;
		image_close(&stored->image);
		free(stored);
	}
}

const void *image_at(const struct image *image, uint64_t offset, uint64_t size)
{
	if (!image->data || offset > image->size || size > image->size - offset)
		return NULL;
	return (const char *)image->data + offset;
}
