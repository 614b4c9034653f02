/*
 * Failure, as the caller sees it.
 *
 * Three different things have three idioms here.  A bug is an assert.  A
 * failure is an `enum rc` and a reason in a `struct err`.  A refusal of a
 * withdrawal is neither: it is an answer, see engine/engine.h.
 */
#ifndef LIB_ERR_H
#define LIB_ERR_H

/*
 * RC_UNCERTAIN is a write or a broadcast that may have happened: look it up
 * before repeating it.  It is never treated as RC_FAILED.
 */
enum rc {
	RC_OK = 0,
	RC_FAILED,
	RC_UNCERTAIN,
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

/* One reason, outermost clause first: "withdrawal 7: output 1 repeated". */
struct err {
	char text[1024];
};

/* Set the reason; always returns RC_FAILED.  `e` may be NULL. */
enum rc err_set(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/*
 * Put one more clause in front of the reason when rc is not RC_OK, so that
 * an error names its object.  Returns rc unchanged.
 */
enum rc err_wrap(struct err *e, enum rc rc, const char *fmt, ...) PRINTF(3, 4);

#endif
