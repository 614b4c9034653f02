/*
 * The next version of the program, for tests/test_upgrade.py: the same
 * sources, another number, and one thing decided otherwise: who must wait,
 * waits twice as long.
 */
#include "policy/program.h"

void __real_eval(const struct program *p, struct eval_env *env,
    struct joined *out);
void __wrap_eval(const struct program *p, struct eval_env *env,
    struct joined *out);

void
__wrap_eval(const struct program *p, struct eval_env *env,
    struct joined *out)
{
	__real_eval(p, env, out);
	out->delay_ms *= 2;
}
