/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table of text, with columns as wide as their widest cell.
 */
#ifndef LODGE_CMD_TABLE_H
#define LODGE_CMD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns of a table, at most. */
#define TABLE_COLUMNS 16

/**
 * struct table_column - a column
 * @title: its heading
 * @right: its cells end at the right, as numbers do
 */
struct table_column {
	const char *title;
	bool right;
};

/**
 * struct table - a table while it is filled, row by row
 * @columns: its columns
 * @width: number of columns
 * @widths: width of each, in characters
 * @cells: texts of the cells so far
 * @count: entries in @cells
 * @room: entries for which there is memory
 * @failed: there was no memory for a cell
 */
struct table {
	const struct table_column *columns;
	size_t width;
	size_t widths[TABLE_COLUMNS];
	char **cells;
	size_t count;
	size_t room;
	bool failed;
};

/**
 * table_start() - begin a table
 * @columns: must live as long as the table
 * @width: number of columns, at most TABLE_COLUMNS
 */
void table_start(struct table *table, const struct table_column *columns,
		 size_t width);

/**
 * table_add() - add the next cell of the row, or begin a row
 *
 * What is no printable ASCII becomes '?'.
 */
__attribute__((format(printf, 2, 3))) void table_add(struct table *table,
						     const char *format, ...);

/**
 * table_finish() - write the table, and free it
 *
 * Return: 0; -ENOMEM, and then nothing is written.
 */
int table_finish(struct table *table, FILE *file);

#endif
