/*
 * What goes out through the network: mail by SMTP, and a webhook.  Both
 * block; they are called on libuv's worker threads.
 */
#ifndef NOTIFY_POST_H
#define NOTIFY_POST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

#define POST_TIMEOUT_S	20L

/* Once, before threads and before the sandbox: libcurl and its TLS. */
enum rc post_begin(struct err *e) MUST_CHECK;

/* An address to which mail can go: one `@`, printable ASCII, no blanks or
 * brackets; nothing that could become another header or recipient. */
bool post_is_address(const char *to);
/* A line of a header: printable, no line ends. */
bool post_is_line(const char *text);

/*
 * A message as RFC 5322 wants it: UTF-8 text as base64, so that no line of
 * it means anything.  Returns the length; 0: no room.
 */
size_t post_message(char *out, size_t room, const char *from, const char *to,
    const char *subject, const char *text, const char *id,
    const char *date);

/* `server`: smtp://HOST:PORT, or smtps://. */
enum rc post_mail(const char *server, const char *from, const char *to,
    const char *message, struct err *e) MUST_CHECK;

/*
 * POST JSON; Drawbridge-Signature: t=SECONDS,v1=HEX, which is HMAC-SHA-256
 * of "SECONDS.BODY" under the secret.  Anything but 2xx failed.
 */
enum rc post_hook(const char *url, const char *json, const char *secret,
    size_t secret_len, long now_s, struct err *e) MUST_CHECK;

#endif
