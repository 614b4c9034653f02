/*
 * Messages between processes: what is taken packs to the same bytes and says
 * only what its fields can.
 *
 * Input: a byte, from * 8 + to; then the frame.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same_bytes(const struct message *m, const uint8_t *p, size_t len)
{
	unsigned char	*again = malloc(message_room(m));
	size_t		 n;

	if (again == NULL)
		abort();
	n = message_pack(m, again);
	if (n > message_room(m) || n != len || memcmp(again, p, n) != 0)
		abort();
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message	 m;
	struct err	 e = { "" };
	enum room	 from, to;
	unsigned char	*copy;
	size_t		 len;

	if (size == 0)
		return 0;
	from = (enum room)(data[0] / 8 % ROOM__COUNT);
	to = (enum room)(data[0] % 8 % ROOM__COUNT);
	data++;
	size--;
	/* Its own memory, so that its end is one, too. */
	if ((copy = malloc(size + (size == 0))) == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	if (message_len(&len, copy, size, &e) != RC_OK) {
		if (e.text[0] == '\0')
			abort();
	} else if (len > MESSAGE_MAX || (size >= 4) != (len != 0)) {
		abort();
	}
	if (message_unpack(&m, copy, size, &e) == RC_OK) {
		if (m.type < MESSAGE_CONFIG || m.type >= MESSAGE__END ||
		    m.endpoint >= ENDPOINT__COUNT)
			abort();
		same_bytes(&m, copy, size);
		(void)message_allowed(m.type, from, to);
		(void)message_text(m.type);
	} else if (e.text[0] == '\0') {
		abort();
	}
	free(copy);
	return 0;
}
