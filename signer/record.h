/*
 * The payload of a journal's record in bytes.
 *
 * Each kind has its list of fields (record.c), written in the order of that
 * list: varints (wire/bytes.h), hashes as they are, texts with their length,
 * lists with their number first.  Reading is strict: what reads is what would
 * be written, byte for byte.
 */
#ifndef SIGNER_RECORD_H
#define SIGNER_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "signer/journal.h"

#define RECORD_PAYLOAD_MAX	((size_t)1 << 20)
#define RECORD_ID_MAX		64
#define RECORD_BODY_MAX		16384

/* Memory for the lists of one record that is read, to be used again. */
struct record_lists {
	struct outpoint	*in;
	struct record_id *ids;
	struct record_change *change;
	size_t		in_room, ids_room, change_room;
};

bool record_kind_known(unsigned kind);
/* Has it only fields that its kind keeps?  What is not kept would be
 * forgotten by the next start. */
bool record_fits(const struct record *r);
/* How long it will be at most; more than RECORD_PAYLOAD_MAX: too long. */
size_t record_room(const struct record *r);
/* Returns its length. */
size_t record_pack(unsigned char *out, const struct record *r);
/*
 * Everything but seq and running_ms, which are set to 0; texts point into the
 * bytes, lists into `lists`.
 */
enum rc record_unpack(struct record *out, struct record_lists *lists,
    enum record_kind kind, const unsigned char *p, size_t len, struct err *e)
    MUST_CHECK;
void record_lists_free(struct record_lists *l);

#endif
