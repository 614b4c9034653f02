#!/usr/bin/env python3
"""What `make run` and `make stop` do: twice, on a taken port, after a power
cut, on a terminal; and what it says to try works."""
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

case = service.Cases()
ROOT = os.path.abspath(service.SOURCE)
BUILD = os.path.abspath(service.BUILD)
RUN = os.path.join(ROOT, 'tools', 'run')


class Place:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='drawbridge-run-')
        self.data = os.path.join(self.dir, 'data')
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.run('stop')
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, *args):
        """tools/run with what it is told; `stop` comes before the folder."""
        words = [RUN, BUILD] + (['stop', self.data] if args == ('stop',)
                                else [self.data, str(self.port)])
        r = subprocess.run(words, stdin=subprocess.DEVNULL, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           check=False)
        return r.returncode, r.stdout

    def pid(self):
        with open(os.path.join(self.data, 'pid'), encoding='ascii') as f:
            return int(f.read())

    def url(self):
        with open(os.path.join(self.data, 'url'), encoding='ascii') as f:
            return f.read().strip()

    def cli(self, *args):
        r = subprocess.run([service.PROGRAM] + list(args),
                           env=dict(os.environ, DRAWBRIDGE_DATA=self.data),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, check=False)
        return r.returncode, r.stdout + r.stderr


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open('/proc/%d/stat' % pid, encoding='ascii') as f:
        return f.read().rsplit(')', 1)[1].split()[0] != 'Z'


def first(p):
    status, out = p.run()
    case('the first run starts it, says where and ends', status == 0 and
         'http://127.0.0.1:%d' % p.port in out and alive(p.pid()), out)
    case('three things to try', all(w in out for w in (
        'tools/try-withdrawal http', 'withdraw.mjs http',
        'drill binance-2019')), out)
    key = re.search(r'export KEY=(dbk_\w+)\n *export SECRET=(dbs_\w+)', out)
    if case('a key and its secret are shown', key is not None, out):
        try_curl(p, key.group(1), key.group(2))
        return key.group(2)
    return 'none'


def try_curl(p, key, secret):
    if not shutil.which('curl') or not shutil.which('openssl'):
        print('ok the withdrawal with curl # SKIP no curl or no openssl')
        return
    r = subprocess.run([os.path.join(ROOT, 'tools', 'try-withdrawal'),
                        p.url()], env=dict(os.environ, KEY=key,
                                           SECRET=secret),
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, check=False)
    case('the withdrawal with curl is taken and in the history',
         re.search(r'^{"id":"(\w{32})"}\n\[{"id":"\1"', r.stdout) is not None,
         r.stdout)


def second(p, secret):
    pid = p.pid()
    status, out = p.run()
    case('a second run says that it runs already and where', status == 0 and
         'runs already' in out and p.url() in out and p.pid() == pid, out)
    case('and no secret', 'dbs_' not in out and secret not in out, out)
    code, out = p.cli('drill', 'binance-2019', '--speed', '1000')
    case('the drill finds the port by itself', code == 0 and
         'the thief got 0 BTC' in out, out[-500:])


def power_cut(p):
    pid = p.pid()
    os.kill(pid, signal.SIGKILL)
    status, out = p.run()
    case('after kill -9 it starts again', status == 0 and p.pid() != pid and
         'runs already' not in out and alive(p.pid()), out)
    code, out = p.cli('withdrawal', 'list', '--state', 'held', '--json')
    case('with what was there', code == 0 and 'u0000' in out, out[:200])


def stop(p):
    pid = p.pid()
    status, out = p.run('stop')
    case('stop ends it', status == 0 and not alive(pid), out)
    status, out = p.run('stop')
    case('a second stop has nothing to do', status == 0 and 'Nothing runs' in
         out, out)
    # The number in the file is somebody else's by now.
    with open(os.path.join(p.data, 'pid'), 'w', encoding='ascii') as f:
        f.write('%d\n' % os.getpid())
    status, out = p.run('stop')
    case('and ends no other program', status == 0 and 'Nothing runs' in out,
         out)


def taken(p):
    with socket.socket() as s:
        s.bind(('127.0.0.1', p.port))
        s.listen()
        status, out = p.run()
        case('a port that is taken: another, and it says so', status == 0 and
             'is taken' in out and ':%d' % p.port not in p.url(), out)
    p.run('stop')


def broken(p):
    conf = os.path.join(p.data, 'drawbridged.conf')
    with open(conf, encoding='utf-8') as f:
        text = f.read()
    with open(conf, 'a', encoding='utf-8') as f:
        f.write('nonsense\n')
    status, out = p.run()
    case('what does not start says why', status == 1 and 'nonsense' in out,
         out)
    with open(conf, 'w', encoding='utf-8') as f:
        f.write(text)


def read_until(fd, what, seconds):
    got, end = b'', time.monotonic() + seconds
    while what not in got and time.monotonic() < end:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            more = os.read(fd, 65536)
        except OSError:
            break
        if not more:
            break
        got += more
    return got


def terminal(p):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM='xterm', LC_ALL='C.UTF-8')
        os.execv(RUN, [RUN, BUILD, p.data, str(p.port)])
    got = read_until(fd, b'hot wallet', 60)
    case('on a terminal: what happens, live', b'hot wallet' in got and
         b'running' in got, got[-500:])
    os.write(fd, b'\x03')
    got = read_until(fd, b'ends it.', 20)
    case('Ctrl-C leaves the view', b'goes on in the background' in got,
         got[-300:])
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    case('and not the service', os.waitstatus_to_exitcode(status) == 0 and
         alive(p.pid()), status)


def main():
    with Place() as p:
        secret = first(p)
        second(p, secret)
        power_cut(p)
        stop(p)
        taken(p)
        broken(p)
        terminal(p)
    case.end()


if __name__ == '__main__':
    main()
