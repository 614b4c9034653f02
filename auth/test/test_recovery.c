#include "auth/recovery.h"

#include <sodium.h>
#include <string.h>

#include "tests/check.h"

static unsigned char	 record[RECOVERY_LEN];
static char		 codes[RECOVERY_COUNT][RECOVERY_CODE_MAX];

static void
once(void)
{
	int	 i, k;

	check_case("each is good once");
	for (i = 0; i < RECOVERY_COUNT; i++) {
		CHECK_INT(strlen(codes[i]), 19);
		for (k = 0; k < i; k++)
			CHECK(strcmp(codes[i], codes[k]) != 0);
		CHECK_INT(recovery_left(record, RECOVERY_LEN),
		    RECOVERY_COUNT - i);
		CHECK_INT(recovery_check(record, RECOVERY_LEN,
		    text_of(codes[i])), i);
		/* To check does not use. */
		CHECK_INT(recovery_check(record, RECOVERY_LEN,
		    text_of(codes[i])), i);
		recovery_use(record, i);
		for (k = 0; k <= i; k++)
			CHECK_INT(recovery_check(record, RECOVERY_LEN,
			    text_of(codes[k])), -1);
	}
	CHECK_INT(recovery_left(record, RECOVERY_LEN), 0);
}

static void
spellings(void)
{
	char	 text[64], *p;
	int	 i, n = 0;

	recovery_make(record, codes);
	check_case("spellings");
	for (i = 0; codes[3][i] != '\0'; i++)
		if (codes[3][i] != '-') {
			text[n++] = ' ';
			text[n++] = (char)(codes[3][i] >= 'a' ?
			    codes[3][i] - 32 : codes[3][i]);
		}
	CHECK_INT(recovery_check(record, RECOVERY_LEN,
	    (struct text){ text, (size_t)n }), 3);
	check_case("what is no code");
	CHECK_INT(recovery_check(record, RECOVERY_LEN, text_of("")), -1);
	CHECK_INT(recovery_check(record, RECOVERY_LEN, text_of(NULL)), -1);
	CHECK_INT(recovery_check(record, RECOVERY_LEN, text_of("123456")),
	    -1);
	snprintf(text, sizeof(text), "%sa", codes[0]);
	CHECK_INT(recovery_check(record, RECOVERY_LEN, text_of(text)), -1);
	snprintf(text, sizeof(text), "%s", codes[0]);
	for (p = text; *p != '\0'; p++)
		if (*p != '-') {
			char	 was = *p;

			*p = was == 'a' ? 'b' : 'a';
			CHECK_INT(recovery_check(record, RECOVERY_LEN,
			    text_of(text)), -1);
			*p = '1';
			CHECK_INT(recovery_check(record, RECOVERY_LEN,
			    text_of(text)), -1);
			*p = was;
		}
	CHECK_INT(recovery_check(record, RECOVERY_LEN, text_of(text)), 0);
}

static void
records(void)
{
	unsigned char	 other[RECOVERY_LEN];
	char		 others[RECOVERY_COUNT][RECOVERY_CODE_MAX];
	int		 i, k;

	check_case("records");
	recovery_make(other, others);
	for (i = 0; i < RECOVERY_COUNT; i++) {
		CHECK_INT(recovery_check(other, RECOVERY_LEN,
		    text_of(codes[i])), -1);
		/* No code lies in it. */
		for (k = 0; k + 4 <= RECOVERY_LEN; k++)
			CHECK(memcmp(record + k, codes[i], 4) != 0);
	}
	CHECK_INT(recovery_check(record, RECOVERY_LEN - 1,
	    text_of(codes[0])), -1);
	CHECK_INT(recovery_left(record, 0), -1);
	record[0] = 2;
	CHECK_INT(recovery_left(record, RECOVERY_LEN), -1);
	record[0] = 1;
	record[2] = 4;
	CHECK_INT(recovery_left(record, RECOVERY_LEN), -1);
	CHECK_INT(recovery_check(record, RECOVERY_LEN, text_of(codes[0])),
	    -1);
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;
	recovery_make(record, codes);
	once();
	spellings();
	records();
	return check_done();
}
