// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a fuzzer's inputs to a driver of the guest's kernel, one whole input at once:
 *
 *	drive DEVICE
 *
 * The driver tells the fuzzer of its edges itself (driver/coverage.h).
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"

int main(int argc, char **argv)
{
	const uint8_t *input;
	size_t size;
	ssize_t written;
	int device = argc == 2 ? open(argv[1], O_WRONLY | O_CLOEXEC) : -1;

	if (device < 0) {
		fprintf(stderr, "%s: no device can be opened\n", argv[0]);
		return EXIT_FAILURE;
	}
	input = harness_begin(&size);
	written = write(device, input, size);
	/* That the driver refuses an input is no fault. */
	(void)written;
	harness_done();
}
