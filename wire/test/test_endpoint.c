/*
 * Where requests go.
 */
#include "wire/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "tests/check.h"

static struct text	 part;
static bool		 known;

static enum endpoint
find(const char *method, const char *path)
{
	part = text_of(NULL);
	known = false;
	return endpoint_find(text_of(method), text_of(path), &part, &known);
}

/* The path with every `*` as "x1". */
static const char *
filled(const char *path)
{
	static char	 buf[256];
	size_t		 n = 0;

	for (; *path != '\0' && n < sizeof(buf) - 3; path++) {
		if (*path == '*') {
			buf[n++] = 'x';
			buf[n++] = '1';
		} else {
			buf[n++] = *path;
		}
	}
	buf[n] = '\0';
	return buf;
}

static void
test_all(void)
{
	const struct endpoint_def	*d;
	int				 i, k;

	check_case("each is found by its method and path");
	for (i = 1; i < ENDPOINT__COUNT; i++) {
		d = &endpoints[i];
		if (!CHECK(d->name != NULL))
			continue;
		if (d->method == NULL) {
			CHECK(d->path == NULL || d->security ==
			    SECURITY_LOCAL);
			continue;
		}
		CHECK_INT(find(d->method, filled(d->path)), i);
		CHECK((part.p != NULL) == (strchr(d->path, '*') != NULL));
		if (part.p != NULL)
			CHECK(part.len == 2 && memcmp(part.p, "x1", 2) == 0);
		if (d->alias != NULL)
			CHECK_INT(find(d->method, filled(d->alias)), i);
	}

	check_case("none is there twice, and each has a weight");
	for (i = 1; i < ENDPOINT__COUNT; i++) {
		for (k = 1; k < i; k++) {
			CHECK(strcmp(endpoints[i].name,
			    endpoints[k].name) != 0);
			CHECK(endpoints[i].method == NULL ||
			    endpoints[k].method == NULL ||
			    strcmp(endpoints[i].method,
			    endpoints[k].method) != 0 ||
			    strcmp(endpoints[i].path,
			    endpoints[k].path) != 0);
		}
		CHECK(endpoints[i].method == NULL || endpoints[i].weight > 0);
	}
}

static void
test_nowhere(void)
{
	char	 path[200];

	check_case("the wrong method is known, a wrong path is not");
	CHECK_INT(find("DELETE", "/api/v3/ping"), ENDPOINT_NONE);
	CHECK(known);
	CHECK_INT(find("GET", "/api/v3/pin"), ENDPOINT_NONE);
	CHECK(!known);
	CHECK_INT(find("GET", "/api/v3/ping/"), ENDPOINT_NONE);
	CHECK_INT(find("get", "/api/v3/ping"), ENDPOINT_NONE);
	CHECK_INT(find("GET", "/api/v3/PING"), ENDPOINT_NONE);
	CHECK_INT(find("GET", ""), ENDPOINT_NONE);
	CHECK_INT(find("", "/api/v3/ping"), ENDPOINT_NONE);
	CHECK_INT(find("GET", "//api/v3/ping"), ENDPOINT_NONE);

	check_case("a part: not empty, one, and 64 bytes at most");
	CHECK_INT(find("GET", "/v1/withdrawals/abc"),
	    ENDPOINT_V1_WITHDRAWAL);
	CHECK(part.len == 3);
	CHECK_INT(find("GET", "/v1/withdrawals/"), ENDPOINT_NONE);
	CHECK_INT(find("GET", "/v1/withdrawals/a/b"), ENDPOINT_NONE);
	memset(path, 'a', sizeof(path));
	memcpy(path, "/v1/withdrawals/", 16);
	path[16 + 64] = '\0';
	CHECK_INT(find("GET", path), ENDPOINT_V1_WITHDRAWAL);
	path[16 + 64] = 'a';
	path[16 + 65] = '\0';
	CHECK_INT(find("GET", path), ENDPOINT_NONE);
}

int
main(void)
{
	test_all();
	test_nowhere();
	return check_done();
}
