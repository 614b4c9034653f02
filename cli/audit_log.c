/*
 * drawbridge audit log: the events of a journal, one a line.
 */
#include "cli/audit.h"

enum rc
audit_log(const struct audit *a, struct opened *op, struct err *e)
{
	(void)a;
	(void)op;
	return err_set(e, "not there yet");
}
