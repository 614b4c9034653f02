#include "lib/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum rc
err_set(struct err *e, const char *fmt, ...)
{
	va_list	 ap;

	if (e == NULL)
		return RC_FAILED;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return RC_FAILED;
}

enum rc
err_wrap(struct err *e, enum rc rc, const char *fmt, ...)
{
	struct err	 inner;
	va_list		 ap;
	int		 n;

	if (rc == RC_OK || e == NULL)
		return rc;
	inner = *e;
	va_start(ap, fmt);
	n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n + 3 < sizeof(e->text))
		(void)snprintf(e->text + n, sizeof(e->text) - (size_t)n,
		    ": %.*s", (int)(sizeof(e->text) - (size_t)n - 3),
		    inner.text);
	return rc;
}
