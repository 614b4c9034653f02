#!/usr/bin/env python3
"""The rooms of a running service are locked in, each as the kernel says."""
import os
import pwd
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

case = service.Cases()
ROOMS = ('api', 'auth', 'engine', 'console', 'notify')


def status(pid):
    with open('/proc/%d/status' % pid, encoding='ascii') as f:
        return dict(line.rstrip('\n').split(':\t', 1) for line in f
                    if ':\t' in line)


def limits(pid):
    with open('/proc/%d/limits' % pid, encoding='ascii') as f:
        return f.read()


def sockets(pid):
    """What it could speak to the network with."""
    found = []
    for fd in os.listdir('/proc/%d/fd' % pid):
        try:
            found.append(os.readlink('/proc/%d/fd/%s' % (pid, fd)))
        except OSError:
            pass
    return found


def tcp_inodes():
    """Of listening and connected TCP sockets of this machine."""
    inodes = set()
    for name in ('/proc/net/tcp', '/proc/net/tcp6'):
        if os.path.exists(name):
            with open(name, encoding='ascii') as f:
                for line in f.readlines()[1:]:
                    inodes.add('socket:[%s]' % line.split()[9])
    return inodes


def locked(s):
    for room in ROOMS:
        pid = s.rooms()[room]
        st = status(pid)
        case('%s: seccomp filters' % room, st['Seccomp'] == '2',
             st['Seccomp'])
        case('%s: no new privileges' % room, st['NoNewPrivs'] == '1')
        case('%s: no capabilities' % room,
             int(st['CapEff'], 16) == 0 and int(st['CapPrm'], 16) == 0 and
             int(st['CapBnd'], 16) == 0, st['CapEff'] + ' ' + st['CapBnd'])
        case('%s: no core dump' % room, re.search(
            r'Max core file size +0 +0', limits(pid)) is not None)
        if room != 'api':
            case('%s: no TCP socket' % room,
                 not set(sockets(pid)) & tcp_inodes())
    for room in ('auth', 'engine', 'notify'):
        st = status(s.rooms()[room])
        if room == 'auth':
            case('auth: secrets are locked in memory',
                 int(st['VmLck'].split()[0]) > 0, st['VmLck'])
    mem = subprocess.run(['cat', '/proc/%d/environ' % s.rooms()['api']],
                         stdout=subprocess.PIPE, check=False).stdout
    case('api: an environment without secrets',
         b'DRAWBRIDGE_OPERATOR_KEY' not in mem and b'HOME' not in mem)


def another_user():
    """Started as root, the rooms are somebody else."""
    name = 'rooms belong to the configured user, not to root'
    if os.geteuid() != 0:
        print('ok %s # SKIP not root' % name)
        return
    nobody = pwd.getpwnam('nobody')
    s = service.Service(policy=service.EASY, start=False,
                        conf='user nobody\n')
    try:
        for path, folders, files in os.walk(s.data):
            for x in [path] + [os.path.join(path, f)
                               for f in folders + files]:
                shutil.chown(x, nobody.pw_uid, nobody.pw_gid)
        os.chmod(s.dir, 0o711)
        s.start()
        uids = {room: status(pid)['Uid'].split()
                for room, pid in s.rooms().items()}
        case(name, set(uids) == set(ROOMS) and all(
            u == [str(nobody.pw_uid)] * 4 for u in uids.values()), str(uids))
        s.account('carol', btc='5')
        got = s.apply(s.key('carol'), '0.1', s.address(1))
        case('and a withdrawal goes through them', got[0] == 200, str(got))
        for room in ROOMS:
            s.kill_room(room)
            s.wait_ready()
        for _ in range(100):
            uids = {room: status(pid)['Uid'].split()[0]
                    for room, pid in s.rooms().items()}
            if len(uids) == len(ROOMS) and '0' not in uids.values():
                break
            time.sleep(0.05)
        case('started anew they are still nobody', set(uids.values()) ==
             {str(nobody.pw_uid)}, str(uids))
    finally:
        s.__exit__(None, None, None)


def main():
    with service.Service(policy=service.EASY) as s:
        locked(s)
    another_user()
    case.end()


if __name__ == '__main__':
    main()
