// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the commands of a CD drive: any block of a command, for a disc of any size.
 *
 * Whatever the command is, the answer is no longer than what there is of it, what is read
 * is on the disc, and a refusal has nothing but its reason.
 */
#include "fuzz_check.h"
#include "fuzz_input.h"
#include "virtio/cdrom.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	uint8_t cdb[CDROM_CDB_SIZE];
	struct cdrom_answer answer;
	uint32_t blocks;

	while (in.left) {
		blocks = (uint32_t)next_bytes(&in, 4);
		blocks += !blocks;
		for (unsigned int i = 0; i < sizeof(cdb); i++)
			cdb[i] = i < 12 ? next_byte(&in) : 0;
		cdrom_command(cdb, blocks, &answer);
		if (answer.status) {
			require(!answer.size && !answer.blocks);
			require(answer.sense[2] && answer.sense[12]);
		} else if (answer.blocks) {
			require(answer.size ==
				(uint64_t)answer.blocks * CDROM_BLOCK);
			require(answer.first < blocks &&
				answer.blocks <= blocks - answer.first);
		} else {
			require(answer.size <= sizeof(answer.reply));
		}
	}
	return 0;
}
