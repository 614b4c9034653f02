/*
 * The room that knows who asks.
 *
 *	main.c		the process: links, loading, figures
 *	request.c	a request: key, signature, time, once
 *	apply.c		a withdrawal from the bytes that were signed
 *	queries.c	reads
 *	v1.c		the exchange's door
 *	self*.c		an account's holder, with a second factor
 *	awaited.c	commands whose answer is for us
 *	prepare.c	new secrets, for operators
 *	notices.c	what an account's owner is told
 *	link_pages.c	what the links in it do
 *	rekey.c		another master key, while running
 *	keys.c		who may sign
 *	params.c verify.c repeat.c publickey.c vault.c ...
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/keys.h"
#include "auth/params.h"
#include "auth/repeat.h"
#include "auth/vault.h"
#include "auth/verify.h"
#include "bitcoin/address.h"
#include "lib/config.h"
#include "link/channel.h"
#include "link/process.h"
#include "wire/command.h"
#include "wire/message.h"

#define PENDING_MAX	65536		/* requests that the engine has */
#define SLOW_MAX	512		/* signatures that wait for a thread */

struct pending {
	uint64_t	tag;		/* ours; 0: free */
	uint64_t	theirs;
	enum room	to;		/* api or console; auth: awaited.h */
	uint64_t	link;
	int64_t		used;		/* weight to tell; -1: none */
};

struct figures {
	uint64_t	accepted, refused, replayed, slow, codes_wrong;
};

struct accounts;		/* secrets.h: seconds factors and contacts */
struct weights;			/* weights.h: weights of accounts */

struct auth {
	struct process	process;
	struct vault	*vault;
	struct keys	*keys;
	struct repeat	*repeat;
	struct weights	*weights;
	struct accounts	*accounts;
	struct channel	*to[ROOM__COUNT];
	uint64_t	link[ROOM__COUNT];
	uint64_t	links;
	struct pending	pending[PENDING_MAX];
	uint64_t	tags;
	int		slow;		/* under way */
	bool		loaded;
	int64_t		start_ms;	/* nothing signed before is taken */
	int64_t		last_ms;	/* given last: it never goes back */
	int64_t		last_mono_ms;	/* when: it never stands still */
	enum network	network;
	char		deployment[33];
	struct figures	figures;
	uv_timer_t	figures_timer;
};

/* Milliseconds: the wall clock, never back; and the monotonic one. */
int64_t auth_now_ms(struct auth *a);
int64_t auth_mono_ms(void);

/* One request under way. */
struct request {
	struct auth	*a;
	const struct message *m;	/* good until the handler returns; of a
					 * slow one, a copy's */
	uint64_t	link;		/* of api, when it came */
	struct params	params;
	struct verify	verify;
	char		key_id[COMMAND_NAME_MAX + 1];
	unsigned char	hash[32];	/* of the message that verified */
	int64_t		timestamp_us, window_us;
	int64_t		used;		/* weight so far */
	/* Who asks, once it is clear. */
	const struct key *key;
};

/* Answer api. */
void auth_answer(struct auth *a, uint64_t tag, int status, struct text body,
    int64_t retry_s);
/* {"code":..,"msg":..}; the reason for the owner goes to the log. */
void auth_error(const struct request *r, int status, int code,
    const char *msg);
void auth_named_error(const struct request *r, int code, const char *msg,
    struct text name);

/*
 * Hand a command or question to the engine; its answer goes back to who
 * asked under `tag`.  False: the engine is away, and that was answered.
 */
bool auth_take(struct auth *a, enum room to, uint64_t tag, int64_t used,
    enum endpoint endpoint, struct text account, const struct command *c);
bool auth_query(struct auth *a, enum room to, uint64_t tag, int64_t used,
    const struct message *q);
/* To ROOM_AUTH: the answer goes to awaited.h, under `tag`. */

/* request.c: REQUEST of the customers' door. */
void request_begin(struct auth *a, const struct message *m);
/* After the signature was found good: permissions, once, and on. */
void request_accepted(struct request *r);
/* Its signature is verified on another thread; then `then` on this one with
 * a copy, which is freed after it. */
void request_slow(struct request *r,
    void (*then)(struct request *r, bool good));
/* The account's holder reads the true reason; the wire says -2015. */
void request_reject(const struct request *r, const char *why);
/* A key of the customers' door, or answered. */
bool request_find_key(struct request *r);
/* Not expired, and from its networks; answers if not. */
bool request_may(struct request *r);
/* For the key's owner: when and from where it was used. */
void request_used(struct request *r);
/* Is this message new?  Answers if not. */
bool request_once(struct request *r);
/* SHA-256 of key, endpoint and message. */
void request_hash(struct request *r, const char *message, size_t len);

/* apply.c, queries.c */
void apply_request(struct request *r);
void queries_request(struct request *r);
/* self.c, link_pages.c, notices.c, prepare.c, rekey.c, v1.c */
void self_request(struct auth *a, const struct message *m);
void link_request(struct auth *a, const struct message *m);
void notice_told(struct auth *a, const struct message *m);
void prepare_request(struct auth *a, const struct message *m);
void rekey_request(struct auth *a, const struct message *m);
void v1_request(struct auth *a, const struct message *m);
/* v1_act.c: an operator's command that he signed himself. */
void v1_act_request(struct auth *a, const struct message *m);
/* What the journal has of second factors and contacts. */
void secrets_told(struct auth *a, const struct command *c, uint64_t seq);

#endif
