/*
 * Small secrets lie in chunks of one size class each, so that 100,000 of 62
 * bytes take 6.4 MB of locked memory, which a service's limit (8 MiB where
 * systemd says nothing else) allows.  What is in use is told by bits outside
 * the locked pages: nothing is written among the secrets but they.
 */
#define _GNU_SOURCE
#include "lib/secret.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CHUNK		((size_t)32 << 10)
#define CLASS_MIN	((size_t)32)
#define CLASSES		7			/* 32 to 2048 */
#define SLOTS_MAX	(CHUNK / CLASS_MIN)

struct chunk {
	struct chunk	*next;
	unsigned char	*base;
	size_t		 n_used;
	uint64_t	 used[SLOTS_MAX / 64];
};

static struct chunk	*chunks[CLASSES];
static pthread_mutex_t	 lock = PTHREAD_MUTEX_INITIALIZER;

enum rc
secret_begin(struct err *e)
{
	const struct rlimit	 none = { 0, 0 };

	if (sodium_init() < 0)
		return err_set(e, "libsodium does not start");
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		return err_set(e, "no core dumps: %s", strerror(errno));
	/* A core_pattern with a pipe does not ask the limit, but this. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return err_set(e, "not dumpable: %s", strerror(errno));
	return RC_OK;
}

static size_t
page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Locked pages between two that cannot be touched. */
static unsigned char *
map(size_t len)
{
	size_t		 page = page_size();
	unsigned char	*p, *base;

	assert(len % page == 0);
	p = mmap(NULL, len + 2 * page, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	base = p + page;
	if (mprotect(base, len, PROT_READ | PROT_WRITE) == -1 ||
	    mlock(base, len) == -1 ||
	    madvise(base, len, MADV_DONTDUMP) == -1) {
		(void)munmap(p, len + 2 * page);
		return NULL;
	}
	return base;
}

static size_t
whole_pages(size_t len)
{
	size_t	 page = page_size();

	return (len + page - 1) / page * page;
}

/* Of the size class; CLASSES: too large for any. */
static int
class_of(size_t len)
{
	int	 c;

	for (c = 0; c < CLASSES; c++)
		if (len <= CLASS_MIN << c)
			break;
	return c;
}

static struct chunk *
chunk_new(int class)
{
	struct chunk	*k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	if ((k->base = map(CHUNK)) == NULL) {
		free(k);
		return NULL;
	}
	k->next = chunks[class];
	chunks[class] = k;
	return k;
}

static unsigned char *
take(struct chunk *k, size_t size)
{
	size_t	 i, n = CHUNK / size;

	for (i = 0; i < n; i++) {
		uint64_t	*word = &k->used[i / 64];

		if (*word == UINT64_MAX) {
			i |= 63;
			continue;
		}
		if ((*word >> i % 64 & 1) == 0) {
			*word |= UINT64_C(1) << i % 64;
			k->n_used++;
			return k->base + i * size;
		}
	}
	return NULL;
}

void *
secret_new(size_t len)
{
	int		 class = class_of(len);
	struct chunk	*k;
	unsigned char	*p = NULL;
	size_t		 size;

	if (class == CLASSES)
		return len > SIZE_MAX / 2 ? NULL : map(whole_pages(len));
	size = CLASS_MIN << class;
	(void)pthread_mutex_lock(&lock);
	for (k = chunks[class]; k != NULL; k = k->next)
		if (k->n_used < CHUNK / size)
			break;
	if (k != NULL || (k = chunk_new(class)) != NULL)
		p = take(k, size);
	(void)pthread_mutex_unlock(&lock);
	return p;
}

static void
give_back(unsigned char *p, size_t size, int class)
{
	struct chunk	*k;
	size_t		 i;

	(void)pthread_mutex_lock(&lock);
	for (k = chunks[class]; k != NULL; k = k->next)
		if (p >= k->base && p < k->base + CHUNK)
			break;
	/* Never of secret_new(), another length, or freed twice. */
	assert(k != NULL);
	i = (size_t)(p - k->base) / size;
	assert((size_t)(p - k->base) % size == 0);
	assert((k->used[i / 64] >> i % 64 & 1) == 1);
	/* All of it: a caller may have written past `len` within it. */
	sodium_memzero(p, size);
	k->used[i / 64] &= ~(UINT64_C(1) << i % 64);
	k->n_used--;
	(void)pthread_mutex_unlock(&lock);
}

void
secret_free(void *p, size_t len)
{
	int	 class = class_of(len);
	size_t	 page;

	if (p == NULL)
		return;
	if (class < CLASSES) {
		give_back(p, CLASS_MIN << class, class);
		return;
	}
	page = page_size();
	len = whole_pages(len);
	sodium_memzero(p, len);
	(void)munmap((unsigned char *)p - page, len + 2 * page);
}
