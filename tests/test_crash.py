#!/usr/bin/env python3
"""A journal whose process is killed at each of its writes and syncs, and
again while it recovers, comes back with all that was acknowledged, each event
once, and ends in the state of one that was never killed.
"""
import sys

import crash
from crash import Rig, clean

PLAIN = {'events': 60, 'batch': 5}
SNAPSHOTS = {'events': 60, 'batch': 5, 'every': 15}
LOGFUL = {'events': 160, 'batch': 1, 'every': 50}
CHANGE = {'events': 40, 'batch': 5, 'every': 25, 'change': 23}
STRIDE = 7


def positions(calls, who='main'):
    """Before each call, and in the middle of each write or after a call."""
    for c in calls:
        if c.who == who:
            yield c.n, 'kill'
            if not c.ack:
                yield c.n, 'torn'


def kill(rig, base, job, done, who='main'):
    def attempt(p):
        n, do = p
        d = rig.fresh(base)
        r = rig.run(d, job, calls='write', acks=1, at=n, do=do, who=who)
        # Children differ in number from run to run, by a few.
        if who == 'main' and not r.killed() and r.done is None:
            return 'not killed, status %s %s' % (r.status, r.err)
        if who == 'child' and (r.status, r.done) != (0, done):
            return 'hurt by its child: %s %s %s' % (r.status, r.err, r.done)
        wrong = rig.restarts(d, job, done, r.acks)
        clean(d)
        return wrong
    return attempt


def killed(rig, name, job):
    base = rig.base(job)
    ref = rig.reference(base, job)
    rig.each('killed at each of %d writes and syncs, ' + name,
             positions(ref.log), kill(rig, base, job, ref.done))
    return base, ref


def again(rig, name, base, ref, job):
    """Killed, and killed once more at each call of the start after that."""
    todo = []
    for n, do in list(positions(ref.log))[::STRIDE]:
        dead = rig.fresh(base)
        first = rig.run(dead, job, calls='write', acks=1, at=n, do=do)
        start = rig.run(rig.fresh(dead), job, acks=1).log
        until = next((c.n for c in start if c.ack), 0)
        todo += [(n, do, m, do2, dead, first.acks)
                 for m, do2 in positions(start) if m <= until]

    def attempt(p):
        n, do, m, do2, dead, acks = p
        d = rig.fresh(dead)
        r = rig.run(d, job, calls='write', acks=1, at=m, do=do2)
        if not r.killed():
            return 'not killed'
        wrong = rig.restarts(d, job, ref.done, acks + r.acks)
        clean(d)
        return wrong
    rig.each('killed at each of %d writes and syncs of a recovery, ' + name,
             todo, attempt)


def children(rig, base, ref, job):
    rig.each('a snapshot killed at each of %d of its writes does no harm',
             positions(ref.log, 'child'),
             kill(rig, base, job, ref.done, 'child'))

    def attempt(p):
        d = rig.fresh(base)
        r = rig.run(d, job, calls='write', acks=1, at=p[0], do='both',
                    who='child')
        # Its lock is free as soon as it is dead: no wait, no second try.
        wrong = rig.restarts(d, job, ref.done, r.acks)
        clean(d)
        return wrong
    rig.each('killed at each of %d writes of its snapshots',
             positions(ref.log, 'child'), attempt)


def beginning(rig, job):
    """From nothing; the keys differ each time, so the states do as well."""
    ref = rig.run(rig.fresh(), job, acks=1)
    until = next(c.n for c in ref.log if c.ack) + 3

    def attempt(p):
        n, do = p
        d = rig.fresh()
        r = rig.run(d, job, calls='write', acks=1, at=n, do=do)
        if not r.killed():
            return 'not killed, status %s %s' % (r.status, r.err)
        r2 = rig.run(d, job)
        if r2.status != 0 or r2.done is None:
            return 'starts no more: status %s, %s' % (r2.status, r2.err)
        if r2.start < max(r.acks, default=0):
            return 'an acknowledged event is not there'
        if r2.done.split()[-1] != ref.done.split()[-1]:
            return 'ended as ' + r2.done
        clean(d)
        return None
    rig.each('killed at each of %d writes and syncs of its creation',
             [p for p in positions(ref.log) if p[0] <= until], attempt)


def main():
    rig = Rig()
    base, ref = killed(rig, 'without snapshots', PLAIN)
    again(rig, 'without snapshots', base, ref, PLAIN)
    base, ref = killed(rig, 'with snapshots', SNAPSHOTS)
    again(rig, 'with snapshots', base, ref, SNAPSHOTS)
    children(rig, base, ref, SNAPSHOTS)
    killed(rig, 'in and between checkpoints', LOGFUL)
    base, ref = killed(rig, 'while the policy changes', CHANGE)
    again(rig, 'after the policy changed', base, ref, CHANGE)
    beginning(rig, dict(PLAIN, events=10))
    rig.close()
    return 1 if crash.failed else 0


if __name__ == '__main__':
    sys.exit(main())
