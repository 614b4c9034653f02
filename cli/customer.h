/*
 * A customer's program, in small: requests at the customers' door, signed
 * with an HMAC key, over one connection that is kept.
 */
#ifndef CLI_CUSTOMER_H
#define CLI_CUSTOMER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

/* The address of the proxy that a demo's configuration lists, so that all
 * who come from 127.0.0.1 need no header and are believed none. */
#define CUSTOMER_PROXY	"127.0.0.2"

struct customer;

/* `url` as http://127.0.0.1:8080. */
enum rc customer_new(struct customer **out, const char *url, struct err *e)
    MUST_CHECK;
void customer_free(struct customer **c);

struct customer_ask {
	const char	*api_key;
	const char	*secret;
	const char	*address;
	const char	*amount;
	const char	*order;		/* withdrawOrderId; may be NULL */
	const char	*code;		/* a second factor; may be NULL */
	/* What a proxy would say of the client's address: "Name: value"; may
	 * be NULL.  It is then said from CUSTOMER_PROXY. */
	const char	*from;
	int64_t		t_ms;		/* the timestamp */
};

/* POST withdraw/apply.  *status_out is HTTP's; the answer is the caller's. */
enum rc customer_withdraw(struct customer *c, const struct customer_ask *a,
    int *status_out, json_t **answer_out, struct err *e) MUST_CHECK;

#endif
