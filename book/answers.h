/*
 * Questions as JSON.
 */
#ifndef BOOK_ANSWERS_H
#define BOOK_ANSWERS_H

#include "bitcoin/address.h"
#include "book/book.h"
#include "book/project.h"
#include "book/store.h"
#include "lib/json.h"

struct answering {
	struct store_db	*s;
	const struct message *q;
	const struct book_now *now;
	struct json	*j;
	const struct ident_key *ids;
	enum network	 net;
	int64_t		 seq;		/* how far the book is */
	const unsigned char *deployment;	/* 16 */
	const struct keyring *keys;	/* to sign receipts; NULL: none */
	bool		 demo;
	int		 status;	/* 200 unless set */
};

/* Each writes one document. */
void answers_customer(struct answering *a);	/* Binance's reads */
void answers_self(struct answering *a);
void answers_local(struct answering *a);
void answers_exchange(struct answering *a);	/* one, for /v1 */
void answers_health(struct answering *a);
void answers_behind(struct answering *a);	/* body: wire/sign.h entries */

/* Shared. */
void answers_error(struct answering *a, int status, int code,
    const char *why);
void answers_address(struct answering *a, const char *key,
    struct text script);
/* By what a withdrawal is found: points into *buf. */
struct text answers_ident(struct ident *buf, const struct answering *a,
    struct text id);
void answers_text(struct json *j, const char *key, sqlite3_stmt *q,
    int column);
void answers_ms(struct json *j, const char *key, sqlite3_stmt *q,
    int column);		/* null when absent */
enum public_reason answers_reason(int64_t state, int64_t code,
    int64_t why);

#endif
