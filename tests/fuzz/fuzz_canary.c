/*
 * A target with a planted bug: if it is not found, the fuzzing or the
 * replaying does not work.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 4 && data[0] == 'd' && data[1] == 'i' && data[2] == 'e' &&
	    data[3] == '!')
		abort();
	return 0;
}
