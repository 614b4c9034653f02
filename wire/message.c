/*
 * Messages in bytes: one table of fields, one of types.
 */
#include "wire/message.h"

#include <assert.h>
#include <string.h>

#include "wire/bytes.h"

enum field_kind { FIELD_TEXT, FIELD_NUMBER, FIELD_WORD, FIELD_IP };

struct field_def {
	const char	*name;
	size_t		 at;
	enum field_kind	 kind;
	int64_t		 max;		/* of a word */
};

#define AT(member)	offsetof(struct message, member)
#define TEXT(member)	{ #member, AT(member), FIELD_TEXT, 0 }
#define NUMBER(member)	{ #member, AT(member), FIELD_NUMBER, 0 }

/* A field's place is its bit; new ones go to the end. */
static const struct field_def fields[] = {
	{ "endpoint", AT(endpoint), FIELD_WORD, ENDPOINT__COUNT - 1 },
	{ "ip", AT(ip), FIELD_IP, 0 },
	NUMBER(status),
	TEXT(key),
	TEXT(account),
	TEXT(body),
	TEXT(open),
	TEXT(sealed),
	TEXT(query),
	TEXT(signature),
	TEXT(target),
	TEXT(when),
	TEXT(code),
	TEXT(id),
	TEXT(ids),
	TEXT(order),
	TEXT(name),
	TEXT(reason),
	TEXT(by),
	NUMBER(number),
	NUMBER(t_ms),
	NUMBER(seq),
	NUMBER(used),
	NUMBER(limit),
	NUMBER(offset),
	NUMBER(from_ms),
	NUMBER(to_ms),
	NUMBER(state),
	NUMBER(retry_s),
	NUMBER(wait_ms),
	{ "key_type", AT(key_type), FIELD_WORD, KEY_TYPE_ED25519 },
	{ "secret", AT(secret), FIELD_WORD, SECRET_LINKS },
};
#define N_FIELDS	(sizeof(fields) / sizeof(fields[0]))

/* Who may say it to whom. */
struct type_def {
	const char	*name;
	uint64_t	 ways;
};
#define WAY(from, to)	(UINT64_C(1) << (ROOM_##from * 8 + ROOM_##to))
#define TO_CHILDREN	(WAY(PARENT, API) | WAY(PARENT, AUTH) |		\
			 WAY(PARENT, ENGINE) | WAY(PARENT, CONSOLE) |	\
			 WAY(PARENT, NOTIFY))
#define TO_PARENT	(WAY(API, PARENT) | WAY(AUTH, PARENT) |		\
			 WAY(ENGINE, PARENT) | WAY(CONSOLE, PARENT) |	\
			 WAY(NOTIFY, PARENT))
#define TO_ENGINE	(WAY(AUTH, ENGINE) | WAY(CONSOLE, ENGINE))
#define CLI_TO_ENGINE	(WAY(CLI, CONSOLE) | WAY(CONSOLE, ENGINE))
#define CLI_TO_AUTH	(WAY(CLI, CONSOLE) | WAY(CONSOLE, AUTH))

static const struct type_def types[MESSAGE__END] = {
	[MESSAGE_CONFIG] = { "config", TO_CHILDREN },
	[MESSAGE_READY] = { "ready", TO_PARENT },
	[MESSAGE_STOP] = { "stop", TO_CHILDREN },
	[MESSAGE_RELOAD] = { "reload", TO_CHILDREN },
	[MESSAGE_ALIVE] = { "alive", TO_PARENT },
	[MESSAGE_SPOKEN] = { "spoken", WAY(API, AUTH) | WAY(AUTH, API) |
	    WAY(AUTH, ENGINE) | WAY(ENGINE, AUTH) | WAY(CONSOLE, ENGINE) |
	    WAY(ENGINE, CONSOLE) | WAY(CONSOLE, AUTH) | WAY(AUTH, CONSOLE) |
	    WAY(AUTH, NOTIFY) | WAY(NOTIFY, AUTH) | WAY(CLI, CONSOLE) |
	    WAY(CONSOLE, CLI) },
	[MESSAGE_REQUEST] = { "request", WAY(API, AUTH) },
	[MESSAGE_ANSWER] = { "answer", WAY(ENGINE, AUTH) | WAY(AUTH, API) |
	    WAY(ENGINE, CONSOLE) | WAY(AUTH, CONSOLE) | WAY(CONSOLE, CLI) },
	[MESSAGE_TAKE] = { "take", WAY(AUTH, ENGINE) },
	[MESSAGE_TAKE_LINES] = { "take_lines", WAY(AUTH, ENGINE) },
	[MESSAGE_QUERY] = { "query", TO_ENGINE | WAY(CLI, CONSOLE) },
	[MESSAGE_LOAD] = { "load", TO_ENGINE },
	[MESSAGE_TOLD] = { "told", WAY(ENGINE, AUTH) },
	[MESSAGE_LOADED] = { "loaded", WAY(ENGINE, AUTH) |
	    WAY(ENGINE, CONSOLE) },
	[MESSAGE_USED] = { "used", WAY(AUTH, ENGINE) },
	[MESSAGE_NOTICE] = { "notice", WAY(ENGINE, AUTH) },
	[MESSAGE_SEND] = { "send", WAY(AUTH, NOTIFY) },
	[MESSAGE_SENT] = { "sent", WAY(NOTIFY, AUTH) },
	[MESSAGE_ACT] = { "act", CLI_TO_ENGINE | WAY(AUTH, ENGINE) },
	[MESSAGE_PREPARE] = { "prepare", CLI_TO_AUTH },
	[MESSAGE_PREPARED] = { "prepared", WAY(AUTH, CONSOLE) |
	    WAY(CONSOLE, CLI) },
	[MESSAGE_REKEY] = { "rekey", CLI_TO_AUTH },
	[MESSAGE_STATS] = { "stats", WAY(ENGINE, AUTH) | WAY(NOTIFY, AUTH) |
	    WAY(AUTH, API) },
	[MESSAGE_SOCKET] = { "socket", TO_CHILDREN },
	[MESSAGE_CUSTODY] = { "custody", CLI_TO_ENGINE },
};

static const char *const rooms[ROOM__COUNT] = {
	"parent", "api", "auth", "engine", "console", "notify", "cli",
};

const char *
room_text(enum room r)
{
	return rooms[r];
}

bool
message_allowed(enum message_type t, enum room from, enum room to)
{
	_Static_assert(ROOM__COUNT <= 8, "ways have 8 by 8 bits");

	return t > 0 && t < MESSAGE__END &&
	    (types[t].ways >> (from * 8 + to) & 1) != 0;
}

const char *
message_text(enum message_type t)
{
	return t > 0 && t < MESSAGE__END ? types[t].name : "unknown";
}

void
message_clear(struct message *m, enum message_type type, uint64_t tag)
{
	size_t	 i;
	int64_t	 none = -1;

	memset(m, 0, sizeof(*m));
	m->type = type;
	m->tag = tag;
	for (i = 0; i < N_FIELDS; i++) {
		if (fields[i].kind == FIELD_NUMBER)
			memcpy((char *)m + fields[i].at, &none, sizeof(none));
	}
}

static bool
is_there(const struct message *m, const struct field_def *d)
{
	const char	*at = (const char *)m + d->at;
	int64_t		 number;
	unsigned	 word;

	switch (d->kind) {
	case FIELD_TEXT:
		return ((const struct text *)(const void *)at)->p != NULL;
	case FIELD_NUMBER:
		memcpy(&number, at, sizeof(number));
		return number != -1;
	case FIELD_WORD:
		memcpy(&word, at, sizeof(word));
		return word != 0;
	case FIELD_IP:
		return m->has_ip;
	}
	assert(!"a kind");
	return false;
}

size_t
message_room(const struct message *m)
{
	size_t	 n = MESSAGE_HEAD + VARINT_MAX * (1 + N_FIELDS) + 16, i;

	for (i = 0; i < N_FIELDS; i++) {
		if (fields[i].kind == FIELD_TEXT)
			n += ((const struct text *)(const void *)
			    ((const char *)m + fields[i].at))->len;
	}
	return n;
}

static unsigned char *
put_field(unsigned char *p, const struct message *m,
    const struct field_def *d)
{
	const char	*at = (const char *)m + d->at;
	int64_t		 number;
	unsigned	 word;

	switch (d->kind) {
	case FIELD_TEXT:
		return put_text(p, *(const struct text *)(const void *)at);
	case FIELD_NUMBER:
		memcpy(&number, at, sizeof(number));
		return put_signed(p, number);
	case FIELD_WORD:
		memcpy(&word, at, sizeof(word));
		return put_varint(p, word);
	case FIELD_IP:
		memcpy(p, m->ip, sizeof(m->ip));
		return p + sizeof(m->ip);
	}
	assert(!"a kind");
	return p;
}

size_t
message_pack(const struct message *m, unsigned char *out)
{
	unsigned char	*p = out + MESSAGE_HEAD;
	uint64_t	 there = 0;
	size_t		 i;

	for (i = 0; i < N_FIELDS; i++) {
		if (is_there(m, &fields[i]))
			there |= UINT64_C(1) << i;
	}
	p = put_varint(p, there);
	for (; there != 0; there &= there - 1)
		p = put_field(p, m, &fields[__builtin_ctzll(there)]);
	put_le32(out, (uint32_t)(p - out - 4));
	out[4] = (unsigned char)m->type;
	put_le64(out + 5, m->tag);
	return (size_t)(p - out);
}

enum rc
message_len(size_t *out, const unsigned char *p, size_t len, struct err *e)
{
	*out = 0;
	if (len < 4)
		return RC_OK;
	*out = (size_t)get_le32(p) + 4;
	if (*out <= MESSAGE_HEAD || *out > MESSAGE_MAX)
		return err_set(e, "a message of %zu bytes", *out);
	return RC_OK;
}

static void
get_field(struct bytes *b, struct message *m, const struct field_def *d)
{
	char		*at = (char *)m + d->at;
	int64_t		 number;
	uint64_t	 v;
	unsigned	 word;
	struct text	 t;

	switch (d->kind) {
	case FIELD_TEXT:
		t = get_text(b, MESSAGE_MAX);
		memcpy(at, &t, sizeof(t));
		return;
	case FIELD_NUMBER:
		number = get_signed(b);
		if (number == -1)	/* would have been left out */
			b->bad = true;
		memcpy(at, &number, sizeof(number));
		return;
	case FIELD_WORD:
		v = get_varint(b);
		if (v == 0 || v > (uint64_t)d->max) {
			b->bad = true;
			return;
		}
		word = (unsigned)v;
		memcpy(at, &word, sizeof(word));
		return;
	case FIELD_IP:
		t = get_bytes(b, sizeof(m->ip));
		if (!b->bad) {
			memcpy(m->ip, t.p, sizeof(m->ip));
			m->has_ip = true;
		}
		return;
	}
	assert(!"a kind");
}

enum rc
message_unpack(struct message *out, const unsigned char *p, size_t len,
    struct err *e)
{
	struct bytes	 b;
	uint64_t	 there;
	size_t		 whole;
	int		 i;

	if (message_len(&whole, p, len, e) != RC_OK)
		return RC_FAILED;
	if (whole == 0 || whole != len)
		return err_set(e, "a message that is cut off");
	if (p[4] < MESSAGE_CONFIG || p[4] >= MESSAGE__END)
		return err_set(e, "a message of no known type (%d)", p[4]);
	message_clear(out, (enum message_type)p[4], get_le64(p + 5));
	b = bytes_of(p + MESSAGE_HEAD, len - MESSAGE_HEAD);
	there = get_varint(&b);
	if (there >> N_FIELDS != 0)
		return err_set(e, "%s: a field of no known kind",
		    message_text(out->type));
	for (; there != 0; there &= there - 1) {
		i = __builtin_ctzll(there);
		get_field(&b, out, &fields[i]);
		if (b.bad)
			return err_set(e, "%s: `%s`: cut off or not in the "
			    "one form", message_text(out->type),
			    fields[i].name);
	}
	if (b.bad || bytes_left(&b) > 0)
		return err_set(e, "%s: cut off, or bytes too many",
		    message_text(out->type));
	return RC_OK;
}
