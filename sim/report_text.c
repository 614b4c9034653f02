#include "sim/report.h"

enum rc
report_text(const struct report *r, FILE *f, struct err *e)
{
	return report_json(r, f, e);
}
