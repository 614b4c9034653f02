/*
 * What all answers share.
 */
#include "book/answers.h"

#include <string.h>

#include "engine/engine.h"
#include "engine/take.h"

void
answers_error(struct answering *a, int status, int code, const char *why)
{
	a->status = status;
	json_open_object(a->j, NULL);
	if (code != 0) {
		json_put_int(a->j, "code", code);
		json_put_text(a->j, "msg", why);
	} else {
		json_put_text(a->j, "error", why);
	}
	json_close(a->j);
}

void
answers_address(struct answering *a, const char *key, struct text script)
{
	char	 text[ADDRESS_TEXT_MAX] = "";

	if (script.p != NULL)
		(void)address_encode(text, a->net,
		    (const unsigned char *)script.p, script.len);
	json_put_text(a->j, key, text);
}

struct text
answers_ident(struct ident *buf, const struct answering *a, struct text id)
{
	struct text	 t = { (const char *)buf, sizeof(*buf) };

	*buf = take_ident(a->ids, id);
	return t;
}

void
answers_text(struct json *j, const char *key, sqlite3_stmt *q, int column)
{
	struct text	 t = store_text(q, column);

	if (t.p == NULL)
		json_put_null(j, key);
	else
		json_put_bytes(j, key, t.p, t.len);
}

void
answers_ms(struct json *j, const char *key, sqlite3_stmt *q, int column)
{
	if (sqlite3_column_type(q, column) == SQLITE_NULL)
		json_put_null(j, key);
	else
		json_put_int(j, key, sqlite3_column_int64(q, column));
}

/* Only what the enumeration has: which rule it was is nobody's business. */
enum public_reason
answers_reason(int64_t state, int64_t code, int64_t why)
{
	switch ((enum state)state) {
	case STATE_WAITING:
		return code == 1 ? REASON_CODE : REASON_WAITS;
	case STATE_STOPPED:
		return REASON_STOPPED;
	case STATE_HELD:
		return REASON_REVIEW;
	case STATE_DENIED:
		return why == WHY_NONE ? REASON_ADDRESS : REASON_ACCOUNT;
	case STATE_CANCELLED:
		return REASON_CANCELLED;
	case STATE_EXPIRED:
		return REASON_EXPIRED;
	case STATE_RELEASED:
	case STATE_FAILED:
	case STATE_PAID:
		break;
	}
	return REASON_NONE;
}
