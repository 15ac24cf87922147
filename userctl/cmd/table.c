// SPDX-License-Identifier: GPL-2.0
/*
 * A table of text, with columns as wide as their widest cell.
 */
#include "cmd/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void widen(struct table *table, size_t column, const char *text)
{
	size_t length = strlen(text);

	if (table->widths[column] < length)
		table->widths[column] = length;
}

void table_start(struct table *table, const struct table_column *columns,
		 size_t width)
{
	*table = (struct table){ .columns = columns, .width = width };
	for (size_t i = 0; i < width; i++)
		widen(table, i, columns[i].title);
}

/* Return: true if there is room for another cell. */
static bool make_room(struct table *table)
{
	size_t room = table->room ? table->room * 2 : 64;
	char **cells;

	if (table->count < table->room)
		return true;
	cells = reallocarray(table->cells, room, sizeof(*cells));
	if (!cells)
		return false;
	table->cells = cells;
	table->room = room;
	return true;
}

/* A terminal would obey some of what others can choose, such as the path of a cgroup. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

void table_add(struct table *table, const char *format, ...)
{
	char *cell = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (table->failed || !make_room(table) ||
	    vasprintf(&cell, format, arguments) < 0)
		table->failed = true;
	va_end(arguments);
	if (table->failed)
		return;
	make_printable(cell);
	widen(table, table->count % table->width, cell);
	table->cells[table->count++] = cell;
}

/* The last column has no blanks behind it. */
static void print_cell(const struct table *table, FILE *file, size_t column,
		       const char *text)
{
	bool last = column == table->width - 1;
	int width = table->widths[column];

	if (table->columns[column].right)
		fprintf(file, "%*s", width, text);
	else
		fprintf(file, "%-*s", last ? 0 : width, text);
	fputs(last ? "\n" : "  ", file);
}

int table_finish(struct table *table, FILE *file)
{
	int err = table->failed ? -ENOMEM : 0;

	for (size_t i = 0; i < table->width && !err; i++)
		print_cell(table, file, i, table->columns[i].title);
	for (size_t i = 0; i < table->count; i++) {
		if (!err)
			print_cell(table, file, i % table->width,
				   table->cells[i]);
		free(table->cells[i]);
	}
	free(table->cells);
	return err;
}
