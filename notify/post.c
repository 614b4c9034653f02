/*
 * libcurl does the talking.
 */
#include "notify/post.h"

#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define LINE_LEN	76		/* of base64, RFC 2045 */

enum rc
post_begin(struct err *e)
{
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return err_set(e, "libcurl does not start");
	return sodium_init() < 0 ? err_set(e, "libsodium does not start") :
	    RC_OK;
}

bool
post_is_address(const char *to)
{
	const char	*p;
	int		 at = 0;

	for (p = to; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || strchr("<>()[],;:\\\"", *p) !=
		    NULL)
			return false;
		at += *p == '@';
	}
	return at == 1 && to[0] != '@' && p > to && p[-1] != '@' &&
	    p - to <= 254;
}

bool
post_is_line(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

/* base64 in lines. */
static size_t
encode(char *out, size_t room, const char *text)
{
	char	 flat[LINE_LEN + 1];
	size_t	 len = strlen(text), n, used = 0;

	while (len > 0) {
		n = len < LINE_LEN / 4 * 3 ? len : LINE_LEN / 4 * 3;
		(void)sodium_bin2base64(flat, sizeof(flat),
		    (const unsigned char *)text, n,
		    sodium_base64_VARIANT_ORIGINAL);
		if (used + LINE_LEN + 3 > room)
			return 0;
		used += (size_t)snprintf(out + used, room - used, "%s\r\n",
		    flat);
		text += n;
		len -= n;
	}
	return used;
}

size_t
post_message(char *out, size_t room, const char *from, const char *to,
    const char *subject, const char *text, const char *id, const char *date)
{
	char	 title[512];
	size_t	 head, body;
	int	 n;

	if (strlen(subject) > 300)
		return 0;
	(void)sodium_bin2base64(title, sizeof(title),
	    (const unsigned char *)subject, strlen(subject),
	    sodium_base64_VARIANT_ORIGINAL);
	n = snprintf(out, room, "Date: %s\r\nFrom: %s\r\nTo: %s\r\n"
	    "Subject: =?UTF-8?B?%s?=\r\nMessage-ID: <%s@drawbridge>\r\n"
	    "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=UTF-8\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n", date, from, to,
	    title, id);
	if (n < 0 || (size_t)n >= room)
		return 0;
	head = (size_t)n;
	body = encode(out + head, room - head, text);
	return body == 0 ? 0 : head + body;
}

/* libcurl */

struct reading {
	const char	*p;
	size_t		 left;
};

static size_t
give(char *to, size_t size, size_t n, void *ctx)
{
	struct reading	*r = ctx;
	size_t		 take = size * n < r->left ? size * n : r->left;

	memcpy(to, r->p, take);
	r->p += take;
	r->left -= take;
	return take;
}

static size_t
drop(char *p, size_t size, size_t n, void *ctx)
{
	(void)p;
	(void)ctx;
	return size * n;
}

static enum rc
perform(CURL *c, const char *where, struct err *e)
{
	CURLcode	 r;

	(void)curl_easy_setopt(c, CURLOPT_URL, where);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, POST_TIMEOUT_S);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
	r = curl_easy_perform(c);
	return r == CURLE_OK ? RC_OK : err_set(e, "%s: %s", where,
	    curl_easy_strerror(r));
}

enum rc
post_mail(const char *server, const char *from, const char *to,
    const char *message, struct err *e)
{
	struct reading		 r = { message, strlen(message) };
	struct curl_slist	*rcpt = curl_slist_append(NULL, to);
	CURL			*c = curl_easy_init();
	enum rc			 rc;

	if (c == NULL || rcpt == NULL) {
		rc = err_set(e, "no memory");
	} else {
		(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR,
		    "smtp,smtps");
		(void)curl_easy_setopt(c, CURLOPT_MAIL_FROM, from);
		(void)curl_easy_setopt(c, CURLOPT_MAIL_RCPT, rcpt);
		(void)curl_easy_setopt(c, CURLOPT_USE_SSL,
		    (long)CURLUSESSL_TRY);
		(void)curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
		(void)curl_easy_setopt(c, CURLOPT_READDATA, &r);
		rc = perform(c, server, e);
	}
	curl_slist_free_all(rcpt);
	curl_easy_cleanup(c);
	return rc;
}

static void
sign(char out[160], const char *json, const char *secret, size_t secret_len,
    long now_s)
{
	unsigned char	 mac[32];
	char		 hex[65], time_[32];
	size_t		 n = (size_t)snprintf(time_, sizeof(time_), "%ld.",
	    now_s);
	crypto_auth_hmacsha256_state	 st;

	(void)crypto_auth_hmacsha256_init(&st,
	    (const unsigned char *)secret, secret_len);
	(void)crypto_auth_hmacsha256_update(&st, (unsigned char *)time_, n);
	(void)crypto_auth_hmacsha256_update(&st, (const unsigned char *)json,
	    strlen(json));
	(void)crypto_auth_hmacsha256_final(&st, mac);
	(void)sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
	(void)snprintf(out, 160, "Drawbridge-Signature: t=%ld,v1=%s", now_s,
	    hex);
	sodium_memzero(&st, sizeof(st));
}

static enum rc
answer(CURL *c, const char *url, struct err *e)
{
	long	 status = 0;

	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status <= 299 ? RC_OK :
	    err_set(e, "%s: answered %ld", url, status);
}

enum rc
post_hook(const char *url, const char *json, const char *secret,
    size_t secret_len, long now_s, struct err *e)
{
	struct curl_slist	*head;
	char			 signature[160];
	CURL			*c = curl_easy_init();
	enum rc			 rc;

	head = curl_slist_append(NULL, "Content-Type: application/json");
	if (secret_len > 0) {
		sign(signature, json, secret, secret_len, now_s);
		head = curl_slist_append(head, signature);
	}
	if (c == NULL || head == NULL) {
		rc = err_set(e, "no memory");
	} else {
		(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR,
		    "http,https");
		(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, head);
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, json);
		if ((rc = perform(c, url, e)) == RC_OK)
			rc = answer(c, url, e);
	}
	curl_slist_free_all(head);
	curl_easy_cleanup(c);
	return rc;
}
