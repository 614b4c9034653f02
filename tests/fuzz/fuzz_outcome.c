/*
 * Outcomes from a journal: whatever is read is what packing would have
 * written, byte for byte.  The first bytes say what the command was.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/outcome.h"
#include "engine/test/repack.h"
#include "wire/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OF_LEN	32

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome_record	 r;
	static struct repack		 k;
	static unsigned char		 again[OUTCOME_ROOM];
	struct outcome_of		 of;
	const unsigned char		*p = data + OF_LEN, *from;
	struct err			 e = { "" };
	size_t				 len;

	if (size < OF_LEN)
		return 0;
	of.id.lo = get_le64(data);
	of.id.hi = get_le64(data + 8);
	of.amount_sat = (int64_t)get_le64(data + 16);
	of.t_ms = (int64_t)get_le64(data + 24);
	while (p < data + size) {
		from = p;
		if (outcome_unpack(&r, &p, data + size, &of, &e) != RC_OK) {
			if (e.text[0] == '\0' || p != from)
				abort();
			return 0;
		}
		len = (size_t)(repack(&k, again, &r, &of) - again);
		if (len > OUTCOME_ROOM || len != (size_t)(p - from) ||
		    memcmp(again, from, len) != 0)
			abort();
	}
	return 0;
}
