/*
 * Every form of a code is turned into pixels and read back by zbarimg, when
 * it is there.
 */
#define _GNU_SOURCE
#include "lib/qr.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/check.h"

#define URI	"otpauth://totp/Drawbridge:alice%40example.com?secret=" \
		"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Drawbridge&" \
		"algorithm=SHA1&digits=6&period=30"
#define SIDE_MAX	200

static char		 path[64];
static unsigned char	 modules[SIDE_MAX][SIDE_MAX];	/* 1: dark */
static int		 side_of;

static bool
have_reader(void)
{
	return access("/usr/bin/zbarimg", X_OK) == 0;
}

/* What zbarimg reads in the file at `path`. */
static bool
reads(const char *want)
{
	char	 command[160], got[4096];
	size_t	 n;
	FILE	*f;

	snprintf(command, sizeof(command),
	    "/usr/bin/zbarimg -q --raw -Sdisable -Sqrcode.enable %s "
	    "2>/dev/null", path);
	if ((f = popen(command, "r")) == NULL)
		return false;
	n = fread(got, 1, sizeof(got) - 1, f);
	(void)pclose(f);
	while (n > 0 && got[n - 1] == '\n')
		n--;
	got[n] = '\0';
	return strcmp(got, want) == 0;
}

static void
put(const void *bytes, size_t len)
{
	FILE	*f = fopen(path, "wb");

	if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
		abort();
}

/* The modules as a picture, each four pixels wide. */
static bool
modules_read(const char *want)
{
	FILE	*f = fopen(path, "wb");
	int	 x, y, n = side_of * 4;

	if (f == NULL)
		abort();
	fprintf(f, "P5 %d %d 255\n", n, n);
	for (y = 0; y < n; y++)
		for (x = 0; x < n; x++)
			(void)fputc(modules[y / 4][x / 4] ? 0 : 255, f);
	if (fclose(f) != 0)
		abort();
	return reads(want);
}

static void
from_ascii(const char *s)
{
	int	 x = 0, y = 0;

	memset(modules, 0, sizeof(modules));
	for (; *s != '\0' && y < SIDE_MAX && x < SIDE_MAX; s++)
		if (*s == '\n') {
			side_of = x;
			x = 0;
			y++;
		} else {
			modules[y][x++] = *s == '#';
			s++;
		}
	CHECK_INT(y, side_of);
}

static void
from_blocks(const char *s)
{
	int	 x = 0, y = 0, half;

	memset(modules, 0, sizeof(modules));
	while (*s != '\0' && y + 1 < SIDE_MAX && x < SIDE_MAX) {
		if (strncmp(s, "\033[30;107m", 9) == 0)
			s += 9;
		else if (strncmp(s, "\033[0m\n", 5) == 0) {
			s += 5;
			side_of = x;
			x = 0;
			y += 2;
		} else {
			half = strncmp(s, "\xe2\x96\x80", 3) == 0 ? 1 :
			    strncmp(s, "\xe2\x96\x84", 3) == 0 ? 2 :
			    strncmp(s, "\xe2\x96\x88", 3) == 0 ? 3 : 0;
			CHECK(half > 0 || *s == ' ');
			s += half > 0 ? 3 : 1;
			modules[y][x] = half & 1;
			modules[y + 1][x++] = half >> 1;
		}
	}
}

static void
from_svg(const char *s)
{
	int	 x, y, run, back, used;

	memset(modules, 0, sizeof(modules));
	if (sscanf(s, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
	    "viewBox=\"0 0 %d", &side_of) != 1 || side_of > SIDE_MAX)
		side_of = 0;
	s = strstr(s, "<path d=\"");
	CHECK(s != NULL);
	for (s += 9; s != NULL && sscanf(s, "M%d %dh%dv1h-%dz%n", &x, &y,
	    &run, &back, &used) == 4; s += used) {
		CHECK(run == back && x + run <= side_of && y < side_of);
		memset(&modules[y % SIDE_MAX][x % SIDE_MAX], 1, (size_t)run);
	}
	CHECK_STR(s, "\"/></svg>\n");
}

static void
all_forms(const char *text)
{
	unsigned char	*png = NULL;
	char		*s = NULL;
	struct err	 e;
	size_t		 len = 0;

	CHECK(qr_terminal(&s, text_of(text), QR_ASCII, &e) == RC_OK);
	from_ascii(s);
	CHECK(modules_read(text));
	qr_wipe(s, strlen(s));
	s = NULL;
	CHECK(qr_terminal(&s, text_of(text), QR_BLOCKS, &e) == RC_OK);
	from_blocks(s);
	CHECK(modules_read(text));
	qr_wipe(s, strlen(s));
	s = NULL;
	CHECK(qr_svg(&s, text_of(text), &e) == RC_OK);
	from_svg(s);
	CHECK(modules_read(text));
	qr_wipe(s, strlen(s));
	CHECK(qr_png(&png, &len, text_of(text), &e) == RC_OK);
	put(png, len);
	CHECK(reads(text));
	qr_wipe(png, len);
}

static void
limits(void)
{
	static char	 text[QR_BYTES_MAX + 1];
	unsigned char	*png = NULL;
	char		*s = NULL;
	struct err	 e;
	size_t		 len;
	int		 i;

	check_case("limits");
	for (i = 0; i <= QR_BYTES_MAX; i++)
		text[i] = (char)(i % 3 == 0 ? 0xff : i);
	CHECK(qr_svg(&s, (struct text){ text, QR_BYTES_MAX }, &e) == RC_OK);
	qr_wipe(s, s == NULL ? 0 : strlen(s));
	s = NULL;
	CHECK(qr_terminal(&s, (struct text){ text, QR_BYTES_MAX }, QR_BLOCKS,
	    &e) == RC_OK);
	qr_wipe(s, s == NULL ? 0 : strlen(s));
	s = NULL;
	CHECK(qr_png(&png, &len, (struct text){ text, QR_BYTES_MAX + 1 },
	    &e) != RC_OK && png == NULL);
	CHECK(qr_svg(&s, text_of(""), &e) != RC_OK && s == NULL);
	CHECK(qr_svg(&s, text_of(NULL), &e) != RC_OK && s == NULL);
	qr_wipe(NULL, 5);
}

int
main(void)
{
	int	 fd, failed;

	snprintf(path, sizeof(path), "/tmp/test-qr-XXXXXX.png");
	if ((fd = mkstemps(path, 4)) == -1)
		return 1;
	(void)close(fd);
	if (have_reader()) {
		check_case("an otpauth URI, in every form");
		all_forms(URI);
		check_case("one byte");
		all_forms("7");
	} else
		printf("ok forms are read back # SKIP no zbarimg\n");
	limits();
	failed = check_done();
	(void)unlink(path);
	return failed;
}
