#!/usr/bin/env python3
"""A service that was away for ten hours does not believe the clock until an
operator says that it is right (H2)."""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

case = service.Cases()
AWAY_S = 36000
EARLIER = r'''
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int
clock_gettime(clockid_t which, struct timespec *t)
{
	int (*next)(clockid_t, struct timespec *) =
	    dlsym(RTLD_NEXT, "clock_gettime");
	int r = next(which, t);

	if (which == CLOCK_REALTIME)
		t->tv_sec -= %d;
	return r;
}
'''


def behind(s):
    return time.time() - s.ask('status')['t_ms'] / 1000


def made_earlier():
    """A service whose journal's last time is AWAY_S ago."""
    s = service.Service(start=False)
    shutil.rmtree(s.data)
    source = os.path.join(s.dir, 'earlier.c')
    with open(source, 'w', encoding='ascii') as f:
        f.write(EARLIER % AWAY_S)
    subprocess.run([os.environ.get('CC', 'cc'), '-shared', '-fPIC', '-o',
                    source + '.so', source, '-ldl'], check=True)
    subprocess.run([service.PROGRAM, 'init', '--data', s.data, '--demo',
                    '--listen', '127.0.0.1:0'], check=True,
                   env=dict(s.env, LD_PRELOAD=source + '.so'),
                   stdout=subprocess.DEVNULL)
    s.start()
    return s


def main():
    with made_earlier() as s:
        case('ten hours away: the service goes on from its own last time',
             behind(s) > AWAY_S - 60, behind(s))
        r = s.run('clock')
        case('nobody in particular may say that the clock is right',
             r.returncode == 1 and behind(s) > AWAY_S - 60, r.stderr)
        case('both times are shown', 'this machine has' in r.stderr, r.stderr)
        s.cli('clock')
        case('an operator may', abs(behind(s)) < 60, behind(s))
        s.account('carol', btc='1')
        s.stop()
        s.start()
        case('and a start soon after needs nobody', abs(behind(s)) < 60,
             behind(s))
    case.end()


if __name__ == '__main__':
    main()
