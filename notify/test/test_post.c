/*
 * Mail as bytes; and who may be written to.
 */
#include "notify/post.h"
#include "tests/check.h"

static void
test_addresses(void)
{
	static const char *const	 good[] = { "a@b.example",
		"first.last+tag@sub.example.org" };
	static const char *const	 bad[] = { "", "a", "@b", "a@", "a@b@c",
		"a b@c", "a@b\r\nBcc: d@e", "<a@b>", "a@b,c@d", "a@b;c",
		"\xc3\xa9@b" };
	size_t				 i;

	check_case("addresses that mail can go to, and no others");
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(post_is_address(good[i]));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!post_is_address(bad[i]));
	CHECK(post_is_line("plain"));
	CHECK(!post_is_line("a\nb"));
	CHECK(!post_is_line("a\rb"));
}

static void
test_message(void)
{
	char	 out[2048], small[100];
	size_t	 n;

	check_case("a message, whose text means nothing to a mail server");
	n = post_message(out, sizeof(out), "d@x.example", "a@b.example",
	    "A withdrawal waits", ".\r\nDATA\r\n", "77",
	    "Wed, 25 Nov 2026 08:00:00 +0000");
	CHECK(n > 0 && n == strlen(out));
	CHECK_STR(out,
	    "Date: Wed, 25 Nov 2026 08:00:00 +0000\r\n"
	    "From: d@x.example\r\nTo: a@b.example\r\n"
	    "Subject: =?UTF-8?B?QSB3aXRoZHJhd2FsIHdhaXRz?=\r\n"
	    "Message-ID: <77@drawbridge>\r\n"
	    "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=UTF-8\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n"
	    "Lg0KREFUQQ0K\r\n");
	CHECK(post_message(small, sizeof(small), "d@x.example",
	    "a@b.example", "s", "t", "1", "now") == 0);
}

int
main(void)
{
	struct err	 e;

	if (post_begin(&e) != RC_OK)
		return 1;
	test_addresses();
	test_message();
	return check_done();
}
