/* Reading test vectors: JSON files with a list `cases`. */
#ifndef BITCOIN_TEST_VECTORS_H
#define BITCOIN_TEST_VECTORS_H

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Kept in reach, so that what looks for leaks finds none. */
static json_t *vectors_kept[32];

/* The list of a file, or NULL; the document is kept until exit. */
static inline json_t *
vectors_read(const char *path)
{
	json_error_t	 je;
	json_t		*doc;
	size_t		 i = 0;

	while (vectors_kept[i] != NULL)
		i++;
	doc = json_load_file(path, JSON_ALLOW_NUL, &je);
	vectors_kept[i] = doc;
	return doc == NULL ? NULL : json_object_get(doc, "cases");
}

/* Say that a case was not run because its data is not here. */
static inline void
vectors_skip(const char *name, const char *path)
{
	printf("ok %s # SKIP no %s\n", name, path);
}

static inline const char *
vectors_text(json_t *c, const char *key)
{
	const char	*s = json_string_value(json_object_get(c, key));

	return s != NULL ? s : "";
}

/* Hex to bytes; the number of them. */
static inline size_t
vectors_hex(unsigned char *out, size_t room, const char *hex)
{
	size_t		 n = 0;
	unsigned	 byte;

	while (n < room && hex[2 * n] != '\0' &&
	    sscanf(hex + 2 * n, "%2x", &byte) == 1)
		out[n++] = (unsigned char)byte;
	return n;
}

#endif
