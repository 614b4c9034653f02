#include "lib/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "lib/amount.h"

void
json_to_file(struct json *j, FILE *file, bool pretty)
{
	memset(j, 0, offsetof(struct json, chunk));
	j->file = file;
	j->out = j->chunk;
	j->room = sizeof(j->chunk);
	j->pretty = pretty;
}

void
json_to_memory(struct json *j, char *buf, size_t room)
{
	assert(room > 0);
	memset(j, 0, offsetof(struct json, chunk));
	j->out = buf;
	j->room = room - 1;
}

static void
flush(struct json *j)
{
	if (j->file == NULL) {
		j->failed = true;
		return;
	}
	if (fwrite(j->out, 1, j->len, j->file) != j->len)
		j->failed = true;
	j->len = 0;
}

static void
put(struct json *j, const char *bytes, size_t len)
{
	size_t	 n;

	while (len > 0 && !j->failed) {
		if (j->len == j->room) {
			flush(j);
			continue;
		}
		n = j->room - j->len < len ? j->room - j->len : len;
		memcpy(j->out + j->len, bytes, n);
		j->len += n;
		bytes += n;
		len -= n;
	}
}

static void
put_char(struct json *j, char c)
{
	if (j->len < j->room)
		j->out[j->len++] = c;
	else
		put(j, &c, 1);
}

static void
new_line(struct json *j)
{
	int	 i;

	put_char(j, '\n');
	for (i = 0; i < j->depth; i++)
		put(j, "  ", 2);
}

/*
 * How many bytes the UTF-8 character at s takes (RFC 3629: neither overlong
 * nor a surrogate nor beyond U+10FFFF), 0 when there is none.
 */
static size_t
utf8_len(const unsigned char *s, size_t len)
{
	size_t		 n, i;
	unsigned	 low = 0x80, high = 0xbf;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (len < n || s[1] < low || s[1] > high)
		return 0;
	for (i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

static void
put_escape(struct json *j, unsigned char c)
{
	static const char	 hex[] = "0123456789abcdef";
	static const char	 plain[] = "\"\\\b\f\n\r\t";
	static const char	 letter[] = "\"\\bfnrt";
	const char		*p = c != '\0' ? strchr(plain, c) : NULL;

	put_char(j, '\\');
	if (p != NULL) {
		put_char(j, letter[p - plain]);
		return;
	}
	put(j, "u00", 3);
	put_char(j, hex[c >> 4]);
	put_char(j, hex[c & 15]);
}

static void
put_string(struct json *j, const char *text, size_t len)
{
	const unsigned char	*s = (const unsigned char *)text;
	size_t			 i = 0, from = 0, n;

	put_char(j, '"');
	while (i < len) {
		if (s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' &&
		    s[i] != '\\') {
			i++;
			continue;
		}
		n = utf8_len(s + i, len - i);
		if (n > 1) {
			i += n;
			continue;
		}
		put(j, text + from, i - from);
		if (n == 1)
			put_escape(j, s[i]);
		else
			put(j, "\xef\xbf\xbd", 3);
		from = ++i;
	}
	put(j, text + from, len - from);
	put_char(j, '"');
}

/* What stands before a value: a comma, a new line, its key. */
static void
begin_value(struct json *j, const char *key)
{
	if (j->depth > 0) {
		if (!j->empty[j->depth - 1])
			put_char(j, ',');
		j->empty[j->depth - 1] = false;
		if (j->pretty)
			new_line(j);
	}
	assert((key != NULL) == (j->depth > 0 &&
	    j->ends[j->depth - 1] == '}'));
	if (key == NULL)
		return;
	put_string(j, key, strlen(key));
	put_char(j, ':');
	if (j->pretty)
		put_char(j, ' ');
}

static void
open_value(struct json *j, const char *key, char begin, char end)
{
	begin_value(j, key);
	assert(j->depth < JSON_DEPTH_MAX);
	put_char(j, begin);
	j->ends[j->depth] = end;
	j->empty[j->depth++] = true;
}

void
json_open_object(struct json *j, const char *key)
{
	open_value(j, key, '{', '}');
}

void
json_open_array(struct json *j, const char *key)
{
	open_value(j, key, '[', ']');
}

void
json_close(struct json *j)
{
	assert(j->depth > 0);
	j->depth--;
	if (j->pretty && !j->empty[j->depth])
		new_line(j);
	put_char(j, j->ends[j->depth]);
}

void
json_put_text(struct json *j, const char *key, const char *text)
{
	json_put_bytes(j, key, text, strlen(text));
}

void
json_put_bytes(struct json *j, const char *key, const char *text, size_t len)
{
	begin_value(j, key);
	put_string(j, text, len);
}

void
json_put_int(struct json *j, const char *key, int64_t value)
{
	char	 buf[24];
	int	 n = snprintf(buf, sizeof(buf), "%" PRId64, value);

	begin_value(j, key);
	put(j, buf, (size_t)n);
}

void
json_put_uint(struct json *j, const char *key, uint64_t value)
{
	char	 buf[24];
	int	 n = snprintf(buf, sizeof(buf), "%" PRIu64, value);

	begin_value(j, key);
	put(j, buf, (size_t)n);
}

void
json_put_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	if (value)
		put(j, "true", 4);
	else
		put(j, "false", 5);
}

void
json_put_null(struct json *j, const char *key)
{
	begin_value(j, key);
	put(j, "null", 4);
}

void
json_put_sat(struct json *j, const char *key, int64_t sat)
{
	char	 buf[AMOUNT_TEXT_MAX];

	json_put_text(j, key, amount_format(buf, sat));
}

void
json_put_ratio(struct json *j, const char *key, int64_t num, int64_t den,
    int decimals)
{
	__int128	 scaled;
	int64_t		 scale = 1;
	char		 buf[48];
	int		 i, n;

	assert(num >= 0 && den >= 0 && decimals >= 1 && decimals <= 9);
	if (den == 0) {
		json_put_null(j, key);
		return;
	}
	for (i = 0; i < decimals; i++)
		scale *= 10;
	scaled = ((__int128)num * scale * 2 + den) / ((__int128)den * 2);
	n = snprintf(buf, sizeof(buf), "%" PRId64 ".%0*" PRId64,
	    (int64_t)(scaled / scale), decimals, (int64_t)(scaled % scale));
	begin_value(j, key);
	put(j, buf, (size_t)n);
}

void
json_line(struct json *j)
{
	assert(j->depth == 0);
	put_char(j, '\n');
}

enum rc
json_end(struct json *j)
{
	assert(j->depth == 0);
	if (j->file == NULL) {
		j->out[j->len] = '\0';
		return j->failed ? RC_FAILED : RC_OK;
	}
	if (j->len > 0 && j->out[j->len - 1] != '\n')
		put_char(j, '\n');
	flush(j);
	if (fflush(j->file) != 0)
		j->failed = true;
	return j->failed ? RC_FAILED : RC_OK;
}
