#include "link/systemd.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void
systemd_say(const char *what)
{
	struct sockaddr_un	 a = { .sun_family = AF_UNIX };
	const char		*path = getenv("NOTIFY_SOCKET");
	socklen_t		 len;
	int			 fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(a.sun_path))
		return;
	memcpy(a.sun_path, path, strlen(path));
	/* The abstract name space begins with a NUL and has no end. */
	if (path[0] == '@')
		a.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	(void)sendto(fd, what, strlen(what), MSG_NOSIGNAL | MSG_DONTWAIT,
	    (struct sockaddr *)&a, len);
	(void)close(fd);
}

void
systemd_reloading(void)
{
	struct timespec	 now;
	char		 text[80];

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(text, sizeof(text),
	    "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	systemd_say(text);
}

int64_t
systemd_watchdog_ms(void)
{
	const char	*usec = getenv("WATCHDOG_USEC");
	const char	*pid = getenv("WATCHDOG_PID");
	intmax_t	 n;

	if (usec == NULL || (pid != NULL && strtoimax(pid, NULL, 10) !=
	    (intmax_t)getpid()))
		return 0;
	n = strtoimax(usec, NULL, 10);
	/* Half of it, as the manual asks. */
	return n >= 2000 ? (int64_t)(n / 2000) : 0;
}
