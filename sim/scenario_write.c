/*
 * Writing scenarios: a fixed schema, one function a line, through one large
 * buffer and, for names in .zst, through libzstd.
 */
#include "sim/scenario.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/amount.h"

#define BUF_LEN		(256 * 1024)
#define ZSTD_LEVEL	6

struct scenario_writer {
	char		*path;		/* NULL: standard output */
	char		*tmp_path;
	int		 fd;
	ZSTD_CCtx	*zstd;		/* NULL: plain */
	char		*buf;
	size_t		 len;
	char		*packed;
	int64_t		 last_ms;
	bool		 failed;
	struct err	 why;
};

/* Values */

static char *
put_raw(char *p, const char *s)
{
	size_t	 n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

static char *
put_string(char *p, struct text s)
{
	static const char	 hex[] = "0123456789abcdef";
	unsigned char		 c;
	size_t			 i;

	*p++ = '"';
	for (i = 0; i < s.len; i++) {
		c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\') {
			*p++ = '\\';
			*p++ = (char)c;
		} else if (c < 0x20 || c == 0x7f) {
			p = put_raw(p, "\\u00");
			*p++ = hex[c >> 4];
			*p++ = hex[c & 15];
		} else {
			*p++ = (char)c;
		}
	}
	*p++ = '"';
	return p;
}

static char *
put_integer(char *p, int64_t v)
{
	char		 digits[24];
	uint64_t	 u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	int		 n = 0;

	if (v < 0)
		*p++ = '-';
	do
		digits[n++] = (char)('0' + u % 10);
	while ((u /= 10) > 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

static char *
put_amount(char *p, int64_t sat)
{
	uint64_t	 frac = (uint64_t)sat % SAT_PER_BTC;
	int		 i;

	assert(sat >= 0);
	*p++ = '"';
	p = put_integer(p, sat / SAT_PER_BTC);
	*p++ = '.';
	for (i = 7; i >= 0; i--, frac /= 10)
		p[i] = (char)('0' + frac % 10);
	p += 8;
	*p++ = '"';
	return p;
}

/* Keys with their values; absent texts write nothing. */

static char *
key_text(char *p, const char *key, struct text s)
{
	if (s.p == NULL)
		return p;
	*p++ = ',';
	*p++ = '"';
	p = put_raw(p, key);
	*p++ = '"';
	*p++ = ':';
	return put_string(p, s);
}

static char *
key_word(char *p, const char *key, const char *word)
{
	return key_text(p, key, text_of(word));
}

static char *
key_name(char *p, const char *key)
{
	*p++ = ',';
	*p++ = '"';
	p = put_raw(p, key);
	*p++ = '"';
	*p++ = ':';
	return p;
}

static char *
key_amount(char *p, const char *key, int64_t sat)
{
	return put_amount(key_name(p, key), sat);
}

static char *
key_integer(char *p, const char *key, int64_t v)
{
	return put_integer(key_name(p, key), v);
}

static char *
key_bool(char *p, const char *key, bool v)
{
	return put_raw(key_name(p, key), v ? "true" : "false");
}

/* Types with more than a key or two */

static const char *const vias[] = { "api", "web", "mobile", "internal" };
static const char *const whats[] = { "password", "2fa", "email", "phone" };
static const char *const states[] = { "paid", "failed", "cancelled",
	"denied" };

static char *
put_withdraw(char *p, const struct scenario_event *ev)
{
	p = key_text(p, "id", ev->id);
	p = key_text(p, "account", ev->account);
	p = key_word(p, "via", vias[ev->via]);
	p = key_text(p, "address", ev->address);
	p = key_amount(p, "amount", ev->amount_sat);
	p = key_text(p, "key", ev->key);
	if (ev->code != TRI_UNKNOWN)
		p = key_bool(p, "second_factor", ev->code == TRI_YES);
	p = key_text(p, "ip", ev->ip);
	if (ev->label != LABEL_NONE)
		p = key_word(p, "label",
		    ev->label == LABEL_LEGIT ? "legit" : "attack");
	return p;
}

static char *
put_key(char *p, const struct scenario_event *ev)
{
	size_t	 i;

	p = key_text(p, "account", ev->account);
	p = key_text(p, "key", ev->key);
	p = key_bool(p, "withdraw", ev->withdraw);
	p = key_name(p, "ips");
	*p++ = '[';
	for (i = 0; i < ev->n_ips; i++) {
		if (i > 0)
			*p++ = ',';
		p = put_string(p, ev->ips[i]);
	}
	*p++ = ']';
	return key_text(p, "partner", ev->partner);
}

static char *
put_account(char *p, const struct scenario_event *ev)
{
	p = key_text(p, "account", ev->account);
	if (ev->limit_sat >= 0)
		p = key_amount(p, "limit_24h", ev->limit_sat);
	if (ev->tier >= 0)
		p = key_integer(p, "tier", ev->tier);
	return key_text(p, "group", ev->group);
}

static char *
put_fact(char *p, const struct scenario_event *ev)
{
	p = key_text(p, "account", ev->account);
	p = key_text(p, "id", ev->id);
	p = key_text(p, "name", ev->name);
	switch (ev->value_kind) {
	case VALUE_TEXT:
		return key_text(p, "value", ev->value_text);
	case VALUE_INTEGER:
		return key_integer(p, "value", ev->value);
	case VALUE_FLAG:
		return key_bool(p, "value", ev->value != 0);
	}
	return p;
}

static char *
put_login(char *p, const struct scenario_event *ev)
{
	p = key_text(p, "account", ev->account);
	p = key_text(p, "ip", ev->ip);
	if (ev->device_new != TRI_UNKNOWN)
		p = key_word(p, "device",
		    ev->device_new == TRI_YES ? "new" : "known");
	return p;
}

static char *
put_people(char *p, const struct scenario_event *ev)
{
	p = key_text(p, "by", ev->by);
	return key_text(p, "reason", ev->reason);
}

static char *
put_keys(char *p, const struct scenario_event *ev)
{
	switch (ev->type) {
	case SCENARIO_HEADER:
		p = key_integer(p, "version", ev->version);
		return key_word(p, "network", network_text(ev->network));
	case SCENARIO_ACCOUNT:
		return put_account(p, ev);
	case SCENARIO_KEY:
		return put_key(p, ev);
	case SCENARIO_KEY_REVOKE:
		return key_text(p, "key", ev->key);
	case SCENARIO_SECURITY_CHANGE:
		p = key_text(p, "account", ev->account);
		return key_word(p, "what", whats[ev->what]);
	case SCENARIO_LOGIN:
		return put_login(p, ev);
	case SCENARIO_FACT:
		return put_fact(p, ev);
	case SCENARIO_DEPOSIT:
	case SCENARIO_BALANCE:
		p = key_text(p, "account", ev->account);
		return key_amount(p, "amount", ev->amount_sat);
	case SCENARIO_HOT_BALANCE:
	case SCENARIO_FUND:
		return key_amount(p, "amount", ev->amount_sat);
	case SCENARIO_CHAIN_SEEN:
		p = key_text(p, "address", ev->address);
		p = key_integer(p, "first_seen", ev->first_seen_ms);
		return key_amount(p, "received", ev->received_sat);
	case SCENARIO_ADDRESS_ADD:
	case SCENARIO_ADDRESS_REMOVE:
		p = key_text(p, "account", ev->account);
		return key_text(p, "address", ev->address);
	case SCENARIO_WITHDRAW:
		return put_withdraw(p, ev);
	case SCENARIO_OUTCOME:
		p = key_text(p, "id", ev->id);
		return key_word(p, "state", states[ev->paid]);
	case SCENARIO_CANCEL:
		p = key_text(p, "id", ev->id);
		return key_text(p, "reason",
		    ev->not_me ? text_of("not_me") : ev->reason);
	case SCENARIO_RELEASE:
	case SCENARIO_DENY:
		return put_people(key_text(p, "id", ev->id), ev);
	case SCENARIO_FREEZE:
	case SCENARIO_UNFREEZE:
		p = key_text(p, "account", ev->account);
		return put_people(key_text(p, "key", ev->key), ev);
	case SCENARIO_HALT:
	case SCENARIO_RESUME:
		return put_people(p, ev);
	case SCENARIO__COUNT:
		break;
	}
	assert(!"no such type");
	return p;
}

size_t
scenario_line_room(const struct scenario_event *ev)
{
	size_t	 n = ev->account.len + ev->key.len + ev->id.len +
	    ev->address.len + ev->ip.len + ev->by.len + ev->reason.len +
	    ev->group.len + ev->partner.len + ev->name.len +
	    ev->value_text.len, i;

	for (i = 0; i < ev->n_ips; i++)
		n += ev->ips[i].len + 3;
	/* Six bytes for one at worst, and all names and numbers. */
	return n * 6 + 512;
}

size_t
scenario_line(const struct scenario_event *ev, char *buf)
{
	char	*p = put_raw(buf, "{\"type\":\"");

	p = put_raw(p, scenario_type_text(ev->type));
	p = put_raw(p, "\",\"t\":");
	p = put_integer(p, ev->t_ms);
	p = put_keys(p, ev);
	*p++ = '}';
	return (size_t)(p - buf);
}

/* The file */

static enum rc
write_failed(struct scenario_writer *w, const char *what)
{
	if (!w->failed)
		(void)err_set(&w->why, "%s: %s",
		    w->path != NULL ? w->path : "standard output", what);
	w->failed = true;
	return RC_FAILED;
}

static enum rc
write_all(struct scenario_writer *w, const char *p, size_t n)
{
	ssize_t	 did;

	while (n > 0) {
		did = write(w->fd, p, n);
		if (did < 0 && errno == EINTR)
			continue;
		if (did <= 0)
			return write_failed(w, strerror(errno));
		p += did;
		n -= (size_t)did;
	}
	return RC_OK;
}

/* Pass on what the buffer holds; `end` finishes a compressed frame. */
static enum rc
flush(struct scenario_writer *w, bool end)
{
	ZSTD_inBuffer	 in = { w->buf, w->len, 0 };
	ZSTD_outBuffer	 out = { w->packed, BUF_LEN, 0 };
	size_t		 left;

	if (w->failed)
		return RC_FAILED;
	w->len = 0;
	if (w->zstd == NULL)
		return write_all(w, w->buf, in.size);
	do {
		out.pos = 0;
		left = ZSTD_compressStream2(w->zstd, &out, &in,
		    end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return write_failed(w, ZSTD_getErrorName(left));
		if (write_all(w, w->packed, out.pos) != RC_OK)
			return RC_FAILED;
	} while (in.pos < in.size || (end && left > 0));
	return RC_OK;
}

static bool
wants_zstd(const char *path)
{
	size_t	 n = strlen(path);

	return n > 4 && strcmp(path + n - 4, ".zst") == 0;
}

static void
writer_free(struct scenario_writer **wp)
{
	struct scenario_writer	*w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	if (w->path != NULL && w->fd >= 0)
		(void)close(w->fd);
	ZSTD_freeCCtx(w->zstd);
	free(w->path);
	free(w->tmp_path);
	free(w->buf);
	free(w->packed);
	free(w);
}

static enum rc
open_file(struct scenario_writer *w, const char *path, struct err *e)
{
	size_t		 room = strlen(path) + 32;
	struct stat	 st;

	if (strcmp(path, "-") == 0) {
		w->fd = STDOUT_FILENO;
		return RC_OK;
	}
	if ((w->path = strdup(path)) == NULL)
		return err_set(e, "out of memory");
	/* Nothing takes the place of a device or a pipe. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		w->fd = open(path, O_WRONLY | O_CLOEXEC);
		return w->fd >= 0 ? RC_OK :
		    err_set(e, "%s: %s", path, strerror(errno));
	}
	if ((w->tmp_path = malloc(room)) == NULL)
		return err_set(e, "out of memory");
	(void)snprintf(w->tmp_path, room, "%s.tmp.%ld", path, (long)getpid());
	w->fd = open(w->tmp_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0666);
	if (w->fd < 0)
		return err_set(e, "%s: %s", w->tmp_path, strerror(errno));
	return RC_OK;
}

enum rc
scenario_writer_open(struct scenario_writer **out, const char *path,
    struct err *e)
{
	struct scenario_writer	*w = calloc(1, sizeof(*w));

	if (w == NULL)
		return err_set(e, "out of memory");
	w->fd = -1;
	if (open_file(w, path, e) != RC_OK)
		goto failed;
	if ((w->buf = malloc(BUF_LEN)) == NULL ||
	    (w->packed = malloc(BUF_LEN)) == NULL)
		goto memory;
	if (wants_zstd(path)) {
		if ((w->zstd = ZSTD_createCCtx()) == NULL)
			goto memory;
		(void)ZSTD_CCtx_setParameter(w->zstd,
		    ZSTD_c_compressionLevel, ZSTD_LEVEL);
		(void)ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	}
	*out = w;
	return RC_OK;
memory:
	(void)err_set(e, "out of memory");
failed:
	scenario_writer_discard(&w);
	return RC_FAILED;
}

enum rc
scenario_write(struct scenario_writer *w, const struct scenario_event *ev)
{
	size_t	 room = scenario_line_room(ev) + 1;

	assert(ev->t_ms >= w->last_ms);
	w->last_ms = ev->t_ms;
	if (room > BUF_LEN)
		return write_failed(w, "a line is too long");
	if (BUF_LEN - w->len < room && flush(w, false) != RC_OK)
		return RC_FAILED;
	w->len += scenario_line(ev, w->buf + w->len);
	w->buf[w->len++] = '\n';
	return RC_OK;
}

enum rc
scenario_writer_close(struct scenario_writer **wp, struct err *e)
{
	struct scenario_writer	*w = *wp;

	if (flush(w, true) != RC_OK)
		goto failed;
	if (w->tmp_path == NULL) {
		writer_free(wp);
		return RC_OK;
	}
	if (fsync(w->fd) != 0 || rename(w->tmp_path, w->path) != 0) {
		(void)write_failed(w, strerror(errno));
		goto failed;
	}
	writer_free(wp);
	return RC_OK;
failed:
	(void)err_set(e, "%s", w->why.text);
	scenario_writer_discard(wp);
	return RC_FAILED;
}

void
scenario_writer_discard(struct scenario_writer **wp)
{
	struct scenario_writer	*w = *wp;

	if (w != NULL && w->tmp_path != NULL && w->fd >= 0)
		(void)unlink(w->tmp_path);
	writer_free(wp);
}
