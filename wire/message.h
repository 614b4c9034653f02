/*
 * Messages between processes: all of them, defined once.
 *
 * Processes talk over socket pairs that drawbridged made before they were
 * locked in.  A message is a frame: its length, its type, a tag that the
 * answer carries back, and the fields that are there.  Every type says which
 * room may send it to which other: whoever receives looks there before it
 * does anything else, so that an owned process can say no more than its room
 * may (lib/channel.h does it for all).
 *
 *	frame	le32: bytes that follow; type, a byte; le64: tag; varint:
 *		which fields are there; the fields, in order of enum
 *		message_field, as wire/bytes.h writes them
 *
 * Packing is canonical and reading strict, as with commands.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"
#include "wire/endpoint.h"
#include "wire/words.h"

/* Raise it when anything here or in a message's meaning changes: processes
 * of two versions do not talk. */
#define MESSAGE_VERSION	2

/* Who is at the other end. */
enum room {
	ROOM_PARENT,
	ROOM_API,
	ROOM_AUTH,
	ROOM_ENGINE,
	ROOM_CONSOLE,
	ROOM_NOTIFY,
	ROOM_CLI,		/* a program at the local socket */
	ROOM__COUNT
};
const char *room_text(enum room r);

enum message_type {
	/* From drawbridged and back. */
	MESSAGE_CONFIG = 1,	/* body: the configuration, lib/config.h; the
				 * first message of all */
	MESSAGE_READY,		/* a child works */
	MESSAGE_STOP,		/* finish what is under way, and end */
	MESSAGE_RELOAD,		/* body: the configuration again */
	MESSAGE_ALIVE,		/* a child's loop turns */
	MESSAGE_SPOKEN,		/* the first on every other channel: version in
				 * `number` */
	/* A customer's or an exchange's request. */
	MESSAGE_REQUEST,	/* api > auth: endpoint, ip, key, when,
				 * signature, target, query, body, id (what
				 * stood for `*`), code: as received */
	MESSAGE_ANSWER,		/* back: status, body, retry_s, used, limit;
				 * name: the content type, if not JSON */
	MESSAGE_TAKE,		/* auth > engine: endpoint, and a packed command
				 * in open, sealed; account; time is the
				 * engine's */
	MESSAGE_TAKE_LINES,	/* auth > engine: /v1/facts: body holds
				 * commands, each open and sealed as texts */
	MESSAGE_QUERY,		/* > engine: endpoint, account, and what to look
				 * for; answered in JSON */
	/* What auth must know of the journal. */
	MESSAGE_LOAD,		/* auth > engine: tell me all */
	MESSAGE_TOLD,		/* back: a command about accounts, keys,
				 * secrets, operators; now and whenever there
				 * is one, durable: open, sealed, seq */
	MESSAGE_LOADED,		/* back: that was all; t_ms: the time of the
				 * journal; name: the deployment, hex; number:
				 * the network; limit: demo */
	MESSAGE_USED,		/* auth > engine: key, ip, t_ms: it was used;
				 * not journaled */
	/* Notices. */
	MESSAGE_NOTICE,		/* engine > auth: account, name (of the event),
				 * id, reason, t_ms, amount in number, seq */
	MESSAGE_SEND,		/* auth > notify: name: "mail", "sms", "hook";
				 * target: to whom; reason: subject; body; id */
	MESSAGE_SENT,		/* back: status 0, or why not in reason */
	/* Operators, through the local socket. */
	MESSAGE_ACT,		/* cli > console > engine, auth > engine: a
				 * packed command in open, sealed; by; t_ms:
				 * good until; answers in number; signature.
				 * Without a signature only what tightens */
	MESSAGE_PREPARE,	/* cli > console > auth: endpoint SELF_*: make a
				 * secret: account, key_type, secret_kind, blob
				 * in body (a public key) */
	MESSAGE_PREPARED,	/* back: status; key, signature: the secret, to
				 * be shown once; open: the sealed blob; body:
				 * what a person gets (otpauth URI, codes);
				 * reason: why not */
	MESSAGE_REKEY,		/* cli > console > auth: the new master key has
				 * been put in place */
	/* Figures, one "name value" a line in body: on their way to api. */
	MESSAGE_STATS,
	MESSAGE_SOCKET,		/* parent > child, with an open socket: what it
				 * is for in `status` (enum process_socket of
				 * link/process.h), for a link the room at its
				 * other end in `number` */
	MESSAGE_CUSTODY,	/* cli > console > engine: about our own signer;
				 * name: what, engine/process/custody.h; id,
				 * body; answered in JSON */
	MESSAGE__END
};

/* Which room may say it to which: a set of pairs, bit from * 8 + to. */
bool message_allowed(enum message_type t, enum room from, enum room to);
const char *message_text(enum message_type t);

#define MESSAGE_MAX	((size_t)16 << 20)	/* bytes of a frame */
#define MESSAGE_HEAD	13			/* le32, type, le64 */

/*
 * One message.  Which fields count depends on the type, as above; all others
 * are absent (texts NULL, numbers -1, words 0).  Nothing in here is owned.
 */
struct message {
	enum message_type type;
	uint64_t	tag;
	enum endpoint	endpoint;
	bool		has_ip;
	unsigned char	ip[16];
	int64_t		status;		/* of HTTP; or 0 */
	int64_t		number;
	int64_t		t_ms;
	int64_t		seq;
	int64_t		used;		/* weight used, to tell */
	int64_t		limit;		/* query: how many at most */
	int64_t		offset;
	int64_t		from_ms, to_ms;	/* query */
	int64_t		state;		/* query: Binance's status */
	int64_t		retry_s;	/* Retry-After */
	int64_t		wait_ms;	/* query: how long for something new */
	enum key_type	key_type;
	enum secret_kind secret;
	struct text	key;		/* an API key as received, or its id */
	struct text	when;		/* Drawbridge-Time */
	struct text	signature;
	struct text	code;		/* a second factor */
	struct text	target;
	struct text	query;
	struct text	body;
	struct text	account;
	struct text	id;
	struct text	ids;		/* query: several, with commas */
	struct text	order;		/* withdrawOrderId */
	struct text	name;
	struct text	reason;
	struct text	by;
	struct text	open;		/* of a packed command */
	struct text	sealed;
};

void message_clear(struct message *m, enum message_type type, uint64_t tag);

/* Bytes that packing needs at most. */
size_t message_room(const struct message *m);
/* A whole frame; returns its length. */
size_t message_pack(const struct message *m, unsigned char *out);

/*
 * How long the frame is that begins here: 0 while fewer than four bytes are
 * there; RC_FAILED when it is too long or too short to be one.
 */
enum rc message_len(size_t *out, const unsigned char *p, size_t len,
    struct err *e) MUST_CHECK;
/* A whole frame of message_len() bytes.  Texts point into it. */
enum rc message_unpack(struct message *out, const unsigned char *p,
    size_t len, struct err *e) MUST_CHECK;

#endif
