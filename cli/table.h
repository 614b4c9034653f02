/*
 * Lists for people: JSON objects as rows under the columns that are wanted.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <jansson.h>

struct table_column {
	const char	*title;
	const char	*field;
	enum table_as {
		TABLE_TEXT,		/* as it is; numbers, yes and no */
		TABLE_SAT,		/* a decimal text: blank zeros cut */
		TABLE_TIME,		/* ms since 1970: UTC */
		TABLE_LIST,		/* an array of texts, with blanks */
	} as;
};

/*
 * `rows` is an array; `none` is said when it is empty.  Columns end with a
 * title NULL.  Text from outside is made safe.
 */
void table_print(const json_t *rows, const struct table_column *columns,
    const char *none);
/* One object, a field a line. */
void table_print_one(const json_t *row, const struct table_column *columns);

#endif
