#!/usr/bin/env python3
"""A journal on a disk that fills or fails, or without memory: each call in
turn goes wrong, once or from then on.  The process ends with one sentence, or
goes on where the call was not needed; nothing is answered that was not
durable, a failed sync is never tried again, and the next start finds all.
"""
import errno
import os
import sys

import crash
from crash import Rig, clean

PLAIN = {'events': 60, 'batch': 5}
SNAPSHOTS = {'events': 60, 'batch': 5, 'every': 15}
LOGFUL = {'events': 70, 'batch': 1, 'every': 30}
CHANGE = {'events': 30, 'batch': 5, 'every': 25, 'change': 13}
SHORT = {'events': 20, 'batch': 5, 'every': 10, 'change': 13}
# The last words of what ends at once without memory.
NOTHING = ('policy: out of memory\n', 'engine: out of memory\n')


def sentence(r, d, named):
    """Why it ended is one line, and names the file."""
    if not r.err.startswith('journal_run: ') or r.err.count('\n') != 1:
        return 'not one sentence: %r' % r.err
    if named and d + '/' not in r.err and d not in r.err:
        return 'no file is named: %r' % r.err
    return None


def syncs(r):
    """No sync of a file after one that failed, but that another descriptor
    of it is told as well, and nothing is answered that was synced after.

    SQLite syncs folders (fdatasync) and does not mind when that fails; the
    engine does it itself before (fsync), and minds.
    """
    bad = {}
    synced = {}
    # In the order in which they began; a line is written at a call's end.
    for c in sorted(r.log, key=lambda c: c.n):
        # Another process may do without the snapshot that one could not
        # write.
        if c.who == 'child':
            continue
        if c.sync and not (c.name == 'fdatasync' and os.path.isdir(c.path)):
            if c.path in bad and (c.result == 0 or
                                  c.thread in bad[c.path]):
                return 'a second sync of %s after one that failed' % c.path
            if c.result < 0:
                bad.setdefault(c.path, []).append(c.thread)
        if c.sync and c.path.endswith('/db-wal'):
            synced[c.thread] = c.path in bad
        if c.ack and (synced.get(c.thread) or
                      any(x.endswith('/db.keys') for x in bad)):
            return 'an answer after a failed sync'
    return None


def judge(rig, base, job, done, named=True, **fault):
    """One run in which something goes wrong, and the start after it."""
    d = rig.fresh(base)
    r = rig.run(d, job, **fault)
    wrong = None
    if r.status == 0:
        # What it did without was not needed.
        if done is not None and r.done != done:
            wrong = 'went on to another state: %s' % r.done
    elif r.status == -6 and r.err in NOTHING:
        # Where there is nobody to tell: see policy/mem.h, engine/save.c.
        pass
    elif r.status != 1:
        wrong = 'status %s %r' % (r.status, r.err)
    else:
        wrong = sentence(r, d, named)
    wrong = wrong or syncs(r)
    if wrong is None and done is not None:
        wrong = rig.restarts(d, job, done, r.acks)
    elif wrong is None:
        again = rig.run(d, job)
        if again.status != 0:
            wrong = 'starts no more: ' + again.err
        elif again.start < max(r.acks, default=0):
            wrong = 'an acknowledged event is not there'
    clean(d)
    return wrong


def faults(calls, numbers, stride, who='main'):
    every = [c for c in calls if c.who == who and not c.ack]
    for i, c in enumerate(every):
        for no in numbers:
            yield c.n, no, False
            if i % stride == 0:
                yield c.n, no, True


def fail(rig, name, base, job, ref, calls='write', stride=3,
         numbers=(errno.ENOSPC, errno.EIO), who='main', done=True):
    def attempt(p):
        at, no, on = p
        f = {'on': 1} if on else {}
        return judge(rig, base, job, ref.done if done else None,
                     calls=calls, acks=1, at=at, do=no, who=who, **f)
    rig.each(name, faults(ref.log, numbers, stride, who), attempt)


def disk(rig, name, job):
    base = rig.base(job)
    ref = rig.reference(base, job)
    fail(rig, 'a disk full or failing at each of %d places, ' + name, base,
         job, ref)
    return base, ref


def recovery(rig, base, job, done):
    """The disk fails while a killed journal starts."""
    dead = rig.fresh(base)
    n = max(c.n for c in rig.run(rig.fresh(base), job, acks=1).log
            if c.ack) * 2 // 3
    first = rig.run(dead, job, calls='write', acks=1, at=n, do='kill')
    start = rig.run(rig.fresh(dead), job, acks=1)
    until = next(c.n for c in start.log if c.ack)
    start.log = [c for c in start.log if c.n <= until]
    fail(rig, 'a disk full or failing at each of %d places of a recovery',
         dead, job, start)
    crash.case('what was killed had answered', [] if first.acks else
               ['nothing'])


def reading(rig, base, job):
    ref = rig.run(rig.fresh(base), job, calls='read')
    fail(rig, 'a disk that cannot be read at each of %d places', base, job,
         ref, calls='read', numbers=(errno.EIO,))


def creation(rig, job):
    ref = rig.run(rig.fresh(), job, acks=1)
    until = next(c.n for c in ref.log if c.ack) + 3
    ref.log = [c for c in ref.log if c.n <= until]
    fail(rig, 'a disk full or failing at each of %d places of a creation',
         None, job, ref, done=False)


def memory(rig, base, job, name):
    ref = rig.run(rig.fresh(base), job, calls='alloc')
    done = rig.reference(base, job).done if base else None
    # All of the start, and a part of what repeats itself.
    todo = [c.n for c in ref.log if c.who == 'main']
    todo = [n for i, n in enumerate(todo) if i < 200 or i % 16 == 5]

    def attempt(n):
        return judge(rig, base, job, done, named=False, calls='alloc', at=n,
                     do=errno.ENOMEM)
    rig.each('without memory at each of %d allocations, ' + name, todo,
             attempt)


def main():
    rig = Rig()
    base, ref = disk(rig, 'without snapshots', PLAIN)
    recovery(rig, base, PLAIN, ref.done)
    base, ref = disk(rig, 'with snapshots', SNAPSHOTS)
    fail(rig, 'a disk full or failing at each of %d places of a snapshot',
         base, SNAPSHOTS, ref, who='child')
    reading(rig, base, SNAPSHOTS)
    disk(rig, 'in and between checkpoints', LOGFUL)
    disk(rig, 'while the policy changes', CHANGE)
    creation(rig, dict(PLAIN, events=10))
    base = rig.base(SHORT)
    memory(rig, base, SHORT, 'going on')
    memory(rig, None, dict(SHORT, events=10), 'from nothing')
    rig.close()
    return 1 if crash.failed else 0


if __name__ == '__main__':
    sys.exit(main())
