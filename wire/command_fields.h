/*
 * What commands are made of, for wire/command*.c alone: one table of fields,
 * one of types.  Checking, packing and unpacking all walk these two.
 */
#ifndef WIRE_COMMAND_FIELDS_H
#define WIRE_COMMAND_FIELDS_H

#include <stdint.h>
#include <string.h>

#include "wire/command.h"

/*
 * A field's number is its bit among the presence bits of a packed command
 * and its place behind them, so none is ever renumbered.  Those that may be
 * absent come first, the commonest of them lowest: seven fit into a byte.
 */
enum command_field {
	F_KEY,
	F_IP,
	F_CODE,
	F_ACCOUNT,
	F_ID,
	F_WITHDRAW,
	F_CIDRS,
	F_SOURCE,
	F_BY,
	F_REASON,
	F_HISTORY,
	F_FACTS,
	F_DEVICE,
	F_LIMIT,
	F_TIER,
	F_GROUP,
	F_PARTNER,
	F_NOT_ME,
	/* From here on: never absent where the type has them. */
	F_SCRIPT,
	F_AMOUNT,
	F_PAYABLE,		/* an amount, not zero */
	F_RECEIVED,
	F_FIRST_SEEN,
	F_VIA,
	F_PAID,
	F_WHAT,
	F_FACT,
	F_HASH,
	F_BODY,
	/* What the service added: may be absent again. */
	F_ORDER,
	F_EXPIRES,
	F_ANSWERS,
	F_PROOF,
	F_BLOB,
	F_KEY_TYPE,
	F_ROLES,
	F_SECRET,
	F_COUNT,
	F_STEP,
	F_WAIT,
	F_NAME,
	F__COUNT
};

enum command_kind {
	KIND_TEXT,		/* a struct text: UTF-8 */
	KIND_BYTES,		/* a struct text: any bytes */
	KIND_NUMBER,		/* an int64_t; negative: absent */
	KIND_WORD,		/* an enum */
	KIND_FLAG,		/* a bool: its presence bit is all */
	KIND_SOURCE,		/* `source` and `n` */
	KIND_FACT,
	KIND_FACTS,
	KIND_HASH,
	KIND_IP,		/* these two lie in the sealed part */
	KIND_CIDRS,
};

struct command_field_def {
	const char	*name;		/* as in drawbridge.scenario(5) */
	size_t		 at;		/* in struct command */
	enum command_kind kind;
	int64_t		 min;		/* of the number or word, or length */
	int64_t		 max;
};
extern const struct command_field_def command_fields[F__COUNT];

/* Sets of fields. */
struct command_type_def {
	const char	*name;
	uint64_t	 must;
	uint64_t	 may;
	uint64_t	 one_of;	/* exactly one of these */
};
extern const struct command_type_def command_types[COMMAND__END];

static inline const void *
command_at(const struct command *c, const struct command_field_def *d)
{
	return (const char *)c + d->at;
}

static inline bool
ip_is_v4(const unsigned char ip[16])
{
	static const unsigned char	 mapped[12] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

/* Those of the set `of` that are given in *c. */
uint64_t command_present(const struct command *c, uint64_t of);

/* command_check() without the question whether fields are there. */
enum rc command_check_fields(const struct command *c, uint64_t fields,
    struct err *e) MUST_CHECK;

#endif
