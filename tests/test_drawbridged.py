#!/usr/bin/env python3
"""The service's processes: started, killed, told, hung and stopped."""
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get('BUILD', 'build')
PROGRAM = os.environ.get('DRAWBRIDGE', os.path.join(BUILD, 'drawbridge'))
DAEMON = os.path.join(os.path.dirname(os.path.abspath(PROGRAM)), 'drawbridged')
ROOMS = ('api', 'auth', 'console', 'engine', 'notify')
failed = []


def case(name, good, why=''):
    print('ok ' + name if good else 'not ok %s: %s' % (name, why or 'no'))
    sys.stdout.flush()
    if not good:
        failed.append(name)


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.02)
    return what()


class Daemon:
    """One drawbridged on a folder of its own."""

    def __init__(self, init=True, conf=None, env=None, args=None):
        self.dir = tempfile.mkdtemp(prefix='drawbridged-')
        self.data = os.path.join(self.dir, 'data')
        self.log_path = os.path.join(self.dir, 'log')
        self.conf = os.path.join(self.data, 'drawbridged.conf')
        self.p = None
        if init and os.path.exists(PROGRAM):
            r = subprocess.run([PROGRAM, 'init', '--data', self.data,
                                '--demo'], capture_output=True, text=True,
                               check=False)
            if r.returncode != 0:
                print('# init: ' + r.stderr.strip())
        os.makedirs(self.data, 0o700, exist_ok=True)
        if conf is not None:
            with open(self.conf, 'a', encoding='utf-8') as f:
                f.write(conf)
        self.args = args or ['--data', self.data, '--listen', '127.0.0.1:0']
        self.env = dict(os.environ, **(env or {}))

    def start(self, seconds=30):
        with open(self.log_path, 'a', encoding='utf-8') as log:
            self.p = subprocess.Popen([DAEMON] + self.args, stderr=log,
                                      stdout=subprocess.PIPE, text=True,
                                      env=self.env)
        ready, _, _ = select.select([self.p.stdout], [], [], seconds)
        return self.p.stdout.readline().strip() if ready else ''

    def log(self):
        with open(self.log_path, encoding='utf-8') as f:
            return f.read()

    def children(self):
        found = {}
        for pid in os.listdir('/proc'):
            if not pid.isdigit():
                continue
            try:
                with open('/proc/%s/stat' % pid, encoding='utf-8') as f:
                    stat = f.read()
                with open('/proc/%s/cmdline' % pid, encoding='utf-8') as f:
                    args = f.read().split('\0')
            except OSError:
                continue
            fields = stat[stat.rindex(')') + 2:].split()
            if (int(fields[1]) == self.p.pid and fields[0] != 'Z' and
                    args[0].startswith('drawbridged: ')):
                found[args[0][13:]] = int(pid)
        return found

    def ready_count(self, room):
        return len(re.findall(r' ready room=%s ' % room, self.log()))

    def stop(self, seconds=60):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGTERM)
        try:
            return self.p.wait(seconds)
        except subprocess.TimeoutExpired:
            self.p.kill()
            return None

    def end(self):
        if self.p is not None and self.p.poll() is None:
            self.p.kill()
            self.p.wait()
        if self.p is not None:
            self.p.stdout.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def answers(self):
        """Does a question get through console and engine and back?"""
        if not os.path.exists(PROGRAM):
            return False
        r = subprocess.run([PROGRAM, 'status', '--json'],
                           env=dict(os.environ, DRAWBRIDGE_DATA=self.data),
                           capture_output=True, text=True, check=False,
                           timeout=90)
        return r.returncode == 0


def test_start_and_stop():
    d = Daemon()
    line = d.start()
    m = re.fullmatch(r'ready http://127\.0\.0\.1:(\d+)', line)
    case('a ready line with the real port', m and m.group(1) != '0',
         '%r %s' % (line, d.log()))
    children = d.children()
    case('a process for each room', set(children) == set(ROOMS), children)
    with socket.create_connection(('127.0.0.1', int(m.group(1)))) as s:
        case('it listens', s.getpeername()[1] == int(m.group(1)))
    path = os.path.join(d.data, 'drawbridge.sock')
    case('the local socket is for its owner alone',
         os.stat(path).st_mode & 0o777 == 0o600, oct(os.stat(path).st_mode))
    try:
        with open('/proc/%d/environ' % children['engine'],
                  encoding='utf-8') as f:
            names = [v.split('=')[0] for v in f.read().split('\0') if v]
    except PermissionError:
        # A room that is not dumpable shows it only to root.
        names = []
    case('children have an empty environment', all(
        n in ('PATH', 'LC_ALL', 'JOURNAL_STREAM') or
        n.startswith('DRAWBRIDGE_') or n.endswith('SAN_OPTIONS')
        for n in names), names)
    with open('/proc/%d/comm' % children['engine'], encoding='utf-8') as f:
        name = f.read().strip()
    case('and a name', name == 'dbridge:engine', name)
    with open('/proc/%d/status' % d.p.pid, encoding='utf-8') as f:
        status = f.read()
    case('drawbridged itself is locked in, too',
         re.search(r'^Seccomp:\t2$', status, re.M) and
         re.search(r'^NoNewPrivs:\t1$', status, re.M), status)
    second = subprocess.run([DAEMON] + d.args, capture_output=True, text=True,
                            check=False, timeout=30)
    case('a second service on one data folder says so',
         second.returncode == 1 and 'another drawbridged works in this '
         'folder' in second.stderr, second)
    case('and the first goes on', d.p.poll() is None and
         d.children() == children)
    pids = list(children.values())
    status = d.stop()
    case('SIGTERM: status 0', status == 0, '%r %s' % (status, d.log()))
    case('no process is left', not any(os.path.exists('/proc/%d' % p)
                                       for p in pids))
    case('no socket is left', not os.path.exists(path))
    order = re.findall(r' ended room=(\w+) status=0', d.log())
    case('they stop in order', order == ['api', 'console', 'auth', 'notify',
                                         'engine'], d.log())
    d.end()


def test_stale_socket():
    d = Daemon()
    path = os.path.join(d.data, 'drawbridge.sock')
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.close()
    line = d.start()
    case('a stale socket is replaced', line.startswith('ready '), d.log())
    d.p.kill()
    d.p.wait()
    case('children die with drawbridged', wait_for(
        lambda: not d.children()), d.children())
    case('and after that it starts again', d.start().startswith('ready '),
         d.log())
    d.stop()
    os.unlink(path) if os.path.exists(path) else None
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        s.listen(1)
        case('a socket where somebody answers is not', d.start() == '' and
             d.p.wait(10) == 1 and 'answers there' in d.log(), d.log())
    d.end()


def test_kill_each():
    d = Daemon()
    d.start()
    works = wait_for(d.answers, 5)
    if not works:
        print('# `drawbridge status` does not answer: only processes are '
              'looked at')
    for room in ROOMS:
        before = d.children()
        seen = d.ready_count(room)
        os.kill(before[room], signal.SIGKILL)
        back = wait_for(lambda: d.ready_count(room) > seen and
                        d.children().get(room, before[room]) != before[room],
                        40)
        case('%s killed: it comes back' % room, back, d.log())
        after = d.children()
        case('%s killed: no other does' % room, all(
            before[r] == after.get(r) for r in ROOMS if r != room),
            '%s %s' % (before, after))
        if works:
            case('%s killed: links work again' % room,
                 wait_for(d.answers, 20), d.log())
    case('and it stops as ever', d.stop() == 0, d.log())
    d.end()


def test_engine_dies_again():
    d = Daemon()
    d.start()
    for n in range(3):
        pid = wait_for(lambda: d.children().get('engine'), 20)
        seen = d.ready_count('engine')
        os.kill(pid, signal.SIGABRT)
        wait_for(lambda: d.ready_count('engine') > seen, 40)
    case('an engine that dies three times: only reads',
         'drawbridged only-reads ' in d.log(), d.log())
    case('and it runs', 'engine' in d.children() and d.p.poll() is None)
    case('and stops', d.stop() == 0, d.log())
    d.end()


def reload(d, text):
    with open(d.conf, 'w', encoding='utf-8') as f:
        f.write(text)
    before = len(d.log())
    d.p.send_signal(signal.SIGHUP)
    wait_for(lambda: 'reloaded' in d.log()[before:])
    return d.log()[before:]


def test_reload():
    d = Daemon()
    if not os.path.exists(d.conf):
        with open(d.conf, 'w', encoding='utf-8') as f:
            f.write('network regtest\n')
    with open(d.conf, encoding='utf-8') as f:
        good = f.read()
    d.start()
    children = d.children()
    log = reload(d, good + 'receipt 20min\n')
    case('SIGHUP: a good file is taken', ' reloaded ' in log, log)
    log = reload(d, good + 'receipt 20min\nreceipts 1\n')
    n = good.count('\n') + 2
    case('SIGHUP: a bad one is told with its line', ' not-reloaded ' in log and
         'drawbridged.conf:%d:1: no setting is called `receipts`' % n in log,
         log)
    log = reload(d, re.sub('(?m)^network.*$', 'network main', good) +
                 'metrics 127.0.0.1:1\n')
    case('SIGHUP: what needs a new start is said and kept',
         'kept setting=network now=regtest file=main' in log and
         'kept setting=metrics' in log, log)
    case('and everything runs on', d.children() == children and
         d.p.poll() is None, d.children())
    case('and stops', d.stop() == 0, d.log())
    d.end()


def check(text, *args):
    with tempfile.NamedTemporaryFile('w', suffix='.conf',
                                     encoding='utf-8') as f:
        f.write(text)
        f.flush()
        return f.name, subprocess.run([DAEMON, '-c', f.name, '--check'] +
                                      list(args), capture_output=True,
                                      text=True, check=False, timeout=30)


def test_check():
    _, r = check('listen 127.0.0.1:1\n')
    case('--check of a good file', r.returncode == 0 and r.stderr == '', r)
    name, r = check('\n  listen here\n')
    case('--check of a bad one', r.returncode == 1 and r.stderr ==
         'drawbridged: %s:2:10: `listen` is ADDRESS:PORT, as 127.0.0.1:8080 '
         'or [::1]:8080, not `here`\n' % name, r)
    _, r = check('', '--listen', 'nowhere')
    case('--check looks at the command line, too', r.returncode == 1 and
         '--listen' in r.stderr, r)
    r = subprocess.run([DAEMON, '-c', '/nowhere/x', '--check'],
                       capture_output=True, text=True, check=False)
    case('a file that is not there', r.returncode == 1 and
         '/nowhere/x: No such file' in r.stderr, r)
    r = subprocess.run([DAEMON, '--wrong'], capture_output=True, text=True,
                       check=False)
    case('wrong usage: status 2', r.returncode == 2 and
         'usage:' in r.stderr, r)
    r = subprocess.run([DAEMON, '--room', 'kitchen', '3'], text=True,
                       capture_output=True, check=False)
    case('a room that there is not', r.returncode == 2, r)


def test_manual():
    source = os.environ.get('SOURCE', '.')

    def read(*path):
        with open(os.path.join(source, *path), encoding='utf-8') as f:
            return f.read()

    table = re.search(r'config_names\[\] = \{(.*?)^\};',
                      read('lib', 'config.c'), re.S | re.M).group(1)
    names = re.findall(r'^\t(?:TEXT\(|FLAG\(|NUMBER\(|\{ )"([a-z-]+)"', table,
                       re.M)
    man = re.findall(r'^\.It Ic ([a-z-]+)',
                     read('man', 'drawbridged.conf.5'), re.M)
    example = re.findall(r'^#?([a-z-]+) \S',
                         re.sub('(?m)^# .*', '',
                                read('etc', 'drawbridged.conf')), re.M)
    case('the manual has every setting, in order', man == names,
         '%s %s' % (man, names))
    case('and the example, too', sorted(example) == sorted(names),
         set(example) ^ set(names))
    text = re.sub('(?m)^#([a-z])', r'\1', read('etc', 'drawbridged.conf'))
    _, r = check(text.replace('proxy-header', '#').replace('mail-command',
                                                           '#'))
    case('the example is good in all its lines', r.returncode == 0, r)


def test_busy_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen(1)
        port = s.getsockname()[1]
        d = Daemon()
        d.args[-1] = '127.0.0.1:%d' % port
        case('a port that is taken', d.start() == '' and d.p.wait(10) == 1 and
             '127.0.0.1:%d: Address already in use' % port in d.log(),
             d.log())
        d.end()


def test_systemd():
    with tempfile.TemporaryDirectory() as folder:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind(os.path.join(folder, 'notify'))
        s.settimeout(10)
        d = Daemon(env={'NOTIFY_SOCKET': os.path.join(folder, 'notify'),
                        'WATCHDOG_USEC': '400000'})
        d.start()
        said = []
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            said.append(s.recv(1000).decode())
        case('systemd: ready', 'READY=1' in said, said)
        case('systemd: watchdog', 5 <= said.count('WATCHDOG=1') <= 12, said)
        d.p.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        d.stop()
        s.setblocking(False)
        try:
            while True:
                said.append(s.recv(1000).decode())
        except BlockingIOError:
            pass
        case('systemd: reloading, then ready', any(
            re.fullmatch(r'RELOADING=1\nMONOTONIC_USEC=\d+', x)
            for x in said) and said.count('READY=1') == 2, said)
        case('systemd: stopping', 'STOPPING=1' in said, said)
        s.close()
        d.end()


def test_hang(d, pid):
    """What was begun at the very beginning: it takes half a minute."""
    wait_for(lambda: d.ready_count('notify') == 2, 50)
    log = d.log()
    case('one that hangs is ended and started again',
         ' hangs room=notify ' in log and d.ready_count('notify') == 2 and
         d.children().get('notify', pid) != pid, log)
    case('and nobody else is', log.count(' hangs ') == 1, log)
    case('and it stops', d.stop() == 0, d.log())
    d.end()


def main():
    hung = Daemon()
    hung.start()
    time.sleep(1.2)
    pid = hung.children()['notify']
    os.kill(pid, signal.SIGSTOP)
    test_check()
    test_manual()
    test_start_and_stop()
    test_stale_socket()
    test_busy_port()
    test_reload()
    test_systemd()
    test_kill_each()
    test_engine_dies_again()
    test_hang(hung, pid)
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
