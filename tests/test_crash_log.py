#!/usr/bin/env python3
"""A journal's log after a crash, torn and garbled; its writes and syncs in
their order; what others do beside its engine; and the kills once more by
strace, which sees every call there is.
"""
import os
import re
import signal
import struct
import subprocess
import sys
import threading

import crash
from crash import PROG, RUN, Rig, case, clean, skip

JOB = {'events': 60, 'batch': 5, 'prog': RUN}
MONTHS = {'events': 200, 'batch': 5, 'every': 60}
LONG = {'events': 600, 'batch': 1, 'every': 100}
TRACED = ('pwrite64', 'write', 'fdatasync', 'fsync', 'ftruncate', 'rename',
          'renameat2', 'unlink', 'mkdir', 'fchmod')


def commits(path):
    """Where each commit in the log ends."""
    with open(path, 'rb') as f:
        log = f.read()
    page = struct.unpack('>I', log[8:12])[0]
    at, ends = 32, []
    while log[at + 8:at + 16] == log[16:24] and len(log) >= at + 24 + page:
        size = struct.unpack('>I', log[at + 4:at + 8])[0]
        at += 24 + page
        if size:
            ends.append(at)
    return ends


def torn(rig):
    """The last commit is in the log, and was not acknowledged."""
    base = rig.base(JOB)
    ref = rig.reference(base, JOB)
    dead = rig.fresh(base)
    last = max(c.n for c in ref.log if c.ack)
    r = rig.run(dead, JOB, calls='write', acks=1, at=last, do='kill')
    with open(os.path.join(dead, 'db-wal'), 'rb') as f:
        log = f.read()
    ends = commits(os.path.join(dead, 'db-wal'))
    if not r.killed() or len(ends) != len(r.acks) + 1:
        case('a log with a commit nobody knows of', [
            '%d commits, %d acknowledged' % (len(ends), len(r.acks))])
        return
    whole, end = ends[-2], ends[-1]

    def attempt(p):
        what, at = p
        d = rig.fresh(dead)
        bytes_ = bytearray(log)
        if what == 'cut':
            del bytes_[at:]
        elif what == 'flip':
            bytes_[at] ^= 1 << at % 8
        elif what == 'zeros':
            bytes_[at:] = bytes(len(bytes_) - at)
        else:
            bytes_[at:] = b'\xa5' * (len(bytes_) - at)
        with open(os.path.join(d, 'db-wal'), 'wb') as f:
            f.write(bytes_)
        # What was cut from acknowledged commits is lost, not the rest.
        acks = [a for a, e in zip(r.acks, ends) if what == 'flip' or e <= at]
        wrong = rig.restarts(d, JOB, ref.done, acks)
        clean(d)
        return wrong
    rig.each('the log cut at each of %d places',
             [('cut', at) for at in range(0, end + 1, 512)] +
             [('cut', at + 7) for at in range(0, end, 1024)], attempt)
    rig.each('the log garbled in %d ways after what was acknowledged',
             [('flip', at) for at in range(whole, end, 61)] +
             [(w, at) for w in ('zeros', 'noise')
              for at in range(whole, end, 256)], attempt)


def order(rig):
    """A kill loses nothing that was not synced; the power's failing does."""
    ref = rig.reference(rig.base(MONTHS), MONTHS)
    wrong, dirty, acks, names, writer = [], set(), 0, 0, None
    for c in ref.log:
        name = os.path.basename(c.path)
        if c.name.startswith('pwrite'):
            if name == 'db-wal' and 'db.keys' in dirty:
                wrong.append('%s: the key it needs is not on disk' % c)
            if name == 'db' and 'db-wal' in dirty and c.thread == writer:
                wrong.append('%s: before the log is on disk' % c)
            dirty.add(name)
            if name == 'db-wal':
                writer = c.thread
        elif c.sync and c.result == 0:
            dirty.discard(name)
        elif c.ack:
            acks += 1
            if 'db-wal' in dirty and c.thread == writer:
                wrong.append('%s: answered before it is on disk' % c)
        elif c.name.startswith('rename'):
            names += 1
            if name + '.tmp' in dirty:
                wrong.append('%s: named before it is on disk' % c)
            dirty.add(name)
    if not any(c.path.endswith('db.keys') and c.name.startswith('pwrite')
               for c in ref.log):
        wrong.append('no key was made')
    case('%d answers and %d names only after what they stand on is synced' %
         (acks, names), wrong, acks and names)


def strace(rig):
    """Each thread's n-th call of each name."""
    name = 'killed by strace at each of %d calls'
    try:
        good = subprocess.run(['strace', '-f', '-o', '/dev/null', '-e',
                               'inject=getppid:signal=KILL', 'true'],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        good = False
    if not good:
        skip(name.replace('each of %d', 'each of its'), 'no strace, or it '
             'may not trace')
        return
    job = dict(JOB, every=25)
    base = rig.base(job)
    trace = os.path.join(rig.folder, 'trace')
    ref = rig.run(rig.fresh(base), job, prefix=(
        'strace', '-f', '-o', trace, '-e', 'trace=' + ','.join(TRACED)))
    most = {}
    with open(trace) as f:
        for line in f:
            m = re.match(r'(\d+) +(\w+)\(', line)
            if m:
                most[m.groups()] = most.get(m.groups(), 0) + 1
    todo = sorted({(call, n) for (_, call), count in most.items()
                   for n in range(1, count + 1)})

    def attempt(p):
        d = rig.fresh(base)
        r = rig.run(d, job, prefix=(
            'strace', '-f', '-o', '/dev/null', '-e', 'trace=' + p[0], '-e',
            'inject=%s:signal=KILL:when=%d' % p))
        alive.append(not r.killed())
        if alive[-1] and r.done != ref.done:
            return 'neither killed nor well: %s %s' % (r.status, r.err)
        wrong = rig.restarts(d, job, ref.done, r.acks)
        clean(d)
        return wrong
    # The last of a kind may not come, for threads share the work anew.
    alive = []
    rig.each(name, todo, attempt)
    case('strace kills', ['hardly ever'] if sum(alive) > len(TRACED) else [])


def two(rig):
    """The second engine is told, and the first does not notice."""
    base = rig.base(JOB)
    done = rig.reference(base, JOB).done
    d = rig.fresh(base)
    p = subprocess.Popen(rig.command(d, JOB), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    out = [p.stdout.readline(), p.stdout.readline()]
    os.kill(p.pid, signal.SIGSTOP)
    second = rig.run(d, JOB)
    os.kill(p.pid, signal.SIGCONT)
    rest, err = p.communicate(timeout=crash.SECONDS)
    out += rest.splitlines()
    wrong = []
    if second.status != 1 or second.acks or err or \
            'in use by another engine (process %d)' % p.pid not in second.err:
        wrong.append('the second: %s %r' % (second.status, second.err))
    if p.returncode != 0 or done not in out:
        wrong.append('the first: %s %r' % (p.returncode, err))
    case('a second engine is refused, and the first does not notice', wrong)


def readers(rig):
    """Tools that read all the time, while engines live and are killed."""
    base = rig.base(LONG)
    ref = rig.reference(base, LONG)
    d = rig.fresh(base)
    stop, wrong, reads = threading.Event(), [], [0]

    def read():
        while not stop.is_set():
            r = subprocess.run([PROG, 'audit', 'verify', '--db',
                                os.path.join(d, 'db')], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            reads[0] += 1
            if r.returncode != 0:
                wrong.append('a reader: %s' % r.stdout[-300:])
    threads = [threading.Thread(target=read) for _ in range(2)]
    for t in threads:
        t.start()
    acks, kills = [], 0
    for i in range(6):
        r = rig.run(d, LONG, calls='write', acks=1, at=150 + 211 * i,
                    do=('kill', 'torn')[i % 2])
        kills += r.killed()
        if not r.killed() and r.status != 0:
            wrong.append('an engine beside readers: %s %s' % (r.status, r.err))
        if r.start is not None and r.start < max(acks, default=0):
            wrong.append('an acknowledged event is not there')
        acks += r.acks
    wrong.append(rig.restarts(d, LONG, ref.done, acks))
    stop.set()
    for t in threads:
        t.join()
    case('readers beside engines that are killed see only whole rows, and '
         'hold up nobody', [w for w in wrong if w], reads[0] and kills)


def main():
    rig = Rig()
    order(rig)
    torn(rig)
    two(rig)
    readers(rig)
    strace(rig)
    rig.close()
    return 1 if crash.failed else 0


if __name__ == '__main__':
    sys.exit(main())
