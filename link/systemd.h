/*
 * What systemd wants to hear of a service of Type=notify: datagrams to the
 * socket that NOTIFY_SOCKET names (sd_notify(3)), without its library.
 */
#ifndef LINK_SYSTEMD_H
#define LINK_SYSTEMD_H

#include <stdint.h>

/* Lines of NAME=VALUE; nothing happens where nobody listens. */
void systemd_say(const char *what);
/* RELOADING=1 with the time that Type=notify-reload wants. */
void systemd_reloading(void);
/* How often WATCHDOG=1 is to be said, ms; 0: not at all. */
int64_t systemd_watchdog_ms(void);

#endif
