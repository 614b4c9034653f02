/* What is taken and what is refused, field by field; putting and reading. */
#include "tests/check.h"

#include <stdlib.h>

#include "bitcoin/psbt.h"

#define ROOM	((size_t)1 << 14)

struct buf {
	unsigned char	b[ROOM];
	size_t		len;
};

/*
 * Bytes as hex, with blanks where they help; `*N` says how often the byte
 * before it comes: "02*33" is 33 bytes.
 */
static void
add_hex(struct buf *b, const char *hex)
{
	unsigned	 byte;
	unsigned long	 n;
	char		*end;

	while (*hex != '\0') {
		if (*hex == ' ') {
			hex++;
			continue;
		}
		if (*hex == '*') {
			n = strtoul(hex + 1, &end, 10);
			memset(b->b + b->len, b->b[b->len - 1], n - 1);
			b->len += n - 1;
			hex = end;
			continue;
		}
		CHECK(sscanf(hex, "%2x", &byte) == 1);
		b->b[b->len++] = (unsigned char)byte;
		hex += 2;
	}
}

static void
add_sized(struct buf *b, const char *hex)
{
	struct buf	 t = { .len = 0 };

	add_hex(&t, hex);
	b->len = (size_t)(put_compact(b->b + b->len, t.len) - b->b);
	memcpy(b->b + b->len, t.b, t.len);
	b->len += t.len;
}

static void
add_record(struct buf *b, const char *key, const char *value)
{
	add_sized(b, key);
	add_sized(b, value);
}

/* One input, one output. */
#define TX	"02000000 01 11*32 00000000 00 ffffffff "		\
		"01 0100000000000000 01 51 00000000"

/* A PSBT with what it needs and one record more in one of its maps. */
static void
compose(struct buf *b, unsigned version, char where, const char *key,
    const char *value)
{
	b->len = 0;
	add_hex(b, "70736274ff");
	if (version == 0) {
		add_record(b, "00", TX);
	} else {
		add_record(b, "02", "02000000");
		add_record(b, "04", "01");
		add_record(b, "05", "01");
		add_record(b, "fb", "02000000");
	}
	if (where == 'g')
		add_record(b, key, value);
	add_hex(b, "00");
	if (version == 2) {
		add_record(b, "0e", "11*32");
		add_record(b, "0f", "00000000");
	}
	if (where == 'i')
		add_record(b, key, value);
	add_hex(b, "00");
	if (version == 2) {
		add_record(b, "03", "0100000000000000");
		add_record(b, "04", "51");
	}
	if (where == 'o')
		add_record(b, key, value);
	add_hex(b, "00");
}

struct field_case {
	unsigned	version;	/* 0, 2 */
	char		where;
	const char	*key, *value;
	const char	*why;		/* NULL: taken */
};

#define NO0	"version 0 has no such field"
#define NO2	"version 2 has no such field"
#define KEY	"the key has"
#define VALUE	"the value has"
#define XPUB(depth)	"01 0488b21e " depth " 00*4 00*4 00*32 02 11*32"

static const struct field_case global_cases[] = {
	{ 0, 'g', "00 01", TX, KEY },
	{ 0, 'g', "00", TX, "a key comes twice" },
	{ 2, 'g', "00", TX, NO2 },
	{ 0, 'g', "02", "02000000", NO0 },
	{ 0, 'g', "03", "00000000", NO0 },
	{ 0, 'g', "04", "01", NO0 },
	{ 0, 'g', "05", "01", NO0 },
	{ 0, 'g', "06", "00", NO0 },
	{ 2, 'g', "06", "00", NULL },
	{ 2, 'g', "06", "0000", VALUE },
	{ 2, 'g', "06 00", "00", KEY },
	{ 2, 'g', "03", "05000000", NULL },
	{ 2, 'g', "03", "050000", VALUE },
	{ 2, 'g', "02 00", "02000000", KEY },
	{ 0, 'g', "fb", "00000000", NULL },
	{ 0, 'g', "fb", "01000000", "version 1, which nobody knows" },
	{ 0, 'g', "fb", "03000000", "version 3, which nobody knows" },
	{ 0, 'g', "fb", "02000000", "version 2 without" },
	{ 0, 'g', "fb", "00", "no number" },
	{ 0, 'g', "fb 00", "00000000", KEY },
	{ 2, 'g', "fb", "02000000", "a key comes twice" },
	{ 0, 'g', XPUB("00"), "aabbccdd", NULL },
	{ 0, 'g', XPUB("01"), "aabbccdd 00000080", NULL },
	{ 2, 'g', XPUB("ff"), "00*1024", NULL },
	{ 0, 'g', XPUB("01"), "aabbccdd", VALUE },
	{ 0, 'g', XPUB("00"), "aabbccdd 00000080", VALUE },
	{ 0, 'g', XPUB("00") " 00", "aabbccdd", KEY },
	{ 0, 'g', "01 00*45 04 11*32", "aabbccdd", KEY },
	{ 0, 'g', "f0", "", NULL },
	{ 0, 'g', "07 02*33", "00", NULL },
	{ 2, 'g', "fc 01 61 00", "00", NULL },
	{ 0, 'g', "fc 00 00", "00", NULL },
	{ 0, 'g', "fc", "00", "a proprietary key without" },
	{ 0, 'i', "fc 05 61", "00", "a proprietary key without" },
	{ 0, 'o', "fc 01 61", "00", "a proprietary key without" },
	{ 0, 'i', "fd fd00 00", "00", NULL },
	{ 0, 'i', "fd fc00 00", "00", "no compact size" },
	{ 0, 'i', "fd fd", "00", "no compact size" },
	{ 0, 'i', "fe ffff0000", "00", "no compact size" },
	{ 0, 'i', "ff 00*7 01", "00", NULL },
	{ 2, 'i', "ff 00*8", "00", "no compact size" },
};

#define SIG	"30 06 02 01 01 02 01 01 01"

static const struct field_case in_cases[] = {
	{ 0, 'i', "00", "00", "cut short" },
	{ 0, 'i', "00", TX, NULL },
	{ 0, 'i', "00", TX " 00", "bytes follow it" },
	{ 0, 'i', "00 00", TX, KEY },
	{ 0, 'i', "01", "0000000000000000 00", NULL },
	{ 0, 'i', "01", "0040075af0750700 01 51", NULL },
	{ 0, 'i', "01", "0140075af0750700 01 51", VALUE },
	{ 0, 'i', "01", "0000000000000000 01 51 51", VALUE },
	{ 0, 'i', "01", "0000000000000000 02 51", VALUE },
	{ 0, 'i', "01", "0000000000000000 fd0100 51", VALUE },
	{ 0, 'i', "01", "0000000000000000", VALUE },
	{ 0, 'i', "02 02*33", SIG, NULL },
	{ 0, 'i', "02 03*33", SIG, NULL },
	{ 0, 'i', "02 04*65", SIG, NULL },
	{ 0, 'i', "02 05*33", SIG, KEY },
	{ 0, 'i', "02 06*65", SIG, KEY },
	{ 0, 'i', "02 02*32", SIG, KEY },
	{ 0, 'i', "02", SIG, KEY },
	{ 0, 'i', "02 02*33", "", VALUE },
	{ 0, 'i', "02 02*33", "31 06 02 01 01 02 01 01 01", VALUE },
	{ 0, 'i', "02 02*33", "30 07 02 01 01 02 01 01 01", VALUE },
	{ 0, 'i', "02 02*33", "30 06 03 01 01 02 01 01 01", VALUE },
	{ 0, 'i', "02 02*33", "30 06 02 01 01 03 01 01 01", VALUE },
	{ 0, 'i', "02 02*33", "30 06 02 01 80 02 01 01 01", VALUE },
	{ 0, 'i', "02 02*33", "30 07 02 02 00 7f 02 01 01 01", VALUE },
	{ 0, 'i', "02 02*33", "30 07 02 02 00 80 02 01 01 01", NULL },
	{ 0, 'i', "02 02*33", "30 07 02 01 01 02 02 00 7f 01", VALUE },
	{ 0, 'i', "02 02*33", "30 07 02 01 01 02 01 01 00 01", VALUE },
	{ 0, 'i', "02 02*33", "30 06 02 00 02 02 01 01 01", VALUE },
	{ 0, 'i', "02 02*33", "30 46 02 21 00 80*32 02 21 00 80*32 01",
	    NULL },
	{ 0, 'i', "02 02*33", "30 47 02 22 01*34 02 21 00 80*32 01", VALUE },
	{ 0, 'i', "03", "01000000", NULL },
	{ 0, 'i', "03", "01", VALUE },
	{ 0, 'i', "03 00", "01000000", KEY },
	{ 0, 'i', "04", "", NULL },
	{ 0, 'i', "04 00", "", KEY },
	{ 0, 'i', "05", "51", NULL },
	{ 0, 'i', "05 00", "51", KEY },
	{ 0, 'i', "06 02*33", "aabbccdd", NULL },
	{ 0, 'i', "06 02*33", "00*68", NULL },
	{ 0, 'i', "06 02*33", "00*72", NULL },
	{ 0, 'i', "06 02*33", "00*1024", NULL },
	{ 0, 'i', "06 02*33", "00*1028", VALUE },
	{ 0, 'i', "06 02*33", "aabbcc", VALUE },
	{ 0, 'i', "06 02*33", "00*6", VALUE },
	{ 0, 'i', "06 02*33", "", VALUE },
	{ 0, 'i', "06 02*32", "aabbccdd", KEY },
	{ 0, 'i', "07", "", NULL },
	{ 0, 'i', "07 00", "", KEY },
	{ 0, 'i', "08", "00", NULL },
	{ 0, 'i', "08", "02 02 aaaa 00", NULL },
	{ 0, 'i', "08", "01 02 aa", VALUE },
	{ 0, 'i', "08", "00 00", VALUE },
	{ 0, 'i', "08", "", VALUE },
	{ 0, 'i', "08", "fe ffffffff", VALUE },
	{ 0, 'i', "09", "61", NULL },
	{ 0, 'i', "09 00", "61", KEY },
};

/* Of nothing. */
#define RIPEMD160_0	"9c1185a5c5e9fc54612808977ee8f548b2258d31"
#define HASH160_0	"b472a266d0bd89c13706a4132ccfb16f7c3b9fcb"
#define SHA256_0	"e3b0c44298fc1c149afbf4c8996fb924"		\
			"27ae41e4649b934ca495991b7852b855"
#define HASH256_0	"5df6e0e2761359d30a8275058e299fcc"		\
			"0381534545f55cf43e41983f5d4c9456"

static const struct field_case more_in_cases[] = {
	{ 0, 'i', "0a " RIPEMD160_0, "", NULL },
	{ 0, 'i', "0b " SHA256_0, "", NULL },
	{ 0, 'i', "0c " HASH160_0, "", NULL },
	{ 0, 'i', "0d " HASH256_0, "", NULL },
	{ 0, 'i', "0a " HASH160_0, "", VALUE },
	{ 0, 'i', "0b " HASH256_0, "", VALUE },
	{ 0, 'i', "0c " HASH160_0, "00", VALUE },
	{ 0, 'i', "0d " SHA256_0, "", VALUE },
	{ 0, 'i', "0d " HASH160_0, "", KEY },
	{ 0, 'i', "0e", "11*32", NO0 },
	{ 0, 'i', "0f", "00000000", NO0 },
	{ 0, 'i', "10", "00000000", NO0 },
	{ 0, 'i', "11", "0065cd1d", NO0 },
	{ 0, 'i', "12", "01000000", NO0 },
	{ 2, 'i', "10", "00000000", NULL },
	{ 2, 'i', "10", "000000", VALUE },
	{ 2, 'i', "11", "0065cd1d", NULL },
	{ 2, 'i', "11", "ff64cd1d", VALUE },
	{ 2, 'i', "12", "ff64cd1d", NULL },
	{ 2, 'i', "12", "0065cd1d", VALUE },
	{ 2, 'i', "12", "00000000", VALUE },
	{ 0, 'i', "13", "11*64", NULL },
	{ 0, 'i', "13", "11*64 01", NULL },
	{ 0, 'i', "13", "11*64 83", NULL },
	{ 0, 'i', "13", "11*64 00", VALUE },
	{ 0, 'i', "13", "11*64 80", VALUE },
	{ 0, 'i', "13", "11*64 04", VALUE },
	{ 0, 'i', "13", "11*63", VALUE },
	{ 0, 'i', "13", "11*66", VALUE },
	{ 0, 'i', "13 00", "11*64", KEY },
	{ 0, 'i', "14 00*64", "11*64", NULL },
	{ 0, 'i', "14 00*63", "11*64", KEY },
	{ 0, 'i', "14 00*64", "11*63", VALUE },
	{ 0, 'i', "15 c0*33", "51 c0", NULL },
	{ 0, 'i', "15 c0*33", "", VALUE },
	{ 0, 'i', "15 c0*32", "51 c0", KEY },
	{ 0, 'i', "15 c0*34", "51 c0", KEY },
	{ 0, 'i', "15 c0*4129", "51 c0", NULL },
	{ 0, 'i', "15 c0*4161", "51 c0", KEY },
	{ 0, 'i', "16 11*32", "00 aabbccdd", NULL },
	{ 0, 'i', "16 11*32", "01 22*32 aabbccdd 00000080", NULL },
	{ 0, 'i', "16 11*32", "02 22*32 aabbccdd", VALUE },
	{ 0, 'i', "16 11*32", "01 22*31 aabbccdd", VALUE },
	{ 0, 'i', "16 11*32", "fd0000 aabbccdd", VALUE },
	{ 0, 'i', "16 11*32", "ff ff*8 aabbccdd", VALUE },
	{ 0, 'i', "16 11*32", "", VALUE },
	{ 0, 'i', "16 02*33", "00 aabbccdd", KEY },
	{ 0, 'i', "17", "11*32", NULL },
	{ 0, 'i', "17", "02*33", VALUE },
	{ 0, 'i', "18", "11*32", NULL },
	{ 0, 'i', "18", "11*31", VALUE },
	{ 0, 'i', "1a 02*33", "02*66", NULL },
	{ 0, 'i', "1a 02*33", "02*65", VALUE },
	{ 0, 'i', "1a 02*33", "02*33 05*33", VALUE },
	{ 0, 'i', "1a 02*33", "", VALUE },
	{ 0, 'i', "1b 02*66", "00*66", NULL },
	{ 0, 'i', "1b 02*98", "00*66", NULL },
	{ 0, 'i', "1b 02*67", "00*66", KEY },
	{ 0, 'i', "1c 02*66", "00*32", NULL },
	{ 0, 'i', "1c 02*66", "00*31", VALUE },
	{ 0, 'i', "19", "00", NULL },
};

#define LEAF(depth)	" " depth " c0 01 51"

static const struct field_case out_cases[] = {
	{ 0, 'o', "00", "51", NULL },
	{ 0, 'o', "00 00", "51", KEY },
	{ 0, 'o', "01", "51", NULL },
	{ 0, 'o', "01 00", "51", KEY },
	{ 0, 'o', "02 02*33", "aabbccdd", NULL },
	{ 0, 'o', "02 02*33", "aabbcc", VALUE },
	{ 0, 'o', "02 02*32", "aabbccdd", KEY },
	{ 0, 'o', "03", "0000000000000000", NO0 },
	{ 0, 'o', "04", "51", NO0 },
	{ 2, 'o', "03", "0000000000000000", "a key comes twice" },
	{ 0, 'o', "05", "11*32", NULL },
	{ 0, 'o', "05", "02*33", VALUE },
	{ 0, 'o', "06", LEAF("00"), NULL },
	{ 0, 'o', "06", LEAF("01") LEAF("01"), NULL },
	{ 0, 'o', "06", LEAF("01") LEAF("02") LEAF("02"), NULL },
	{ 0, 'o', "06", LEAF("02") LEAF("02") LEAF("01"), NULL },
	{ 0, 'o', "06", LEAF("02") LEAF("02") LEAF("02") LEAF("02"), NULL },
	{ 0, 'o', "06", "", VALUE },
	{ 0, 'o', "06", LEAF("01"), VALUE },
	{ 0, 'o', "06", LEAF("00") LEAF("00"), VALUE },
	{ 0, 'o', "06", LEAF("02") LEAF("01") LEAF("02"), VALUE },
	{ 0, 'o', "06", LEAF("01") LEAF("01") LEAF("01"), VALUE },
	{ 0, 'o', "06", LEAF("81"), VALUE },
	{ 0, 'o', "06", "00 c1 01 51", VALUE },
	{ 0, 'o', "06", "00 c0 02 51", VALUE },
	{ 0, 'o', "06", "00", VALUE },
	{ 0, 'o', "07 11*32", "00 aabbccdd", NULL },
	{ 0, 'o', "07 02*33", "00 aabbccdd", KEY },
	{ 0, 'o', "07 11*32", "01 aabbccdd", VALUE },
	{ 0, 'o', "08 02*33", "02*33", NULL },
	{ 0, 'o', "08 02*32", "02*33", KEY },
	{ 0, 'o', "35", "00", NULL },
};

/* As it came, in bytes and as text. */
static void
check_round_trip(const struct psbt *p, const unsigned char *bytes,
    size_t len)
{
	unsigned char	*again = malloc(len + 1);
	char		*text = psbt_base64(p);
	struct psbt	*q = NULL;
	struct err	 e;

	CHECK(again != NULL && psbt_size(p) == len);
	CHECK(psbt_write(p, again) == len && memcmp(again, bytes, len) == 0);
	CHECK(psbt_of_base64(&q, text_of(text), &e) == RC_OK);
	CHECK(q != NULL && psbt_write(q, again) == len &&
	    memcmp(again, bytes, len) == 0);
	psbt_free(&q);
	free(text);
	free(again);
}

/* Parsed, or refused for this reason. */
static void
check_bytes(const struct buf *b, const char *why, const char *what)
{
	struct psbt	*p = NULL;
	struct err	 e = { "" };
	enum rc		 rc = psbt_parse(&p, b->b, b->len, &e);

	if (!CHECK((rc == RC_OK) == (why == NULL)) ||
	    (why != NULL && !CHECK(strstr(e.text, why) != NULL)))
		printf("#   %s: %s\n", what, e.text);
	CHECK((rc == RC_OK) == (p != NULL));
	if (p != NULL)
		check_round_trip(p, b->b, b->len);
	psbt_free(&p);
}

static void
run_fields(const char *name, const struct field_case *c, size_t n)
{
	static struct buf b;
	char		 what[64];
	size_t		 i;

	check_case(name);
	for (i = 0; i < n; i++) {
		compose(&b, c[i].version, c[i].where, c[i].key, c[i].value);
		snprintf(what, sizeof(what), "case %zu, key %.30s", i,
		    c[i].key);
		check_bytes(&b, c[i].why, what);
	}
}

#define RUN(name, cases)	run_fields(name, cases,			\
				    sizeof(cases) / sizeof(cases[0]))

/* Around the fields. */
static void
test_frame(void)
{
	static const struct {
		const char	*hex, *why;
	} t[] = {
		{ "", "does not begin" },
		{ "70736274", "does not begin" },
		{ "70736274fe", "does not begin" },
		{ "50736274ff", "does not begin" },
		{ "70736274ff", "cut short" },
		{ "70736274ff 00", "without an unsigned transaction" },
		/* A transaction of nothing is one (bare). */
		{ "70736274ff 01 00 0a 02000000 0000 00000000 00", NULL },
		{ "70736274ff 01 00 0b 02000000 0000 00000000 00 00",
		    "bytes follow it" },
		{ "70736274ff 01 00 0a 02000000 0000 00000000 00 00",
		    "bytes follow its last map" },
		{ "70736274ff 01 00 0a 02000000 0000 00000000 00 01",
		    "bytes follow its last map" },
		{ "70736274ff 01 00 0a 02000000 0000 00000000", "cut short" },
		/* Lengths in other than their shortest forms. */
		{ "70736274ff fd0100 00 0a 02000000 0000 00000000 00",
		    "cut short" },
		{ "70736274ff 01 00 fd0a00 02000000 0000 00000000 00",
		    "cut short" },
		{ "70736274ff 01 00 fe 0a000000 02000000 0000 00000000 00",
		    "cut short" },
		{ "70736274ff ff ff*8", "cut short" },
		{ "70736274ff 01 00 ff ff*8", "cut short" },
	};
	static struct buf b;
	size_t		 i;

	check_case("the frame around the fields");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		b.len = 0;
		add_hex(&b, t[i].hex);
		check_bytes(&b, t[i].why, t[i].hex);
	}
}

/* Version 0: what its transaction may not have. */
static void
test_unsigned_tx(void)
{
	static const struct {
		const char	*tx, *why;
	} t[] = {
		{ TX, NULL },
		{ "02000000 01 11*32 00000000 01 51 ffffffff "
		    "01 0100000000000000 01 51 00000000", "has a scriptSig" },
		{ "02000000 0001 01 11*32 00000000 00 ffffffff "
		    "01 0100000000000000 01 51 01 01 51 00000000",
		    "unsigned transaction" },
		{ "02000000 01 11*32 00000000 00 ffffffff "
		    "01 0140075af0750700 01 51 00000000", "more money" },
		{ TX " 00", "bytes follow it" },
	};
	static struct buf b;
	size_t		 i;

	check_case("the unsigned transaction has no signatures");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		b.len = 0;
		add_hex(&b, "70736274ff");
		add_record(&b, "00", t[i].tx);
		add_hex(&b, "00 00 00");
		check_bytes(&b, t[i].why, t[i].tx);
	}
}

/* Version 2 by hand, so that something can be missing. */
static void
test_version_2(void)
{
	static const char head[] = "70736274ff 01fb 04 02000000 ";
	static const char in[] = "010e 20 11*32 010f 04 00000000 00";
	static const char out[] = "0103 08 0100000000000000 0104 01 51 00";
	static const struct {
		const char	*global, *in, *out, *why;
	} t[] = {
		{ "0102 04 02000000 0104 01 01 0105 01 01 00", in, out,
		    NULL },
		{ "0104 01 01 0105 01 01 00", in, out, "version" },
		{ "0102 04 02000000 0105 01 01 00", in, out, "number of" },
		{ "0102 04 02000000 0104 01 01 00", in, out, "number of" },
		{ "0102 04 02000000 0104 03 fd0100 0105 01 01 00", in, out,
		    "number of" },
		{ "0102 04 02000000 0104 02 0100 0105 01 01 00", in, out,
		    "number of" },
		{ "0102 04 02000000 0104 09 ff ff*8 0105 01 01 00", in, out,
		    "number too large" },
		{ "0102 04 02000000 0104 05 fe 00000100 0105 01 01 00", in,
		    out, "map 3 of 65538" },
		{ "0102 04 02000000 0104 01 02 0105 01 01 00", in, out,
		    "cut short" },
		{ "0102 04 02000000 0104 01 01 0105 01 00 00", in, out,
		    "bytes follow its last map" },
		{ "0102 04 02000000 0104 01 01 0105 01 01 00",
		    "010f 04 00000000 00", out, "which output it spends" },
		{ "0102 04 02000000 0104 01 01 0105 01 01 00",
		    "010e 20 11*32 00", out, "which output it spends" },
		{ "0102 04 02000000 0104 01 01 0105 01 01 00", in,
		    "0104 01 51 00", "how much it pays" },
		{ "0102 04 02000000 0104 01 01 0105 01 01 00", in,
		    "0103 08 0100000000000000 00", "how much it pays" },
		{ "0102 04 02000000 0104 01 01 0105 01 01 00", in,
		    "0103 08 0140075af0750700 0104 01 51 00", VALUE },
		{ "0102 04 02000000 0104 01 01 0105 01 02 00", in,
		    "0103 08 0040075af0750700 0104 01 51 00"
		    "0103 08 0100000000000000 0104 01 51 00",
		    "output 1: more money" },
		{ "0102 04 02000000 0104 01 00 0105 01 00 00", "", "",
		    NULL },
	};
	static struct buf b;
	size_t		 i;

	check_case("version 2 says everything itself");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		b.len = 0;
		add_hex(&b, head);
		add_hex(&b, t[i].global);
		add_hex(&b, t[i].in);
		add_hex(&b, t[i].out);
		check_bytes(&b, t[i].why, t[i].global);
	}
}

/* BIP370: what the inputs want, and what comes of it. */
static void
test_locktime(void)
{
	static const char height9[] = "0112 04 09000000 ";
	static const char height7[] = "0112 04 07000000 ";
	static const char time2[] = "0111 04 0265cd1d ";
	static const char time1[] = "0111 04 0165cd1d ";
	const struct {
		const char	*fallback, *first[2], *second[2];
		int64_t		 want;		/* -1: refused */
	} t[] = {
		{ "", { "", "" }, { "", "" }, 0 },
		{ "0103 04 05000000", { "", "" }, { "", "" }, 5 },
		{ "0103 04 05000000", { height9, "" }, { "", "" }, 9 },
		{ "", { height9, "" }, { height7, "" }, 9 },
		{ "", { height7, "" }, { height9, "" }, 9 },
		{ "", { height7, "" }, { height9, time1 }, 9 },
		{ "", { height7, time1 }, { height9, time2 }, 9 },
		{ "", { time2, "" }, { time1, "" }, 500000002 },
		{ "", { time1, height9 }, { time2, "" }, 500000002 },
		{ "", { "", "" }, { time2, "" }, 500000002 },
		{ "", { height9, "" }, { time1, "" }, -1 },
		{ "", { time1, "" }, { height9, "" }, -1 },
	};
	static struct buf b;
	struct psbt	*p = NULL;
	struct err	 e = { "" };
	size_t		 i, k;

	check_case("BIP370's locktime, and the sequence that there is not");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		b.len = 0;
		add_hex(&b, "70736274ff 0102 04 02000000 0104 01 02 "
		    "0105 01 00 01fb 04 02000000");
		add_hex(&b, t[i].fallback);
		for (k = 0; k < 2; k++) {
			add_hex(&b, "00 010e 20 11*32 010f 04");
			add_hex(&b, k == 0 ? "00000000" : "01000000");
			add_hex(&b, k == 0 ? t[i].first[0] : t[i].second[0]);
			add_hex(&b, k == 0 ? t[i].first[1] : t[i].second[1]);
		}
		add_hex(&b, "00");
		if (t[i].want < 0) {
			check_bytes(&b, "one input wants a height", "");
		} else if (CHECK(psbt_parse(&p, b.b, b.len, &e) == RC_OK)) {
			CHECK_INT(p->tx.locktime, t[i].want);
			CHECK_INT(p->tx.in[1].sequence, TX_SEQUENCE_FINAL);
			CHECK_INT(p->tx.in[1].prev.vout, 1);
		}
		psbt_free(&p);
	}
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_frame();
	RUN("global fields", global_cases);
	RUN("fields of inputs", in_cases);
	RUN("more fields of inputs", more_in_cases);
	RUN("fields of outputs", out_cases);
	test_unsigned_tx();
	test_version_2();
	test_locktime();
	return check_done();
}
