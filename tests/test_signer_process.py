#!/usr/bin/env python3
"""drawbridge-signer as a process: what it has, what it may, whom it hears."""
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ.get('SOURCE', '.')
sys.path.insert(0, os.path.join(SOURCE, 'tests'))
import service                                          # noqa: E402
import signer_wire as wire                              # noqa: E402

case = service.Cases()
FOUND = os.path.abspath(os.path.join(wire.BUILD, 'signer', 'signer-found'))
ROOT = os.geteuid() == 0
REFUSED = wire.refusals(SOURCE)
WORD = b'correct horse battery staple'
SETTINGS = """\
network regtest
deployment 00112233445566778899aabbccddeeff
engine d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a
epoch 1
wallet wpkh
operator alice 3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4\
660c approve,custodian
quorum 1
per-transaction 1 BTC
short-window 144 blocks 2 BTC
long-window 2016 blocks 5 BTC
fee 0.01 BTC
fee-rate 200 sat/vB
spike-fee 0.1 BTC
spike-fee-rate 2000 sat/vB
approve-above 0.5 BTC
change-outputs 16
delay 144 blocks
sequence-jump 1000000
"""


def found(folder):
    path = os.path.join(folder, 'settings')
    with open(path, 'w', encoding='ascii') as f:
        f.write(SETTINGS)
    subprocess.run([FOUND, folder, path, WORD.decode()], check=True)


def why(a):
    return REFUSED[a.refusal].lower() if a.refusal else 'done'


class Signer:
    """The program alone, on socket pairs of ours."""

    def __init__(self, folder, passphrase=None, before=(), leave_out=(),
                 env=()):
        self.requests, theirs = socket.socketpair()
        self.custodian, theirs2 = socket.socketpair()
        for s in (self.requests, self.custodian):
            s.settimeout(30)
        files = [os.open(os.path.join(folder, 'journal'), os.O_RDWR),
                 os.open(os.path.join(folder, 'seed'), os.O_RDONLY)]
        if passphrase is not None:
            files.append(os.open(passphrase, os.O_RDONLY))
        fds = [theirs.fileno(), theirs2.fileno()] + files

        def give():
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in fds]
            os.closerange(3, 100)
            for n, fd in enumerate(high, 3):
                if n not in leave_out:
                    os.dup2(fd, n)

        self.p = subprocess.Popen(list(before) + [wire.SIGNER],
                                  preexec_fn=give, close_fds=False,
                                  env=dict(env),
                                  stderr=subprocess.PIPE)
        for s in (theirs, theirs2):
            s.close()
        for fd in files:
            os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Its log; it ends by itself when its pipes do."""
        self.requests.close()
        self.custodian.close()
        try:
            log = self.p.communicate(timeout=20)[1].decode()
        except subprocess.TimeoutExpired:
            self.p.kill()
            log = self.p.communicate()[1].decode() + '\nkilled'
        return log


def status_of(pid):
    with open('/proc/%d/status' % pid, encoding='ascii') as f:
        return dict(line.rstrip('\n').split(':\t', 1) for line in f
                    if ':\t' in line)


def fds_of(pid):
    found_fds = {}
    for fd in os.listdir('/proc/%d/fd' % pid):
        found_fds[int(fd)] = os.readlink('/proc/%d/fd/%s' % (pid, fd))
    return found_fds


def remembers(pid, word):
    """Is it in what this process could write to?"""
    with open('/proc/%d/maps' % pid, encoding='ascii') as maps, \
         open('/proc/%d/mem' % pid, 'rb', 0) as mem:
        for line in maps:
            words = line.split()
            if words[1][1] != 'w':
                continue
            at, end = (int(x, 16) for x in words[0].split('-'))
            try:
                mem.seek(at)
                if word in mem.read(end - at):
                    return True
            except OSError:
                continue
    return False


def locked_and_unlocked(folder):
    with Signer(folder) as s:
        a = wire.ask(s.requests, wire.STATUS, 3)
        case('a locked signer says so', (a.kind, a.tag) == (wire.DONE, 3) and
             b'locked' in a.get('body'), repr(a))
        a = wire.ask(s.requests, wire.PAY, 4, psbt=b'psbt\xff\0')
        case('and signs nothing', why(a) in ('locked', 'malformed'), repr(a))
        a = wire.ask(s.requests, wire.UNLOCK, 5, secret=WORD)
        case('H12: requests cannot unlock it', why(a) == 'permission',
             repr(a))
        a = wire.ask(s.custodian, wire.UNLOCK, 6, secret=b'wrong')
        case('a wrong passphrase', why(a) == 'passphrase', repr(a))
        a = wire.ask(s.custodian, wire.UNLOCK, 7, secret=WORD)
        case('the right one', why(a) == 'done', repr(a))
        a = wire.ask(s.requests, wire.DESCRIPTORS, 8)
        case('unlocked it knows its wallet', why(a) == 'done' and
             a.get('body').startswith(b'wpkh('), repr(a))
        if ROOT:
            case('(a word that a process holds would be found)',
                 remembers(os.getpid(), WORD))
            case('and has forgotten the passphrase',
                 not remembers(s.p.pid, WORD))
        st = status_of(s.p.pid)
        case('its secrets are locked in memory',
             int(st['VmLck'].split()[0]) > 0, st['VmLck'])
        a = wire.ask(s.custodian, wire.LOCK, 9)
        case('the custodian locks it', why(a) == 'done' and
             why(wire.ask(s.requests, wire.DESCRIPTORS, 10)) == 'locked',
             repr(a))
        log = s.close()
        case('what it refused and did stands in the log',
             'refused asked=pay' in log and 'by=requests' in log and
             'why=passphrase' in log and 'done asked=lock by=custodian' in
             log and 'asked=status' not in log, log)
        case('it ends when its pipes end', s.p.returncode == 0, log)
        case('no secret stands in the log', WORD.decode() not in log, log)


def confined(folder):
    with Signer(folder) as s:
        wire.ask(s.custodian, wire.UNLOCK, 1, secret=WORD)
        st = status_of(s.p.pid)
        case('seccomp filters', st['Seccomp'] == '2', st['Seccomp'])
        case('no new privileges', st['NoNewPrivs'] == '1')
        # Only root has a bounding set to drop.
        case('no capabilities', not any(int(st[n], 16) for n in (
            'CapInh', 'CapPrm', 'CapEff', 'CapAmb') + (
                ('CapBnd',) if ROOT else ())), st)
        case('one thread', st['Threads'] == '1')
        with open('/proc/%d/limits' % s.p.pid, encoding='ascii') as f:
            limits = f.read()
        case('no core dump', re.search(r'Max core file size +0 +0', limits)
             is not None, limits)
        case('its memory has a limit', re.search(
            r'Max data size +[0-9]+ ', limits) is not None, limits)
        if not ROOT:
            print('ok what it holds # SKIP only root sees it')
        else:
            fds = fds_of(s.p.pid)
            case('it holds its pipes, its journal, its seed',
                 sorted(fds) == [0, 1, 2, 3, 4, 5, 6] and
                 fds[5].endswith('/journal') and
                 fds[6].endswith('/seed'), fds)
            case('it has a network of its own, which is empty',
                 os.readlink('/proc/%d/ns/net' % s.p.pid) !=
                 os.readlink('/proc/self/ns/net'))


def allowed():
    out = subprocess.run([wire.SIGNER, '--calls'], check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    return [line.split()[0] for line in out.splitlines()]


def traced(folder):
    """What it really calls, from its filter on."""
    names = allowed()
    case('at most twenty calls', 0 < len(names) <= 20, names)
    with open(os.path.join(SOURCE, 'man', 'drawbridge-relay.8'),
              encoding='utf-8') as f:
        text = f.read()
    case('the manual names each of them', all(
        re.search(r'\b%s\b' % n, text) for n in names), [
            n for n in names if not re.search(r'\b%s\b' % n, text)])
    if shutil.which('strace') is None:
        print('ok the calls it makes # SKIP no strace')
        return
    out = os.path.join(folder, 'trace')
    with Signer(folder, before=['strace', '-f', '-o', out]) as s:
        wire.ask(s.requests, wire.STATUS)
        wire.ask(s.custodian, wire.UNLOCK, secret=b'wrong')
        wire.ask(s.custodian, wire.UNLOCK, secret=WORD)
        wire.ask(s.requests, wire.STATUS)
        wire.ask(s.requests, wire.DESCRIPTORS)
        wire.ask(s.requests, wire.PAY, psbt=b'p' * (8 << 20))
        wire.ask(s.requests, wire.HALT, reason=b'a test')
        wire.ask(s.custodian, wire.LOCK)
        s.close()
    with open(out, encoding='utf-8', errors='replace') as f:
        lines = [line.split(None, 1)[1] for line in f if ' ' in line]
    at = max(i for i, line in enumerate(lines) if line.startswith('seccomp('))
    calls = {re.match(r'\w+', line).group(0) for line in lines[at + 1:]
             if re.match(r'\w+\(', line)}
    case('once locked in it makes calls of its list alone',
         calls and calls - set(names) <= {'mremap'},
         sorted(calls - set(names)))
    print('# it made %d kinds: %s' % (len(calls), ' '.join(sorted(calls))))
    case('and none of them killed it', not any(
        'SIGSYS' in line for line in lines))
    opened = [line for line in lines[at + 1:] if 'open' in
              line.split('(')[0]]
    case('it opens nothing', not opened, opened[:3])


def pipes(folder):
    """Each pipe stands in its own place of a frame."""
    with Signer(folder) as s:
        f = wire.frame(wire.PAY, 1, psbt=b'x' * 5000)
        s.requests.sendall(f[:4000])
        began = time.monotonic()
        a = wire.ask(s.custodian, wire.HALT, 2, reason=b'now')
        case('requests that stall do not keep the custodian waiting',
             why(a) == 'done' and time.monotonic() - began < 2, repr(a))
        s.requests.sendall(f[4000:])
        case('and go on', wire.read_answer(s.requests).tag == 1)
        for b in wire.frame(wire.STATUS, 77):
            s.requests.sendall(bytes([b]))
        case('a byte at a time', wire.read_answer(s.requests).tag == 77)
        s.requests.setblocking(False)
        sent = 0
        try:
            while sent < 5000:
                s.requests.send(wire.frame(wire.STATUS, sent + 1))
                sent += 1
        except BlockingIOError:
            pass
        began = time.monotonic()
        a = wire.ask(s.custodian, wire.STATUS, 3)
        case('answers that nobody reads do not either',
             a.tag == 3 and time.monotonic() - began < 2, sent)
        s.requests.setblocking(True)
        s.requests.settimeout(30)
        tags = [wire.read_answer(s.requests).tag for _ in range(sent)]
        case('and all come, in order', tags == list(range(1, sent + 1)), sent)
        for n in range(1000):
            wire.ask(s.requests, wire.UNLOCK, n)
        a = wire.ask(s.requests, 99, 5)
        case('a type that is none', why(a) in ('malformed', 'permission'),
             repr(a))
        a = wire.ask(s.requests, wire.DONE, 5)
        case('an answer', why(a) in ('malformed', 'permission'), repr(a))
        s.requests.sendall(struct.pack('<I', 0xffffffff) + b'\x05')
        a = wire.read_answer(s.requests)
        case('what no frame begins with is refused',
             (why(a), a.tag) == ('malformed', 0), repr(a))
        a = wire.ask(s.custodian, wire.STATUS, 6)
        case('and the custodian is still heard', a.tag == 6)
        log = s.close()
        case('a thousand refusals do not fill the log',
             100 < log.count('\n') < 300, log.count('\n'))


def starts(folder):
    for missing in (3, 4, 5, 6):
        with Signer(folder, leave_out=(missing,)) as s:
            s.p.wait(20)
            log = s.close()
            case('without its descriptor %d it does not start' % missing,
                 s.p.returncode == 1 and '(%d)' % missing in log, log)
    with open(os.path.join(folder, 'journal'), 'rb') as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        with Signer(folder) as s:
            s.p.wait(20)
            log = s.close()
            case('another has its journal', s.p.returncode == 1 and
                 'another signer' in log, log)
    bad = tempfile.mkdtemp(prefix='signer-')
    try:
        for name in ('journal', 'seed'):
            shutil.copy(os.path.join(folder, name), bad)
        with open(os.path.join(bad, 'journal'), 'r+b') as f:
            f.write(b'DRAW')
        with Signer(bad) as s:
            s.p.wait(20)
            log = s.close()
            case('a journal that is none', s.p.returncode == 1 and
                 'journal' in log, log)
    finally:
        shutil.rmtree(bad)
    word = os.path.join(folder, 'word')
    for content, good in ((WORD, True), (WORD + b'\n', True),
                          (WORD + b'\n\n', False), (b'', False),
                          (b'\n', False), (b'x' * 2000, False)):
        with open(word, 'wb') as f:
            f.write(content)
        with Signer(folder, passphrase=word) as s:
            a = wire.ask(s.requests, wire.DESCRIPTORS)
            case('H12: a credential %r' % content[-8:],
                 (why(a) == 'done') == good, repr(a))
            if ROOT:
                case('H12: which is closed once it is read',
                     sorted(fds_of(s.p.pid)) == [0, 1, 2, 3, 4, 5, 6])
            if ROOT and good:
                case('H12: and forgotten', not remembers(s.p.pid, WORD))
    os.unlink(word)


def behind_a_relay(folder):
    with wire.Relay(folder) as r:
        with r.requests() as s, r.custodian() as c:
            a = wire.ask(s, wire.DESCRIPTORS)
            case('H12: without a credential it waits to be unlocked',
                 why(a) == 'locked' and 'drawbridge signer unlock' in
                 r.log(), repr(a))
            a = wire.ask(c, wire.UNLOCK, 2, secret=WORD)
            case('the custodian unlocks it', why(a) == 'done', repr(a))
            if ROOT:
                who = [n for n, pid in wire.children(r.p.pid).items()
                       if remembers(pid, WORD)]
                case('nobody remembers the passphrase', not who and
                     not remembers(r.p.pid, WORD), who)
                fds = fds_of(r.pid('signer'))
                case('behind a relay it holds the same', sorted(fds) ==
                     [0, 1, 2, 3, 4, 5, 6], fds)
            os.kill(r.pid('signer'), signal.SIGKILL)
            a = wire.ask(s, wire.STATUS, 4)
            while a.kind == wire.REFUSED and b'ask again' in a.get('reason'):
                a = wire.ask(s, wire.STATUS, 4)
            a = wire.ask(s, wire.DESCRIPTORS, 5)
            case('H12: started anew it is locked again', why(a) == 'locked',
                 repr(a))
    case('no process is left', r.p.returncode == 0)
    credentials = tempfile.mkdtemp(prefix='credentials-')
    try:
        path = os.path.join(credentials, 'signer-passphrase')
        with open(path, 'wb', opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(WORD + b'\n')
        # As it looks with systemd's access list.
        os.chmod(path, 0o440)
        env = dict(os.environ, CREDENTIALS_DIRECTORY=credentials)
        with wire.Relay(folder, env=env) as r:
            with r.requests() as s:
                a = wire.ask(s, wire.DESCRIPTORS)
                case('H12: systemd\'s credential unlocks it',
                     why(a) == 'done', repr(a))
                r.kill('signer')
                for _ in range(100):
                    a = wire.ask(s, wire.DESCRIPTORS)
                    if why(a) == 'done':
                        break
                    time.sleep(0.1)
                case('H12: and again when it was started anew',
                     why(a) == 'done', repr(a))
            if ROOT:
                case('H12: the hub and the starter never read it', not any(
                    remembers(pid, WORD)
                    for pid in (r.p.pid, r.pid('hub'))))
    finally:
        shutil.rmtree(credentials)


FAST = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

/* The time since the machine started goes a thousand times as fast. */
int
clock_gettime(clockid_t which, struct timespec *t)
{
	static int	(*real)(clockid_t, struct timespec *);
	static struct timespec began;
	long long	 ms;

	if (real == 0)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT,
		    "clock_gettime");
	if (real(which, t) != 0 || which != CLOCK_BOOTTIME)
		return 0;
	if (began.tv_sec == 0)
		began = *t;
	ms = (t->tv_sec - began.tv_sec) * 1000LL * 1000 +
	    (t->tv_nsec - began.tv_nsec) / 1000;
	t->tv_sec = began.tv_sec + ms / 1000;
	t->tv_nsec = ms % 1000 * 1000000;
	return 0;
}
"""


def seconds(a):
    """How long it says that it has run."""
    return int(re.search(rb'^running ([0-9]+)$', a.get('body'),
                         re.M).group(1)) // 1000


def time_passes(folder):
    """C3: how long it ran is written down as it runs."""
    source, made = (os.path.join(folder, n) for n in ('fast.c', 'fast.so'))
    with open(source, 'w', encoding='ascii') as f:
        f.write(FAST)
    subprocess.run(['cc', '-shared', '-fPIC', '-o', made, source, '-ldl'],
                   check=True)
    journal = os.path.join(folder, 'journal')
    with Signer(folder, env={'LD_PRELOAD': made}) as s:
        wire.ask(s.custodian, wire.UNLOCK, 1, secret=WORD)
        before = os.path.getsize(journal)
        for _ in range(3):
            time.sleep(0.65)
            a = wire.ask(s.requests, wire.STATUS, 2)
        grown = os.path.getsize(journal) - before
        ran = seconds(a)
        case('C3: every ten minutes its journal says how long it ran',
             grown > 0 and ran >= 1800, '%d bytes, %d s' % (grown, ran))
        s.p.kill()
    with Signer(folder) as s:
        wire.ask(s.custodian, wire.UNLOCK, 1, secret=WORD)
        again = seconds(wire.ask(s.requests, wire.STATUS, 2))
        case('C3: killed it has forgotten ten minutes at most',
             ran - 700 <= again <= ran + 300, '%d s of %d' % (again, ran))


def by_the_command_line(folder):
    """`drawbridge signer`, from this host and from another."""
    theirs = tempfile.mkdtemp(prefix='client-')
    pem = os.path.join(theirs, 'identity.pem')

    def run(*args):
        p = subprocess.run([os.environ.get('DRAWBRIDGE') or os.path.join(
            wire.BUILD, 'drawbridge'), 'signer'] + list(args),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return p.returncode, p.stdout.decode()

    try:
        status, pin = run('identity', pem)
        case('an identity is made for who asks', status == 0 and
             re.search(r'[0-9a-f]{64}', pin) is not None, pin)
        pin = re.search(r'[0-9a-f]{64}', pin).group(0)
        wire.make_identity(folder)
        with open(os.path.join(folder, 'pins'), 'w', encoding='ascii') as f:
            f.write(pin + ' a test\n')
        with wire.Relay(folder, ['--listen', '127.0.0.1:0']) as r:
            status, out = run('status', '--data', folder)
            case('status at the local socket', status == 0 and
                 re.search(r'^locked +yes', out, re.M) is not None, out)
            where = ['--host', '127.0.0.1:%d' % r.port, '--identity', pem]
            status, out = run('status', '--pin', r.pin, *where)
            case('status over TLS', status == 0 and
                 re.search(r'^locked +yes', out, re.M) is not None, out)
            status, out = run('status', '--pin', pin, *where)
            case('a signer with another pin is not asked', status != 0 and
                 'verify failed' in out, out)
    finally:
        shutil.rmtree(theirs)


def beside_drawbridged(folder):
    with service.Service(policy=service.EASY,
                         conf='signer-folder %s\n' % folder) as s:
        path = os.path.join(folder, 'signer.sock')
        for _ in range(200):
            if os.path.exists(path):
                break
            time.sleep(0.05)
        with wire.connect(path) as c:
            a = wire.ask(c, wire.STATUS)
            case('signer-folder: drawbridged runs it', why(a) == 'done',
                 repr(a))
        relay = wire.children(s.process.pid)['drawbridge-rela']
        others = list(wire.children(relay).values())
        os.kill(relay, signal.SIGKILL)
        for _ in range(200):
            again = wire.children(s.process.pid).get('drawbridge-rela')
            if again not in (None, relay) and len(
                    wire.children(again)) == 2:
                break
            time.sleep(0.05)
        case('and starts it again', again not in (None, relay), again)
        time.sleep(0.2)
        case('what the one before had started is gone',
             not any(wire.alive(pid) for pid in others))
        case('the service goes on', s.process.poll() is None and
             len(s.rooms()) == 5)
        pids = [again] + list(wire.children(again).values())
    case('with drawbridged it ends', not any(wire.alive(pid)
                                             for pid in pids))
    with service.Service(policy=service.EASY,
                         conf='signer-folder /nowhere\n') as s:
        case('a signer that is not there does not stop the service',
             s.process.poll() is None)


def ready_for_systemd(folder):
    path = os.path.join(folder, 'notify')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(20)
        env = dict(os.environ, NOTIFY_SOCKET=path)
        with wire.Relay(folder, env=env) as r:
            case('systemd is told when the signer answers',
                 s.recv(100) == b'READY=1')
            r.stop()
            case('and when it stops', s.recv(100) == b'STOPPING=1')
    os.unlink(path)


def main():
    if os.environ.get('ASAN_OPTIONS'):
        print('ok the signer\'s process # SKIP a sanitizer')
        return
    folder = tempfile.mkdtemp(prefix='signer-')
    try:
        found(folder)
        locked_and_unlocked(folder)
        confined(folder)
        starts(folder)
        behind_a_relay(folder)
        ready_for_systemd(folder)
        beside_drawbridged(folder)
        by_the_command_line(folder)
        time_passes(folder)
        # Here it is halted: last.
        traced(folder)
        pipes(folder)
    finally:
        shutil.rmtree(folder)
    case.end()


if __name__ == '__main__':
    main()
