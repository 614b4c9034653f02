/*
 * Rooms that are not built yet: one that says that it is ready.
 */
#include <unistd.h>

#include "link/process.h"


static void
on_socket(void *ctx, enum process_socket what, enum room peer, int fd)
{
	(void)ctx;
	(void)what;
	(void)peer;
	/* Kept open, as a room would. */
	(void)fd;
}

static void
on_stop(void *ctx)
{
	process_end(ctx, 0);
}

static inline int
placeholder(enum room room, int control)
{
	static struct process	 p;
	struct process_hooks	 h = { on_socket, NULL, on_stop, &p };
	struct err		 e;

	if (process_begin(&p, room, control, &e) != RC_OK)
		return 1;
	process_ready(&p);
	return process_run(&p, &h);
}

#ifdef NO_API
int
api_main(int control)
{
	return placeholder(ROOM_API, control);
}
#endif
#ifdef NO_AUTH
int
auth_main(int control)
{
	return placeholder(ROOM_AUTH, control);
}
#endif
#ifdef NO_ENGINE
int
engine_main(int control)
{
	return placeholder(ROOM_ENGINE, control);
}
#endif
#ifdef NO_CONSOLE
int
console_main(int control)
{
	return placeholder(ROOM_CONSOLE, control);
}
#endif
#ifdef NO_NOTIFY
int
notify_main(int control)
{
	return placeholder(ROOM_NOTIFY, control);
}
#endif
