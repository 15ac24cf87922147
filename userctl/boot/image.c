// SPDX-License-Identifier: GPL-2.0
/*
 * A file to be loaded, held in memory.
 *
 * The copy is an anonymous mapping, which grows while a pipe is read.  In the end it
 * has the image's size rounded up to IMAGE_STEP.
 */
#include "boot/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_STEP (1ULL << 20)

static size_t image_room(size_t size)
{
	return (size + IMAGE_STEP - 1) & ~(IMAGE_STEP - 1);
}

/* Doubles the mapping, or creates it. */
static int image_grow(void **data, size_t *room)
{
	size_t wanted = *room ? 2 * *room : IMAGE_STEP;
	void *grown;

	if (*data)
		grown = mremap(*data, *room, wanted, MREMAP_MAYMOVE);
	else
		grown = mmap(NULL, wanted, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (grown == MAP_FAILED)
		return -errno;
	*data = grown;
	*room = wanted;
	return 0;
}

/* Reads to the end of the file, into a mapping of *@room bytes at *@data. */
static int image_fill(int fd, void **data, size_t *size, size_t *room)
{
	ssize_t got;
	int ret;

	for (;;) {
		if (*size == *room) {
			ret = image_grow(data, room);
			if (ret)
				return ret;
		}
		got = read(fd, (char *)*data + *size, *room - *size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return *size ? 0 : -ENODATA;
		*size += got;
		if (*size > IMAGE_MAX_SIZE)
			return -EFBIG;
	}
}

static int image_read(int fd, void **data, size_t *size)
{
	size_t room = 0;
	struct stat st;
	int ret;

	*data = NULL;
	*size = 0;
	if (fstat(fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > IMAGE_MAX_SIZE)
		return -EFBIG;

	ret = image_fill(fd, data, size, &room);
	if (ret && *data)
		munmap(*data, room);
	else if (!ret && image_room(*size) < room)
		munmap((char *)*data + image_room(*size),
		       room - image_room(*size));
	return ret;
}

int image_open(struct image *image, const char *path, struct boot_error *error)
{
	void *data;
	size_t size;
	int fd, ret;

	if (!*path)
		return boot_error_set(error, -ENOENT,
				      "an empty file name; is a variable of "
				      "the shell's not set?");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == EMFILE)
		return boot_error_set(error, -errno,
				      "%s: %s; allow more by ulimit -n", path,
				      strerror(errno));
	if (fd < 0)
		return boot_error_set(error, -errno, "%s: %s", path,
				      strerror(errno));
	ret = image_read(fd, &data, &size);
	close(fd);
	if (ret == -ENODATA)
		return boot_error_set(error, ret, "%s: is empty", path);
	if (ret == -EFBIG)
		return boot_error_set(error, ret, "%s: is larger than %s", path,
				      boot_size(IMAGE_MAX_SIZE).text);
	if (ret)
		return boot_error_set(error, ret, "%s: %s", path,
				      strerror(-ret));

	image->path = path;
	image->data = data;
	image->size = size;
	return 0;
}

void image_close(struct image *image)
{
	munmap((void *)image->data, image_room(image->size));
}

struct image_stored {
	struct image image;
	struct image_stored *next;
	char path[];
};

static int image_store_add(struct image_store *store, const char *path,
			   struct boot_error *error)
{
	size_t size = strlen(path) + 1;
	struct image_stored *new = malloc(sizeof(*new) + size);
	int ret;

	if (!new)
		return boot_error_set(error, -ENOMEM, "out of memory");
	memcpy(new->path, path, size);
	ret = image_open(&new->image, new->path, error);
	if (ret) {
		free(new);
		return ret;
	}
	new->next = store->first;
	store->first = new;
	return 0;
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

bool image_store_has(const struct image_store *store, const char *path)
{
	struct stat wanted, st;

	if (stat(path, &wanted) || !S_ISREG(wanted.st_mode))
		return false;
	for (const struct image_stored *stored = store->first; stored;
	     stored = stored->next)
		if (!stat(stored->path, &st) && st.st_dev == wanted.st_dev &&
		    st.st_ino == wanted.st_ino)
			return true;
	return false;
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
	if (offset > image->size || size > image->size - offset)
		return NULL;
	return (const char *)image->data + offset;
}
