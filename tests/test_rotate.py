#!/usr/bin/env python3
"""Another master key while the service runs: keys go on working, the old key
is not needed any more, and whatever dies on the way, it can be ended."""
import os
import re
import shutil
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402
import test_self                                        # noqa: E402

KEYS = 150


def read(path):
    with open(path, encoding='ascii') as f:
        return f.read()


class Working(threading.Thread):
    """A customer who does not stop."""

    def __init__(self, s, key):
        super().__init__(daemon=True)
        self.s, self.key = s, key
        self.bad, self.n, self.end = [], 0, False

    def run(self):
        while not self.end:
            got = self.s.apply(self.key, '0.001', self.s.address(self.n))
            if got[0] != 200:
                self.bad.append(got[:2])
            self.n += 1


def works(s, key):
    return s.signed(key, '/api/v3/account')[0]


def whole(s, case, key, phone):
    path = os.path.join(s.data, 'master.key')
    old = read(path)
    seq = s.ask('status')['seq']
    w = Working(s, key)
    w.start()
    r = s.run('master', 'rotate')
    w.end = True
    w.join()
    case('it is done', r.returncode == 0, r.stderr)
    n = int(re.match(r'(\d+) secrets', r.stdout or '0 secrets').group(1))
    case('everything was sealed anew', n == KEYS + 3, r.stdout)
    case('keys went on working', w.n > 2 and not w.bad,
         (w.n, w.bad[:3]))
    case('another key lies there, and no other file', read(path) != old and
         not os.path.exists(path + '.new'))
    case.equal('of nobody else', os.stat(path).st_mode & 0o777, 0o600)
    case('the engine took it', s.ask('status')['seq'] >= seq + n)
    case.equal('no key became a proposal', s.ask('approve', 'list'), [])
    return old


def after(s, case, keys, phone, old):
    """A start has the new key alone."""
    key = keys[0]
    s.stop()
    s.start()
    time.sleep(1.2)
    case.equal('every key works after a start', {
        works(s, k) for k in keys}, {200})
    case.equal('the telephone, too', test_self.ask(
        s, key, 'POST', '/v1/self/addresses', {'address': s.address(5)},
        phone.totp())[0], 200)
    case.equal('and a recovery code', test_self.ask(
        s, key, 'POST', '/v1/self/addresses', {'address': s.address(6)},
        phone.recovery.pop())[0], 200)
    s.stop()
    path = os.path.join(s.data, 'master.key')
    new = read(path)
    with open(path, 'w', encoding='ascii') as f:
        f.write(old)
    s.start()
    time.sleep(1.2)
    case('with the old key nothing opens', works(s, key) != 200 and
         'another master key' in ''.join(s.tail(1000)))
    s.stop()
    with open(path, 'w', encoding='ascii') as f:
        f.write(new)
    s.start()
    time.sleep(1.2)
    case.equal('with the new one it does', works(s, key), 200)


def torn(s, case, keys):
    """auth dies in the middle, again and again."""
    path = os.path.join(s.data, 'master.key')
    for delay in (0.01, 0.02, 0.03):
        t = threading.Timer(delay, lambda: s.kill_room('auth'))
        t.start()
        r = s.run('master', 'rotate')
        t.join()
        time.sleep(0.3)
        s.wait_ready()
        end = time.monotonic() + 20
        while r.returncode != 0 and time.monotonic() < end:
            time.sleep(0.2)
            r = s.run('master', 'rotate')
        case('ended after auth died at %g s' % delay, r.returncode == 0 and
             not os.path.exists(path + '.new'), r.stderr)
    time.sleep(1.2)
    case.equal('every key works', {works(s, k) for k in keys}, {200})
    s.kill()
    s.start()
    time.sleep(1.2)
    case.equal('after a power cut as well', {works(s, k) for k in keys},
               {200})


def unread(s, case):
    """Whoever has not the old key cannot give a new one."""
    path = os.path.join(s.dir, 'mine.key')
    shutil.copy(os.path.join(s.data, 'master.key'), path)
    r = s.run('master', 'rotate', '--file', path)
    case('a copy of the key: its file is changed', r.returncode == 0,
         r.stderr)
    shutil.copy(path, os.path.join(s.data, 'master.key'))
    other = os.path.join(s.dir, 'other')
    r = s.run('init', '--data', other, '--demo', '--listen', '127.0.0.1:0')
    r = s.run('master', 'rotate', '--file', other + '/master.key')
    case('another key is refused', r.returncode == 1 and
         'another master key' in r.stderr, r.stderr)


def main():
    case = service.Cases()
    with service.Service(policy=service.EASY) as s:
        s.hot('1000')
        s.account('carol', btc='50')
        keys = [s.key('carol') for _ in range(KEYS)]
        time.sleep(1.2)
        phone = test_self.enrol(s, keys[0])
        s.cli('account', 'contact', 'carol', '--mail', 'c@example.org',
              json_=False)
        old = whole(s, case, keys[1], phone)
        after(s, case, keys, phone, old)
        torn(s, case, keys)
        unread(s, case)
        s.stop()
    case.end()


if __name__ == '__main__':
    main()
