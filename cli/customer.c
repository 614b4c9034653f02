/*
 * libcurl speaks HTTP; the signature is the reference's.
 */
#include "cli/customer.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX	16384
#define PATH_APPLY	"/sapi/v1/capital/withdraw/apply"

struct customer {
	CURL		*curl;
	char		url[256];
	char		answer[ANSWER_MAX];
	size_t		len;
};

static size_t
take(char *p, size_t size, size_t n, void *ctx)
{
	struct customer	*c = ctx;

	n *= size;
	if (n > sizeof(c->answer) - c->len)
		return 0;
	memcpy(c->answer + c->len, p, n);
	c->len += n;
	return n;
}

enum rc
customer_new(struct customer **out, const char *url, struct err *e)
{
	struct customer	*c = calloc(1, sizeof(*c));

	if (c == NULL || curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK ||
	    (c->curl = curl_easy_init()) == NULL) {
		free(c);
		return err_set(e, "libcurl does not start");
	}
	(void)snprintf(c->url, sizeof(c->url), "%s%s", url, PATH_APPLY);
	*out = c;
	return RC_OK;
}

void
customer_free(struct customer **c)
{
	if (*c != NULL)
		curl_easy_cleanup((*c)->curl);
	free(*c);
	*c = NULL;
}

/* All values are of letters, digits, `.` and `-`: nothing to escape. */
static void
sign(char *buf, size_t room, const struct customer_ask *a)
{
	unsigned char			 mac[32];
	char				 hex[65];
	crypto_auth_hmacsha256_state	 st;
	size_t				 n;

	n = (size_t)snprintf(buf, room, "coin=BTC&address=%s&amount=%s%s%s"
	    "&timestamp=%" PRId64, a->address, a->amount, a->order != NULL ?
	    "&withdrawOrderId=" : "", a->order != NULL ? a->order : "",
	    a->t_ms);
	(void)crypto_auth_hmacsha256_init(&st,
	    (const unsigned char *)a->secret, strlen(a->secret));
	(void)crypto_auth_hmacsha256_update(&st, (unsigned char *)buf, n);
	(void)crypto_auth_hmacsha256_final(&st, mac);
	(void)sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
	(void)snprintf(buf + n, room - n, "&signature=%s", hex);
	sodium_memzero(&st, sizeof(st));
}

static struct curl_slist *
heads(const struct customer_ask *a)
{
	struct curl_slist	*l = NULL;
	char			 line[256];

	(void)snprintf(line, sizeof(line), "X-MBX-APIKEY: %s", a->api_key);
	l = curl_slist_append(l, line);
	if (a->code != NULL) {
		(void)snprintf(line, sizeof(line), "Drawbridge-Code: %s",
		    a->code);
		l = curl_slist_append(l, line);
	}
	if (a->from != NULL)
		l = curl_slist_append(l, a->from);
	return l;
}

enum rc
customer_withdraw(struct customer *c, const struct customer_ask *a,
    int *status_out, json_t **answer_out, struct err *e)
{
	struct curl_slist	*head = heads(a);
	char			 body[1024];
	long			 status = 0;
	CURLcode		 r;

	sign(body, sizeof(body), a);
	c->len = 0;
	/* Who speaks for others is another machine than its customers; on
	 * one machine, another of its own addresses. */
	(void)curl_easy_setopt(c->curl, CURLOPT_INTERFACE, a->from != NULL ?
	    "host!" CUSTOMER_PROXY : NULL);
	(void)curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(c->curl, CURLOPT_URL, c->url);
	(void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, head);
	(void)curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
	(void)curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	(void)curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, 20L);
	r = curl_easy_perform(c->curl);
	curl_slist_free_all(head);
	if (r != CURLE_OK)
		return err_set(e, "%s: %s", c->url, curl_easy_strerror(r));
	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	*status_out = (int)status;
	*answer_out = json_loadb(c->answer, c->len, 0, NULL);
	return *answer_out != NULL ? RC_OK : err_set(e, "%s: the answer is "
	    "not JSON", c->url);
}
