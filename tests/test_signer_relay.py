#!/usr/bin/env python3
"""drawbridge-relay: who is heard, by whom, and what it survives."""
import os
import shutil
import signal
import socket
import ssl
import stat
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


class Stubbed(wire.Relay):
    """With the stand-in for a signer, in the folder."""

    def __init__(self, args=(), **more):
        folder = tempfile.mkdtemp(prefix='relay-')
        self.stub = os.path.join(folder, 'stub')
        shutil.copy(os.path.join(SOURCE, 'tests', 'signer_stub.py'),
                    self.stub)
        os.chmod(self.stub, 0o755)
        wire.Relay.__init__(self, folder, args, self.stub, wait=False,
                            **more)
        self.own = True
        self.write('journal', b'')
        self.write('seed', b'')

    def heard(self):
        """(pipe, type, length) of each frame; the relay's own questions for
        its status are left out."""
        with open(self.path('heard'), encoding='ascii') as f:
            rows = [tuple(map(int, line.split())) for line in f]
        return [r for r in rows if r[1:] != (wire.STATUS, 13)]


def gone(s):
    """The other side hangs up."""
    try:
        return s.recv(1) == b''
    except ConnectionError:
        return True


def sockets(r):
    mode = os.stat(r.path('signer.sock')).st_mode
    case('the requests\' socket is its owner\'s alone',
         stat.S_IMODE(mode) == 0o600, oct(mode))
    mode = os.stat(r.path('custodian.sock')).st_mode
    case('the custodian\'s socket is its owner\'s alone',
         stat.S_IMODE(mode) == 0o600, oct(mode))
    with open(r.path('fds'), encoding='ascii') as f:
        fds = f.read().split()
    # The last one is the folder that it lists.
    case('the signer holds its pipes, journal and seed, nothing else',
         fds[:7] == ['0', '1', '2', '3', '4', '5', '6'] and len(fds) == 8,
         fds)


def forwards(r):
    with r.requests() as s, r.custodian() as c:
        a = wire.ask(s, wire.STATUS, 7, number=1)
        case('a frame goes to the signer and its answer back under its tag',
             (a.kind, a.tag, a.get('body')) == (wire.DONE, 7, b'1 23 3'),
             repr(a))
        a = wire.ask(c, wire.UNLOCK, 2 ** 64 - 1, secret=b'word')
        case('the custodian is heard on the other pipe',
             (a.kind, a.tag, a.get('body')) ==
             (wire.DONE, 2 ** 64 - 1, b'32 19 4'), repr(a))
        big = wire.frame(wire.PAY, 1)
        big = wire.frame(wire.PAY, 1, psbt=b'p' * (wire.MAX - len(big) - 5))
        case('(that frame is as large as one may be)', len(big) == wire.MAX)
        s.sendall(big)
        a = wire.read_answer(s)
        case('a frame of SIGN_MAX goes through', a.get('body') ==
             b'5 %d 3' % wire.MAX, repr(a))
        a = wire.ask(s, wire.STATUS, 8, number=1005)
        case('and an answer of SIGN_MAX', len(a.raw) == wire.MAX and
             a.tag == 8, len(a.raw))


def permissions(r):
    before = len(r.heard())
    with r.requests() as s, r.custodian() as c:
        for kind in (wire.UNLOCK, wire.LOCK, wire.REARM, wire.SETTINGS,
                     wire.DONE, wire.REFUSED, 0, 13, 99, 255):
            a = wire.ask(s, kind, 40 + kind)
            case('a request may not say %d' % kind, (a.kind, a.tag,
                 a.refusal) == (wire.REFUSED, 40 + kind, wire.PERMISSION),
                 repr(a))
        for kind in (wire.DONE, wire.REFUSED, 0, 255):
            a = wire.ask(c, kind, 3)
            case('a custodian may not say %d' % kind,
                 (a.kind, a.refusal) == (wire.REFUSED, wire.PERMISSION),
                 repr(a))
    case('and the signer never heard it', len(r.heard()) == before,
         r.heard()[before:])


def tags(r):
    """Everybody uses the same tag, and nobody gets another's answer."""
    clients = [r.requests() for _ in range(10)]
    for i, s in enumerate(clients):
        s.sendall(wire.frame(wire.BURN, 5, number=2, receipts=b'r' * i))
    good = True
    for i, s in enumerate(clients):
        a = wire.read_answer(s)
        good = good and a.tag == 5 and \
            a.get('body').split()[1] == b'%d' % len(wire.frame(
                wire.BURN, 5, number=2, receipts=b'r' * i))
        s.close()
    case('ten clients with one tag get their own answers', good)


def fairness(r):
    with r.requests() as greedy, r.requests() as s:
        greedy.sendall(wire.frame(wire.STATUS, 1, number=20) * 50)
        time.sleep(0.1)
        began = time.monotonic()
        wire.ask(s, wire.HALT, 9)
        took = time.monotonic() - began
        case('who asks fifty things does not go before who asks one',
             took < 0.3, '%.3f s' % took)
        got = [wire.read_answer(greedy).tag for _ in range(50)]
        case('and gets all fifty answers', got == [1] * 50)


def stalls(r):
    half = wire.frame(wire.PAY, 1, psbt=b'x' * 1000)
    slow = [r.requests() for _ in range(8)]
    for s in slow:
        s.sendall(half[:700])
    with r.requests() as s, r.custodian() as c:
        began = time.monotonic()
        wire.ask(s, wire.STATUS)
        wire.ask(c, wire.STATUS)
        case('whoever stops amidst a frame stops nobody else',
             time.monotonic() - began < 1)
        slow[0].sendall(half[700:])
        case('and may go on', wire.read_answer(slow[0]).kind == wire.DONE)
    for s in slow:
        s.close()
    for name, bad in (('shorter than a head', struct.pack('<I', 8)),
                      ('longer than SIGN_MAX', struct.pack('<I', wire.MAX)),
                      ('of 4 GiB', b'\xff' * 4)):
        with r.requests() as s:
            s.sendall(bad + bytes(100))
            case('a frame %s ends its connection' % name, gone(s))
    with r.requests() as s:
        s.sendall(wire.frame(wire.STATUS, 1, number=100))
    with r.requests() as s:
        a = wire.ask(s, wire.STATUS, 77)
        case('whoever leaves before the answer leaves none behind',
             (a.tag, a.get('body')) == (77, b'1 13 3'), repr(a))
    many = [r.requests() for _ in range(100)]
    with r.requests() as s:
        case('a hundred who say nothing keep nobody out',
             wire.ask(s, wire.STATUS).kind == wire.DONE)
    for s in many:
        s.close()


def memory(r):
    """Announcing 16 MiB costs nothing; sending it has a limit."""
    hub = r.pid('hub')
    clients = [r.requests() for _ in range(30)]
    for s in clients:
        s.sendall(struct.pack('<I', wire.MAX - 4) + b'\x05')
    with r.requests() as s:
        wire.ask(s, wire.STATUS)
    with open('/proc/%d/status' % hub, encoding='ascii') as f:
        data = [int(line.split()[1]) for line in f
                if line.startswith('VmData')][0]
    # A sanitizer has terabytes of its own.
    case('a head that promises 16 MiB holds none', data < 64 << 10 or
         data > 1 << 30, '%d KiB' % data)
    for s in clients:
        s.sendall(bytes(15 << 20))
    cut = 0
    for s in clients:
        s.setblocking(False)
        try:
            cut += s.recv(1) == b''
        except BlockingIOError:
            pass
        except ConnectionError:
            cut += 1
    with r.requests() as s:
        case('thirty times 15 MiB are not held', cut >= 20 and
             wire.ask(s, wire.STATUS).kind == wire.DONE, cut)
    for s in clients:
        s.close()


def failures():
    """Each before a relay of its own: who fails again and again waits."""
    for number, name in ((1001, 'dies'), (1006, 'dies amidst its answer')):
        with Stubbed() as r:
            r.start()
            was = r.pid('signer')
            with r.requests() as s:
                a = wire.ask(s, wire.PAY, 6, number=number)
                case('a signer that %s: who asked is told' % name,
                     (a.kind, a.tag) == (wire.REFUSED, 6) and
                     (b'ask the same again' in a.get('reason') or
                      b'ask again' in a.get('reason')), repr(a))
                a = wire.ask(s, wire.STATUS, 8)
                case('a signer that %s: another is started' % name,
                     a.kind == wire.DONE and r.pid('signer') != was, repr(a))
    for number, name in ((1002, 'answers somebody else'),
                         (1003, 'says what is no frame'),
                         (1004, 'says more than it was asked'),
                         (1007, 'asks')):
        with Stubbed() as r:
            r.start()
            was = r.pid('signer')
            with r.requests() as s:
                a = wire.ask(s, wire.PAY, 6, number=number)
                case('a signer that %s: nobody gets it' % name,
                     a.kind == wire.REFUSED or
                     (number == 1004 and a.get('body') == b'one'), repr(a))
                r.wait_for(lambda: r.pid('signer') not in (None, was))
                a = wire.ask(s, wire.STATUS, 9)
                case('a signer that %s is ended, and another started' % name,
                     (a.kind, a.tag) == (wire.DONE, 9) and
                     'signer-broken' in r.log(), repr(a))
    with Stubbed() as r:
        r.start()
        for _ in range(3):
            with r.requests() as s:
                wire.ask(s, wire.PAY, 6, number=1001)
                wire.ask(s, wire.STATUS)
        with r.requests() as s:
            wire.ask(s, wire.PAY, 6, number=1001)
            began = time.monotonic()
            wire.ask(s, wire.STATUS)
            case('one that dies again and again is waited for, longer each '
                 'time', time.monotonic() - began > 1.5,
                 '%.1f s' % (time.monotonic() - began))


def restarts():
    with Stubbed() as r:
        r.start()
        was = r.pid('signer')
        with r.requests() as s:
            wire.ask(s, wire.STATUS)
            r.kill('hub')
            r.wait_for(lambda: r.pid('signer') not in (None, was))
            case('the hub ends: the signer and another hub are started',
                 gone(s))
        with r.requests() as s:
            case('and answer', wire.ask(s, wire.STATUS).kind == wire.DONE)
        second = wire.Relay(r.folder, program=r.stub, wait=False)
        second.start(ready=False)
        case('one journal, one signer', second.ended() == 1 and
             'another signer runs' in second.log(), second.log())
        pids = list(wire.children(r.p.pid).values())
        r.stop()
        case('SIGTERM ends it', r.p.returncode == 0, r.log())
        case('and leaves no process', not any(
            wire.alive(p) for p in pids))
        case('and no socket', not os.path.exists(r.path('signer.sock')) and
             not os.path.exists(r.path('custodian.sock')))
        r.start()
        pids = list(wire.children(r.p.pid).values())
        case('there are a signer and a hub', len(pids) == 2, pids)
        r.stop(signal.SIGKILL)
        r.wait_for(lambda: not any(wire.alive(p)
                                   for p in pids))
        time.sleep(0.2)
        case('killed, nobody outlives it', not any(
            wire.alive(p) for p in pids))
        r.start()
        with r.requests() as s:
            case('what a killed one left behind is no obstacle',
                 wire.ask(s, wire.STATUS).kind == wire.DONE)


def refuses_to_start():
    with Stubbed() as r:
        os.chmod(r.path('seed'), 0o644)
        r.start(ready=False)
        case('a seed that others may read', r.ended() == 1 and
             'others may read it' in r.log(), r.log())
        os.chmod(r.path('seed'), 0o600)
        r.write('word', b'word\n')
        os.chmod(r.path('word'), 0o640)
        args, r.args = r.args, r.args + ['--passphrase', r.path('word')]
        r.start(ready=False)
        case('a passphrase that others may read', r.ended() == 1 and
             'others may read it' in r.log(), r.log())
        r.args = args
        os.rename(r.path('journal'), r.path('journal.away'))
        r.start(ready=False)
        case('no journal', r.ended() == 1 and
             'there is no signer in this folder' in r.log(), r.log())
        os.symlink('journal.away', r.path('journal'))
        r.start(ready=False)
        case('a journal that is elsewhere', r.ended() == 1, r.log())
        os.unlink(r.path('journal'))
        os.rename(r.path('journal.away'), r.path('journal'))
        with open(r.stub, 'w', encoding='ascii') as f:
            f.write('#!/bin/sh\nexit 1\n')
        r.start(ready=False)
        case('a signer that does not start', r.ended() == 1 and
             'ended' in r.log(), r.log())


def context(folder, version=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if folder is not None:
        c.load_cert_chain(os.path.join(folder, 'identity.pem'))
    if version is not None:
        c.minimum_version = c.maximum_version = version
    return c


def tls_connect(r, c):
    s = socket.create_connection(('127.0.0.1', r.port), 20)
    return c.wrap_socket(s)


def is_cut(r, c):
    """In the handshake, or with the first byte: in TLS 1.3 a client is done
    before its certificate has been looked at."""
    try:
        with tls_connect(r, c) as s:
            s.sendall(wire.frame(wire.STATUS, 1))
            wire.read_answer(s)
            return False
    except (OSError, wire.Gone):
        return True


def s_client(r, folder, *more):
    """openssl's own; its output, with what the relay answered."""
    args = ['openssl', 's_client', '-connect', '127.0.0.1:%d' % r.port,
            '-ign_eof'] + list(more)
    if folder is not None:
        pem = os.path.join(folder, 'identity.pem')
        args += ['-cert', pem, '-key', pem]
    p = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    p.stdin.write(wire.frame(wire.STATUS, 1))
    p.stdin.flush()
    time.sleep(1)
    p.kill()
    return p.communicate()[0]


def network():
    with tempfile.TemporaryDirectory() as ours, \
         tempfile.TemporaryDirectory() as theirs, \
         Stubbed(['--listen', '127.0.0.1:0']) as r:
        r.start(ready=False)
        case('a network without an identity', r.ended() == 1 and
             '--make-identity' in r.log(), r.log())
        pin = wire.make_identity(r.folder)
        case('--make-identity says the same again',
             wire.make_identity(r.folder) == pin and len(pin) == 64)
        case('an identity is its owner\'s alone', stat.S_IMODE(os.stat(
            r.path('identity.pem')).st_mode) == 0o600)
        mine, other = wire.make_identity(ours), wire.make_identity(theirs)
        r.write('pins', b'# who may\n')
        r.start(ready=False)
        case('a network without pins', r.ended() == 1 and
             'nobody could connect' in r.log(), r.log())
        r.write('pins', b'0123 too short\n')
        r.start(ready=False)
        case('a pin that is none', r.ended() == 1 and
             'pins:1:' in r.log(), r.log())
        r.write('pins', b'# who may\n' + mine.encode() + b' chain\n')
        r.start()
        case('it says its address and pin', r.pin == pin, r.out)
        tls(r, ours, theirs, pin, other)
        pins(r, ours, theirs, mine, other)
        door(r, ours)


def tls(r, ours, theirs, pin, other):
    with tls_connect(r, context(ours)) as s:
        case('TLS 1.3', s.version() == 'TLSv1.3')
        a = wire.ask(s, wire.STATUS, 5)
        case('a pinned client is heard', (a.kind, a.tag) == (wire.DONE, 5),
             repr(a))
        der = s.getpeercert(True)
        out = subprocess.run('openssl x509 -inform der -pubkey -noout | '
                             'openssl pkey -pubin -outform der | '
                             'openssl dgst -sha256 -r', shell=True,
                             input=der, stdout=subprocess.PIPE, check=True)
        case('the pin is the SHA-256 of its public key',
             out.stdout.split()[0].decode() == pin, out.stdout)
        a = wire.ask(s, wire.UNLOCK, 6, secret=b'word')
        case('H12: the network may not unlock', a.refusal ==
             wire.PERMISSION, repr(a))
        s.sendall(wire.frame(wire.STATUS, 1) * 20)
        case('twenty at once', [wire.read_answer(s).kind
                                for _ in range(20)] == [wire.DONE] * 20)
        n = len(wire.frame(wire.PAY, 1))
        a = wire.ask(s, wire.PAY, 7, psbt=b'p' * (wire.MAX - n - 5))
        case('a frame of SIGN_MAX over TLS', a.get('body') ==
             b'5 %d 3' % wire.MAX, repr(a))
        a = wire.ask(s, wire.STATUS, 8, number=1005)
        case('and its answer', len(a.raw) == wire.MAX and a.tag == 8)
    case('a client that is not pinned is cut', is_cut(r, context(theirs)))
    case('a client without a certificate is cut', is_cut(r, context(None)))
    case('TLS 1.2 is refused', is_cut(r, context(ours,
                                                 ssl.TLSVersion.TLSv1_2)))
    out = s_client(r, ours)
    case('openssl s_client, pinned', wire.frame(wire.DONE, 1)[4:6] in out and
         b'TLSv1.3' in out and b'1 13 3' in out, out[-300:])
    case('openssl s_client, not pinned', b'1 13 3' not in s_client(r,
                                                                   theirs))
    case('openssl s_client -tls1_2', b'1 13 3' not in s_client(
        r, ours, '-tls1_2', '-cipher', 'ALL:@SECLEVEL=0'))
    with socket.create_connection(('127.0.0.1', r.port), 20) as s:
        s.sendall(b'GET / HTTP/1.1\r\n\r\n')
        s.settimeout(5)
        try:
            got = s.recv(100)
            while got and s.recv(100):
                pass
            ended = True
        except ConnectionError:
            ended = True
        except socket.timeout:
            ended = False
        case('what is no TLS is cut', ended)
    case('who was cut is not said to be connected', other not in r.log())


def pins(r, ours, theirs, mine, other):
    signer, was = r.pid('signer'), r.pid('door')
    with tls_connect(r, context(ours)) as s:
        wire.ask(s, wire.STATUS)
        r.write('pins', b'what is no pin\n')
        r.p.send_signal(signal.SIGHUP)
        r.wait_for(lambda: 'not-reloaded' in r.log())
        case('pins that are none change nothing', r.pid('door') == was and
             wire.ask(s, wire.STATUS).kind == wire.DONE and
             'pins:1:' in r.log(), r.log())
        r.write('pins', other.encode() + b' another\n')
        r.p.send_signal(signal.SIGHUP)
        case('other pins end all connections', gone(s))
    r.wait_for(lambda: r.pid('door') not in (None, was))
    case('who is pinned now is heard', not is_cut(r, context(theirs)))
    case('and who is no more is not', is_cut(r, context(ours)))
    case('before the same signer', r.pid('signer') == signer)
    r.write('pins', mine.encode() + b' as before\n')
    was = r.pid('door')
    r.p.send_signal(signal.SIGHUP)
    r.wait_for(lambda: r.pid('door') not in (None, was))


def fds_of(pid):
    found = []
    for fd in os.listdir('/proc/%d/fd' % pid):
        try:
            found.append(os.readlink('/proc/%d/fd/%s' % (pid, fd)))
        except OSError:
            pass
    return found


def tcp_inodes():
    found = set()
    with open('/proc/net/tcp', encoding='ascii') as f:
        for line in f.readlines()[1:]:
            found.add('socket:[%s]' % line.split()[9])
    return found


def door(r, ours):
    silent = [socket.create_connection(('127.0.0.1', r.port), 20)
              for _ in range(100)]
    case('a hundred strangers keep no one out', not is_cut(r, context(ours)))
    for s in silent:
        s.close()
    signer, hub = r.pid('signer'), r.pid('hub')
    with tls_connect(r, context(ours)) as s:
        wire.ask(s, wire.STATUS)
        r.kill('door')
        case('the door ends: its connections end', gone(s))
    for _ in range(100):
        if not is_cut(r, context(ours)):
            break
        time.sleep(0.1)
    case('and another opens, before the same signer',
         not is_cut(r, context(ours)) and r.pid('signer') == signer and
         r.pid('hub') == hub)
    for name in ('hub', 'door'):
        pid = r.pid(name)
        with open('/proc/%d/status' % pid, encoding='ascii') as f:
            st = dict(line.rstrip('\n').split(':\t', 1) for line in f
                      if ':\t' in line)
        case('the %s is locked in' % name, st['Seccomp'] == '2' and
             st['NoNewPrivs'] == '1' and int(st['CapEff'], 16) == 0 and
             (os.geteuid() != 0 or int(st['CapBnd'], 16) == 0), str(st))
        if os.geteuid() != 0:
            print('ok what the %s holds # SKIP only root sees it' % name)
            continue
        names = fds_of(pid)
        case('the %s holds no file of the signer\'s' % name, not any(
            n.startswith(r.folder) for n in names), names)
    if os.geteuid() != 0:
        return
    case('the hub holds nothing of the network',
         not set(fds_of(r.pid('hub'))) & tcp_inodes())
    case('the starter holds no passphrase and reads nothing',
         'signer-passphrase' not in str(fds_of(r.p.pid)))


def groups():
    name = 'a group may have the requests\' socket'
    if os.geteuid() != 0:
        print('ok %s # SKIP not root' % name)
        return
    with Stubbed(['--group', 'nogroup']) as r:
        r.start()
        st = os.stat(r.path('signer.sock'))
        case(name, stat.S_IMODE(st.st_mode) == 0o660 and st.st_gid != 0,
             oct(st.st_mode))
        case('and not the custodian\'s', stat.S_IMODE(os.stat(
            r.path('custodian.sock')).st_mode) == 0o600)
    with Stubbed(['--user', 'nobody']) as r:
        os.chmod(r.folder, 0o711)
        for n in os.listdir(r.folder):
            shutil.chown(r.path(n), 'nobody', 'nogroup')
        shutil.chown(r.folder, 'nobody', 'nogroup')
        r.start()
        uids = set()
        for pid in list(wire.children(r.p.pid).values()) + [r.p.pid]:
            with open('/proc/%d/status' % pid, encoding='ascii') as f:
                for line in f:
                    if line.startswith('Uid:'):
                        uids.update(line.split()[1:])
        case('as another user all of it is somebody else', uids ==
             {'65534'}, uids)
        with r.requests() as s:
            case('and works', wire.ask(s, wire.STATUS).kind == wire.DONE)


def main():
    with Stubbed() as r:
        r.start()
        sockets(r)
        forwards(r)
        permissions(r)
        tags(r)
        fairness(r)
        stalls(r)
        memory(r)
    failures()
    restarts()
    refuses_to_start()
    network()
    groups()
    case.end()


if __name__ == '__main__':
    main()
