/*
 * The configuration: what is read, what is refused and where, and the
 * canonical text.
 */
#include "lib/config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "tests/check.h"

static struct config	 conf;
static struct err	 why;

static bool
parse(const char *text)
{
	why.text[0] = '\0';
	return config_parse(&conf, "f", text, strlen(text), &why) == RC_OK;
}

static void
refused(const char *text, const char *want)
{
	CHECK(!parse(text));
	CHECK_STR(why.text, want);
}

static void
test_read(void)
{
	check_case("every setting");
	CHECK(parse("# a comment\n"
	    "\n"
	    "listen [::1]:8080   # behind a value\n"
	    "\tmetrics 127.0.0.1:9095\r\n"
	    "data \"/srv/with blanks\"\n"
	    "user drawbridge\nnetwork signet\npolicy /etc/p\n"
	    "master-key credential:master\nurl https://a.example\n"
	    "proxies 10.0.0.0/8 192.0.2.1 2001:db8::/32\n"
	    "proxy-header X-Forwarded-For\n"
	    "decoded-signatures yes\nkeys-without-ips no\n"
	    "step-up 90s\nreceipt 2h\nfee-max 0.001\n"
	    "signer-key 00112233445566778899aabbccddeeff"
	    "00112233445566778899aabbccddeeff\nown-receipt-for 36h\n"
	    "connections-max 100\nsnapshot-every 5000\n"
	    "smtp smtp://127.0.0.1:25\nmail-from a@example\n"
	    "sms-command \"/bin/sms --to \\\"x\\\" \\\\\"\n"
	    "webhook https://b.example/hook\nwebhook-secret /etc/w"));
	CHECK_STR(why.text, "");
	CHECK_STR(conf.listen, "[::1]:8080");
	CHECK_STR(conf.metrics, "127.0.0.1:9095");
	CHECK_STR(conf.data, "/srv/with blanks");
	CHECK_STR(conf.network, "signet");
	CHECK_INT(conf.n_proxies, 3);
	CHECK_INT(conf.proxies[0].bits, 104);
	CHECK_INT(conf.proxies[0].ip[12], 10);
	CHECK_INT(conf.proxies[1].bits, 128);
	CHECK_INT(conf.proxies[2].bits, 32);
	CHECK(conf.decoded_signatures && !conf.keys_without_ips);
	CHECK_INT(conf.step_up_ms, 90000);
	CHECK_INT(conf.receipt_ms, 7200000);
	CHECK_INT(strlen(conf.signer_key), 64);
	CHECK_INT(conf.own_receipt_for_ms, 129600000);
	CHECK_INT(conf.fee_max_sat, 100000);
	CHECK_STR(conf.sms_command, "/bin/sms --to \"x\" \\");
	CHECK(config_sound(&conf));

	check_case("nothing at all is the defaults");
	CHECK(parse(""));
	CHECK_STR(conf.listen, "127.0.0.1:8080");
	CHECK_STR(conf.metrics, "");
	CHECK_STR(conf.network, "regtest");
	CHECK_INT(conf.n_proxies, 0);
	CHECK_STR(conf.signer_key, "");
	CHECK_INT(conf.own_receipt_for_ms, 86400000);
	CHECK(config_sound(&conf));

	check_case("an underscore is a hyphen");
	CHECK(parse("master_key passphrase\n"));
	CHECK_STR(conf.master_key, "passphrase");
}

static void
test_refused(void)
{
	check_case("refused, with line and column");
	refused("listen 127.0.0.1:8080\nhello world\n",
	    "f:2:1: no setting is called `hello`");
	refused("listen\n", "f:1:7: `listen` needs a value");
	refused("\n\n  data a b\n", "f:3:10: `data` has one value; one with "
	    "blanks stands in quotes");
	refused("data a\ndata b\n", "f:2:1: `data` for the second time");
	refused("master-key file:a\nmaster_key file:b\n",
	    "f:2:1: `master-key` for the second time");
	refused("data \"a\n", "f:1:6: a closing `\"` is missing in this "
	    "line");
	refused("data \"a\\n\"\n", "f:1:9: only `\"` and `\\` may follow a "
	    "`\\`");
	refused("data \"a\"b\n", "f:1:9: a blank is missing behind `\"`");
	refused("data a\"b\"\n", "f:1:7: a `\"` in the middle of a word");
	refused("data a\001b\n", "f:1:7: a control character (1)");
	refused("signer-key 00\n", "f:1:12: `signer-key` is 64 hex digits, "
	    "not `00`");
	refused("own-receipt-for 1s\n", "f:1:17: `own-receipt-for` is from "
	    "1min to 30d, not `1s`");
	refused("data \"\"\n", "f:1:6: `data` is a folder, not ``");
	/* A column is a character, not a byte. */
	refused("data \"\xc3\xa4\xc3\xb6\" x\n", "f:1:11: `data` has one "
	    "value; one with blanks stands in quotes");
}

static void
test_values(void)
{
	static const char *const	 addresses[] = { "127.0.0.1",
	    ":8080", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
	    "127.0.0.1:123456", "localhost:80", "::1:80", "[::1:80",
	    "[127.0.0.1]:80", "1.2.3:80", "[]:80", "[:80" };
	static const char *const	 nets[] = { "10.0.0.1/8", "10.0.0.0/33",
	    "10.0.0.0/", "10.0.0.0/8x", "::/129", "a", "10.0.0.0/-1",
	    "2001:db8::1/32" };
	char				 line[400], want[500];
	size_t				 i;

	check_case("addresses");
	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		(void)snprintf(line, sizeof(line), "listen %s\n",
		    addresses[i]);
		(void)snprintf(want, sizeof(want), "f:1:8: `listen` is "
		    "ADDRESS:PORT, as 127.0.0.1:8080 or [::1]:8080, not `%s`",
		    addresses[i]);
		refused(line, want);
	}

	check_case("networks");
	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		(void)snprintf(line, sizeof(line), "proxies ::1 %s\n",
		    nets[i]);
		(void)snprintf(want, sizeof(want), "f:1:13: `proxies` is "
		    "networks, as 10.0.0.0/8 or ::1, not `%s`", nets[i]);
		refused(line, want);
	}
	memcpy(line, "proxies", 8);
	for (i = 0; i < CONFIG_LIST_MAX; i++)
		memcpy(line + strlen(line), " ::1", 5);
	CHECK(parse(line));
	memcpy(line + strlen(line), " ::1", 5);
	refused(line, "f:1:73: more than 16 networks");

	check_case("numbers");
	refused("step-up 5\n", "f:1:9: `step-up` is a time, as 90s, 15min, "
	    "2h or 1d, not `5`");
	refused("step-up 5s\n", "f:1:9: `step-up` is from 1min to 7d, not "
	    "`5s`");
	refused("step-up 999999999999999d\n", "f:1:9: `step-up` is a time, "
	    "as 90s, 15min, 2h or 1d, not `999999999999999d`");
	refused("fee-max 0.000000001\n", "f:1:9: `fee-max` is an amount in "
	    "BTC, as 0.001, not `0.000000001`");
	refused("fee-max 2\n", "f:1:9: `fee-max` is from 0.00000000 to "
	    "1.00000000, not `2`");
	refused("connections-max -1\n", "f:1:17: `connections-max` is a "
	    "whole number, not `-1`");
	refused("connections-max 1\n", "f:1:17: `connections-max` is from 16 "
	    "to 100000, not `1`");
	refused("decoded-signatures true\n", "f:1:20: `decoded-signatures` "
	    "is yes or no, not `true`");
	refused("network mainnet\n", "f:1:9: `network` is main, test, signet "
	    "or regtest, not `mainnet`");
	refused("master-key secret\n", "f:1:12: `master-key` is file:PATH, "
	    "credential:NAME or passphrase, not `secret`");
	refused("master-key credential:../x\n", "f:1:12: `master-key` is "
	    "file:PATH, credential:NAME or passphrase, not "
	    "`credential:../x`");
}

static void
test_whole(void)
{
	char	*big = calloc(1, 65538);

	check_case("what only the whole shows");
	refused("proxy-protocol yes\n", "f:1:1: `proxies` is missing: from "
	    "whom `proxy-protocol` is believed");
	refused("proxies ::1\nproxy-protocol yes\nproxy-header X-Real-IP\n",
	    "f:3:1: `proxy-protocol` or `proxy-header`, not both: which one "
	    "would be believed?");
	refused("smtp smtp://a:25\n", "f:1:1: `mail-from` is missing: `smtp` "
	    "needs it");

	check_case("too large, and too long a word");
	memset(big, '#', 65537);
	refused(big, "f: larger than 64 KiB");
	big[65536] = '\0';
	CHECK(parse(big));
	memset(big, 'a', 300);
	memcpy(big, "data ", 5);
	big[300] = '\0';
	refused(big, "f:1:6: a word of more than 255 bytes");
	free(big);
}

static void
test_canonical(void)
{
	char		 once[16384], twice[16384];
	struct config	 before;
	int		 n;

	check_case("the canonical text gives itself");
	CHECK(parse("data \"a b\"\nproxies 10.0.0.0/8 ::ffff:0:0/96 ::/0 "
	    "1.2.3.4\nproxy_protocol yes\nstep-up 3600s\nreceipt 90s\n"
	    "mail-command \"a \\\" \\\\ # b\"\n"));
	before = conf;
	n = config_print(&conf, once, sizeof(once));
	CHECK(n > 0 && (size_t)n == strlen(once));
	CHECK(parse(once));
	CHECK_STR(why.text, "");
	CHECK(memcmp(&before, &conf, sizeof(conf)) == 0);
	CHECK(config_print(&conf, twice, sizeof(twice)) == n);
	CHECK_STR(twice, once);
	CHECK(strstr(once, "step-up 1h\nreceipt 90s\n") != NULL);
	CHECK(strstr(once, "proxies 10.0.0.0/8 0.0.0.0/0 ::/0 1.2.3.4/32\n")
	    != NULL);

	check_case("no room");
	CHECK_INT(config_print(&conf, twice, (size_t)n), -1);
	CHECK_INT(config_print(&conf, twice, (size_t)n + 1), n);
}

static void
test_sound(void)
{
	unsigned char	 two = 2;

	check_case("bytes that no configuration is made of");
	config_clear(&conf);
	CHECK(config_sound(&conf));
	memset(conf.data, 'a', sizeof(conf.data));
	CHECK(!config_sound(&conf));
	config_clear(&conf);
	conf.policy[0] = '\n';
	CHECK(!config_sound(&conf));
	config_clear(&conf);
	(void)snprintf(conf.listen, sizeof(conf.listen), "a:1");
	CHECK(!config_sound(&conf));
	config_clear(&conf);
	memcpy(&conf.proxy_protocol, &two, 1);
	CHECK(!config_sound(&conf));
	config_clear(&conf);
	conf.n_proxies = CONFIG_LIST_MAX + 1;
	CHECK(!config_sound(&conf));
	config_clear(&conf);
	conf.proxies[3].bits = 129;
	CHECK(!config_sound(&conf));
	config_clear(&conf);
	conf.step_up_ms = -1;
	CHECK(!config_sound(&conf));
}

int
main(void)
{
	test_read();
	test_refused();
	test_values();
	test_whole();
	test_canonical();
	test_sound();
	return check_done();
}
