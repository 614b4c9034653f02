/*
 * Widths are those of what is there; the last column is cut by nobody.
 */
#include "cli/table.h"

#include <stdio.h>
#include <string.h>

#include "lib/civil.h"
#include "lib/term.h"

#define COLUMNS_MAX	16
#define CELL_MAX	512

static void
time_text(char *buf, int64_t ms)
{
	char	 text[CIVIL_TEXT_MAX];

	(void)snprintf(buf, CELL_MAX, "%s", civil_format(text, ms));
}

static void
list_text(char *buf, const json_t *j)
{
	size_t		 i, len = 0;
	const char	*one;

	buf[0] = '\0';
	for (i = 0; i < json_array_size(j) && len < CELL_MAX - 1; i++) {
		one = json_string_value(json_array_get(j, i));
		len += (size_t)snprintf(buf + len, CELL_MAX - len, "%s%s",
		    i > 0 ? " " : "", one != NULL ? one : "?");
	}
}

/* "0.50000000" as "0.5". */
static void
cut_zeros(char *buf)
{
	size_t	 len = strlen(buf);

	if (strchr(buf, '.') == NULL)
		return;
	while (len > 0 && buf[len - 1] == '0')
		buf[--len] = '\0';
	if (len > 0 && buf[len - 1] == '.')
		buf[len - 1] = '\0';
}

static void
plain_text(char *buf, const json_t *j)
{
	if (json_is_string(j))
		(void)snprintf(buf, CELL_MAX, "%s", json_string_value(j));
	else if (json_is_integer(j))
		(void)snprintf(buf, CELL_MAX, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(j));
	else if (json_is_boolean(j))
		(void)snprintf(buf, CELL_MAX, "%s", json_is_true(j) ? "yes" :
		    "no");
	else
		buf[0] = '\0';
}

static void
cell(char out[CELL_MAX], const struct term *t, const json_t *row,
    const struct table_column *c)
{
	const json_t	*j = json_object_get(row, c->field);
	char		 raw[CELL_MAX] = "";

	switch (c->as) {
	case TABLE_TEXT:
		plain_text(raw, j);
		break;
	case TABLE_SAT:
		plain_text(raw, j);
		cut_zeros(raw);
		break;
	case TABLE_TIME:
		if (json_is_integer(j))
			time_text(raw, json_integer_value(j));
		break;
	case TABLE_LIST:
		list_text(raw, j);
		break;
	}
	(void)term_safe(t, out, CELL_MAX, raw, strlen(raw));
}

static void
widths(int *out, const struct term *t, const json_t *rows,
    const struct table_column *columns)
{
	char	 text[CELL_MAX];
	size_t	 i;
	int	 k;

	for (k = 0; columns[k].title != NULL; k++) {
		out[k] = (int)strlen(columns[k].title);
		for (i = 0; i < json_array_size(rows); i++) {
			cell(text, t, json_array_get(rows, i), &columns[k]);
			if ((int)strlen(text) > out[k])
				out[k] = (int)strlen(text);
		}
	}
}

void
table_print(const json_t *rows, const struct table_column *columns,
    const char *none)
{
	struct term	 t = term_of(stdout);
	char		 text[CELL_MAX];
	int		 wide[COLUMNS_MAX], k;
	size_t		 i;

	if (json_array_size(rows) == 0) {
		(void)puts(none);
		return;
	}
	widths(wide, &t, rows, columns);
	for (k = 0; columns[k].title != NULL; k++)
		(void)printf("%s%s%-*s%s", k > 0 ? "  " : "",
		    term_style(&t, STYLE_DIM),
		    columns[k + 1].title != NULL ? wide[k] : 0,
		    columns[k].title, term_style(&t, STYLE_PLAIN));
	(void)putchar('\n');
	for (i = 0; i < json_array_size(rows); i++) {
		for (k = 0; columns[k].title != NULL; k++) {
			cell(text, &t, json_array_get(rows, i), &columns[k]);
			(void)printf("%s%-*s", k > 0 ? "  " : "",
			    columns[k + 1].title != NULL ? wide[k] : 0, text);
		}
		(void)putchar('\n');
	}
}

void
table_print_one(const json_t *row, const struct table_column *columns)
{
	struct term	 t = term_of(stdout);
	char		 text[CELL_MAX];
	int		 k, wide = 0;

	for (k = 0; columns[k].title != NULL; k++) {
		if ((int)strlen(columns[k].title) > wide)
			wide = (int)strlen(columns[k].title);
	}
	for (k = 0; columns[k].title != NULL; k++) {
		cell(text, &t, row, &columns[k]);
		if (text[0] != '\0')
			(void)printf("%s%-*s%s  %s\n",
			    term_style(&t, STYLE_DIM), wide,
			    columns[k].title, term_style(&t, STYLE_PLAIN),
			    text);
	}
}
