/*
 * Bytes that are no messages, and messages that are not ours to say.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/redteam/redteam.h"
#include "wire/bytes.h"

#define RANDOM_ROUNDS	200
#define MUTATED_ROUNDS	3000
#define FRAME_MAX	65536

static unsigned char	 frame[FRAME_MAX];
static struct end	 end = { .fd = -1 };

static void
random_bytes(enum room as, enum room to)
{
	size_t	 len;
	int	 i;

	for (i = 0; i < RANDOM_ROUNDS; i++) {
		(void)end_open(&end, as, to, i % 2 == 0);
		len = 1 + roll_below(4096);
		roll_bytes(frame, len);
		if (i % 3 == 0) {	/* a length that is right */
			put_le32(frame, (uint32_t)len);
			len += 4;
			frame[4] = (unsigned char)roll_below(MESSAGE__END + 2);
		}
		(void)end_send(&end, frame, len);
	}
	outcome("random bytes", rooms_alive(), "a room ended");
}

static void
lengths(enum room as, enum room to)
{
	static const uint32_t	 odd[] = { 0, 1, 8, 9, 10, 0x7fffffff,
		    0xffffffff, 0xfffffffb, (16U << 20) - 4, 16U << 20,
		    (16U << 20) - 5 };
	size_t			 i;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		(void)end_open(&end, as, to, true);
		roll_bytes(frame, sizeof(frame));
		put_le32(frame, odd[i]);
		frame[4] = MESSAGE_REQUEST;
		(void)end_send(&end, frame, sizeof(frame));
	}
	outcome("lengths that are none", rooms_alive(), "a room ended");
}

static void
truncated(enum room as, enum room to, const struct message *sample)
{
	size_t	 len = message_pack(sample, frame), i;

	for (i = 1; i < len; i++) {
		(void)end_open(&end, as, to, true);
		(void)end_send(&end, frame, i);
	}
	outcome("cut off after each byte", rooms_alive(), "a room ended");
}

/* Each type with each set of fields that another has. */
static void
not_ours(enum room as, enum room to, const struct message *sample)
{
	struct message	 m, back;
	int		 t, cut = 0, n = 0;

	for (t = 0; t < MESSAGE__END + 3; t++) {
		if (message_allowed((enum message_type)t, as, to))
			continue;
		(void)end_open(&end, as, to, true);
		m = *sample;
		m.type = (enum message_type)t;
		(void)end_say(&end, &m);
		n++;
		while (end_hear(&end, &back, 5000))
			;
		cut += end.fd == -1;
	}
	outcome("a message that is not ours to say: cut off",
	    cut == n && rooms_alive(), "%d of %d", cut, n);
}

static void
mutated(enum room as, enum room to, const struct message *sample)
{
	size_t	 len = message_pack(sample, frame), at;
	int	 i, bits;

	(void)end_open(&end, as, to, true);
	for (i = 0; i < MUTATED_ROUNDS; i++) {
		if (end.fd == -1 && !end_open(&end, as, to, true))
			break;
		len = message_pack(sample, frame);
		for (bits = 1 + (int)roll_below(4); bits > 0; bits--) {
			at = 4 + roll_below(len - 4);
			frame[at] ^= (unsigned char)(1U << roll_below(8));
		}
		(void)end_send(&end, frame, len);
		if (i % 16 == 0)
			end_drain(&end, 0);
	}
	end_drain(&end, 300);
	outcome("bits flipped in a good message", rooms_alive() &&
	    i == MUTATED_ROUNDS, "%d rounds", i);
}

static void
unspoken(enum room as, enum room to, const struct message *sample)
{
	struct message	 m;
	int		 cut = 0;

	(void)end_open(&end, as, to, false);
	(void)end_say(&end, sample);
	end_drain(&end, 3000);
	cut += end.fd == -1;
	(void)end_open(&end, as, to, false);
	message_clear(&m, MESSAGE_SPOKEN, 0);
	m.number = MESSAGE_VERSION + 1;
	(void)end_say(&end, &m);
	end_drain(&end, 3000);
	cut += end.fd == -1;
	outcome("no greeting, or another version's: cut off", cut == 2 &&
	    rooms_alive(), "%d of 2", cut);
}

void
noise(enum room as, enum room to, const struct message *sample,
    bool (*honest)(struct end *d))
{
	random_bytes(as, to);
	lengths(as, to);
	truncated(as, to, sample);
	not_ours(as, to, sample);
	mutated(as, to, sample);
	unspoken(as, to, sample);
	(void)end_open(&end, as, to, true);
	outcome("and after all that an honest word is heard", honest(&end),
	    "it is not");
	end_close(&end);
}
