/*
 * Lines of the log, read back from a pipe: whatever stands in a value, it is
 * one line.
 */
#include "lib/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check.h"

static int	 reading;

/* What was logged since, without its time. */
static const char *
logged(void)
{
	static char	 buf[65536];
	ssize_t		 n;

	fflush(stderr);
	n = read(reading, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n > 25 && buf[0] == '2' ? buf + 25 : buf;
}

static int
count(const char *s, char c)
{
	int	 n = 0;

	for (; *s != '\0'; s++)
		n += *s == c;
	return n;
}

static void
test_values(void)
{
	struct text	 t = { "a\nb\0c", 5 };

	check_case("kinds of values");
	log_event(LOG_INFO_, "accepted", "id", 's', "7c0a", "amount", 'd',
	    (int64_t)-12, "h", 'x', (uint64_t)0xdeadbeefu, "why", 's',
	    "wrong code", NULL);
	CHECK_STR(logged(), "info api accepted id=7c0a amount=-12 h=deadbeef "
	    "why=\"wrong code\"\n");
	log_event(LOG_BROKEN, "x", NULL);
	CHECK_STR(logged(), "broken api x\n");
	log_event(LOG_ODD, "x", "a", 's', "", "b", 's', NULL, "c", 's',
	    "k=v", "d", 't', t, NULL);
	CHECK_STR(logged(), "odd api x a=\"\" b=\"\" c=\"k=v\" "
	    "d=\"a\\x0ab\\x00c\"\n");

	check_case("levels below are not said");
	log_event(LOG_DEBUG_, "hidden", NULL);
	log_event(LOG_INFO_, "shown", NULL);
	CHECK_STR(logged(), "info api shown\n");
}

static void
test_hostile(void)
{
	char		 all[256], big[20000];
	struct text	 t = { all, sizeof(all) };
	const char	*s;
	int		 i;

	check_case("every byte, and a forged line");
	for (i = 0; i < 256; i++)
		all[i] = (char)i;
	log_event(LOG_INFO_, "x", "v", 't', t, NULL);
	s = logged();
	CHECK_INT(count(s, '\n'), 1);
	for (i = 0; s[i] != '\0' && s[i] != '\n'; i++)
		CHECK(s[i] >= ' ' && s[i] < 0x7f);
	log_event(LOG_INFO_, "x", "v", 's', "a\" id=7 \n2026-11-25T08:14:17."
	    "123Z info auth granted\x1b[2J", NULL);
	CHECK_STR(logged(), "info api x v=\"a\\\" id=7 \\x0a2026-11-25T08:14:"
	    "17.123Z info auth granted\\x1b[2J\"\n");

	check_case("a value that is too long");
	memset(big, '"', sizeof(big));
	t.p = big;
	t.len = sizeof(big);
	log_event(LOG_INFO_, "x", "a", 't', t, "b", 't', t, NULL);
	s = logged();
	CHECK(strlen(s) < 4096);
	CHECK_INT(count(s, '\n'), 1);
	CHECK(strstr(s, "...") != NULL);
}

static void
test_time(void)
{
	char		 buf[200], stream[64];
	struct stat	 st;
	ssize_t		 n;

	check_case("the time, or a priority for systemd");
	log_event(LOG_INFO_, "x", NULL);
	n = read(reading, buf, sizeof(buf) - 1);
	buf[n] = '\0';
	CHECK_INT(strspn(buf, "0123456789-T:.Z"), 24);
	CHECK_STR(buf + 24, " info api x\n");
	/* Another stream's: the time stays. */
	(void)setenv("JOURNAL_STREAM", "1:2", 1);
	log_begin("api", LOG_INFO_);
	log_event(LOG_INFO_, "x", NULL);
	CHECK_STR(logged(), "info api x\n");
	CHECK(fstat(STDERR_FILENO, &st) == 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju",
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	(void)setenv("JOURNAL_STREAM", stream, 1);
	log_begin("api", LOG_INFO_);
	log_event(LOG_ODD, "x", NULL);
	CHECK_STR(logged(), "<4>odd api x\n");
}

int
main(void)
{
	int	 fds[2];

	if (pipe(fds) != 0 || dup2(fds[1], STDERR_FILENO) == -1)
		abort();
	(void)unsetenv("JOURNAL_STREAM");
	reading = fds[0];
	log_begin("api", LOG_INFO_);
	test_values();
	test_hostile();
	test_time();
	return check_done();
}
