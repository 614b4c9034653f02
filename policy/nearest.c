/*
 * The nearest word to one that nobody knows, and texts that are no texts.
 */
#include <stdio.h>
#include <string.h>

#include "policy/scan.h"
#include "policy/words.h"

#define WORD_MAX	40

static const char *const words[] = {
	"above", "account", "accounts", "addresses", "advise", "after",
	"allow", "and", "asked", "at", "blocked", "btc", "busy", "by", "cap",
	"ceiling", "class", "committed", "confirmed", "count", "declare",
	"default", "delay", "deny", "destination", "destinations", "device",
	"distinct", "each", "enforce", "exempt", "file", "flag", "from",
	"full", "group", "groups", "halt", "hold", "include", "ips", "is",
	"keys", "known", "learnt", "less", "let", "mode", "networks", "new",
	"normal", "not", "number", "observe", "partner", "per", "platform",
	"plus", "policy", "released", "sat", "set", "shadow", "step-up",
	"sum", "table", "time", "trust", "unknown", "until", "upto", "used",
	"when", "yes",
};

static int
min3(int a, int b, int c)
{
	int	 m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits between two words, a swap of neighbours being one (Damerau 1964,
 * in the form that edits no place twice). */
static int
distance(const char *a, const char *b)
{
	int	 row[3][WORD_MAX + 1];
	int	 la = (int)strlen(a), lb = (int)strlen(b), i, j;
	int	*prev2 = row[0], *prev = row[1], *cur = row[2], *t;

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (j = 0; j <= lb; j++)
		prev[j] = prev2[j] = j;
	for (i = 1; i <= la; i++) {
		cur[0] = i;
		for (j = 1; j <= lb; j++) {
			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1,
			    prev[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && prev2[j - 2] + 1 < cur[j])
				cur[j] = prev2[j - 2] + 1;
		}
		t = prev2;
		prev2 = prev;
		prev = cur;
		cur = t;
	}
	return prev[lb];
}

static void
nearer(const char *word, const char *candidate, int *best,
    const char **found)
{
	int	 d = distance(word, candidate);

	if (d < *best && d > 0) {
		*best = d;
		*found = candidate;
	}
}

const char *
scan_nearest(struct parse *ps, const char *word)
{
	const char	*found = NULL;
	size_t		 len = strlen(word), i;
	int		 best, j;

	/* One edit in three letters; a short word is near everything. */
	best = len < 3 ? 1 : (int)(len / 3) + 1;
	if (best > 4)
		best = 4;
	for (j = 0; j < ps->n_names; j++)
		nearer(word, ps->names[j].text, &best, &found);
	for (j = 0; j < FACT__COUNT; j++)
		nearer(word, word_of((enum fact)j)->text, &best, &found);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		nearer(word, words[i], &best, &found);
	return found;
}

/* Bytes of the UTF-8 character at s, 0 when it is none (RFC 3629). */
static size_t
utf8_len(const unsigned char *s, size_t len)
{
	static const uint32_t	 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t		 c;
	size_t			 n, i;

	if (s[0] < 0x80)
		return s[0] != 0;
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n > len)
		return 0;
	c = s[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

bool
scan_check_text(struct parse *ps, int file, const char *text, size_t len)
{
	struct pos	 pos = { file, 1, 1, 0 };
	size_t		 i, n;

	if (len == 0) {
		diag_error(ps->d, pos, NULL, "an empty file");
		ps->has_policy = true;
		ps->has_default = true;
		return false;
	}
	for (i = 0; i < len; i += n) {
		n = utf8_len((const unsigned char *)text + i, len - i);
		if (n == 0) {
			diag_error(ps->d, pos, NULL, text[i] == '\0' ?
			    "a NUL byte; this is not a text" :
			    "not UTF-8; this is not a text");
			/* What follows from it is not said as well. */
			ps->has_policy = true;
			ps->has_default = true;
			return false;
		}
		pos.col++;
		if (text[i] == '\n') {
			pos.line++;
			pos.col = 1;
		}
	}
	return true;
}
