// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the argument of --device.  What is taken fits its options, and can be saved
 * and loaded.
 */
#include "cmd/device_option.h"
#include "fake_kinds.h"
#include "fuzz_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_many(const struct device_value *values)
{
	require(values[NUMBER].number >= 2 && values[NUMBER].number <= 9);
	require(values[PORT].number <= 0xffff);
	require(values[SIZE].number >= 4096);
	require(values[READ_ONLY].number <= 1);
	require(values[MODE].number <= 1);
	require(values[PATH].text && *values[PATH].text);
	require(values[TAG].text && *values[TAG].text);
}

static void check_made(const struct devices_wanted *wanted)
{
	static const struct board board;
	struct device_error error;
	struct record record = { 0 };
	unsigned int sections;
	struct devices *devices = devices_new(&board, wanted, &error);

	if (!devices)
		return;
	require(!devices_save(devices, &record));
	require(!devices_load(devices, &record, &sections));
	devices_free(devices);
	free(record.data);
}

/* The input is a sequence of arguments, with a new line between them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct devices_wanted wanted;
	char *text = strndup((const char *)data, size);
	char *rest = text, *argument, why[64];
	int err = 0;

	require(text != NULL);
	devices_default(&wanted);
	while (!err && (argument = strsep(&rest, "\n"))) {
		err = device_option_parse(&wanted, argument, why, sizeof(why));
		require(!err || memchr(why, 0, sizeof(why)));
	}
	for (size_t i = 0; !err && i < wanted.count; i++)
		if (wanted.wishes[i].kind == &many_kind)
			check_many(wanted.wishes[i].values);
	if (!err)
		check_made(&wanted);
	devices_forget(&wanted);
	free(text);
	return 0;
}
