// SPDX-License-Identifier: GPL-2.0
/*
 * give FILE: hands a file to what emulates this host, by the port that QEMU's isa-debugcon
 * and Bochs' port_e9_hack listen to: a line `@@given NAME BYTES`, and the bytes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PORT 0xe9

int main(int argc, char **argv)
{
	char line[256];
	struct stat about;
	void *bytes;
	int fd;

	fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	if (fd < 0 || fstat(fd, &about) || !about.st_size) {
		fprintf(stderr,
			"give: there is no such file, or it is empty\n");
		return 1;
	}
	bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd,
		     0);
	if (bytes == MAP_FAILED || ioperm(PORT, 1, 1)) {
		perror("give");
		return 1;
	}
	snprintf(line, sizeof(line), "\n@@given %s %lld\n", basename(argv[1]),
		 (long long)about.st_size);
	outsb(PORT, line, strlen(line));
	outsb(PORT, bytes, (size_t)about.st_size);
	return 0;
}
