"""For the tests that let a journal's process die: test_crash*.py.

engine/test/journal_run is a service in small that says what it has made
durable; crash_fault.c, preloaded, lets any one of its calls go wrong, or
kills it there.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROG = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                       os.path.join(ROOT, 'build', 'drawbridge'))
ENGINE = os.path.join(os.path.dirname(PROG), 'engine')
RUN = os.path.join(ENGINE, 'journal_run')
# The same with a log of a few pages, so that there are many checkpoints.
SMALL = os.path.join(ENGINE, 'journal_run_small')

POLICY = '''policy 1
set hot at most 2000 btc
default allow
hold "big" when amount >= 3.5 btc
delay 6h "much" when sum asked by account in 7d >= 8 btc
'''
POLICY2 = POLICY.replace('3.5 btc', '3 btc').replace('6h', '12h')
SECONDS = 60		# more is a hang

failed = False


class Result:
    """What one run said."""

    def __init__(self, status, out, err, log):
        self.status = status
        self.err = err
        self.log = log
        lines = out.splitlines()
        self.acks = [int(x[4:]) for x in lines if re.match(r'ack \d+$', x)]
        self.start = next((int(x[6:]) for x in lines
                           if re.match(r'start \d+$', x)), None)
        self.done = next((x for x in lines if x.startswith('done ')), None)

    def killed(self):
        return self.status == -9


class Call:
    """A line of the log of calls."""

    def __init__(self, line):
        n, self.thread, self.who, self.name, rest = line.split(' ', 4)
        self.path, result = rest.rsplit(' ', 1)
        self.n = int(n)
        self.result = int(result)
        self.sync = 'sync' in self.name
        self.ack = self.path == 'ack'

    def __str__(self):
        return '%s %d, %s of %s' % (self.who, self.n, self.name,
                                    os.path.basename(self.path))


class Rig:
    def __init__(self):
        room = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
        self.folder = tempfile.mkdtemp(prefix='crash-', dir=room)
        self.fault = os.path.join(self.folder, 'fault.so')
        self.count = 0
        self.pool = concurrent.futures.ThreadPoolExecutor(2)
        subprocess.run(os.environ.get('CC', 'cc').split() + [
            '-shared', '-fPIC', '-O1', '-o', self.fault,
            os.path.join(ROOT, 'tests', 'crash_fault.c')], check=True)
        for name, text in (('one', POLICY), ('two', POLICY2)):
            with open(self.policy(name), 'w') as f:
                f.write(text)

    def close(self):
        self.pool.shutdown()
        shutil.rmtree(self.folder)

    def policy(self, name):
        return os.path.join(self.folder, name + '.policy')

    def fresh(self, base=None):
        """A folder of its own, with a copy of the base."""
        self.count += 1
        d = os.path.join(self.folder, '%06d' % self.count)
        if base is None:
            os.mkdir(d)
        else:
            shutil.copytree(base, d)
        return d

    def command(self, d, job):
        c = [job.get('prog', SMALL), os.path.join(d, 'db'),
             self.policy('one'), str(job['events']), str(job['batch']),
             str(job.get('every', 0))]
        if 'change' in job:
            c += [str(job['change']), self.policy('two')]
        return c

    def run(self, d, job, prefix=(), **fault):
        """Run the job; fault: calls, at, do, who, on, acks, log."""
        env = dict(os.environ)
        log = d + '.log'
        if fault:
            env['LD_PRELOAD'] = self.fault
            env['FAULT_DIR'] = d
            env['FAULT_LOG'] = log
            for key, value in fault.items():
                env['FAULT_' + key.upper()] = str(value)
        try:
            r = subprocess.run(
                list(prefix) + self.command(d, job), env=env, cwd=ROOT,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, errors='replace',
                timeout=SECONDS)
            status, out, err = r.returncode, r.stdout, r.stderr
        except subprocess.TimeoutExpired as e:
            status, err = 'no end after %d s' % SECONDS, ''
            out = (e.stdout or b'').decode(errors='replace')
        calls = []
        if fault and os.path.exists(log):
            # What was killed may have broken off in the middle of a line.
            if status != -9:
                with open(log) as f:
                    calls = [Call(line.rstrip('\n')) for line in f]
            os.unlink(log)
        return Result(status, out, err, calls)

    def base(self, job, **changes):
        """A folder with a journal of no events but the first two."""
        d = self.fresh()
        r = self.run(d, dict(job, events=0, **changes))
        if r.done is None:
            raise SystemExit('not ok a journal is made: ' + r.err)
        return d

    def reference(self, base, job):
        """The line of a run that nothing happened to, and its calls."""
        d = self.fresh(base)
        r = self.run(d, job, acks=1)
        if r.done is None:
            raise SystemExit('not ok a run without faults: ' + r.err)
        return r

    def restarts(self, d, job, done, acks):
        """What is wrong with a start after a crash; None: nothing."""
        r = self.run(d, job)
        if r.status != 0:
            return 'starts no more: status %s, %s' % (r.status, r.err)
        last = max(acks, default=0)
        if r.start < last:
            return 'event %d was acknowledged, but the last one is %d' % (
                last, r.start)
        if r.done != done:
            return 'ended as `%s`, should be `%s`' % (r.done, done)
        return None

    def each(self, name, positions, attempt):
        """attempt(position) says what is wrong; name holds one %d."""
        positions = list(positions)
        wrong = [(p, w) for p, w in
                 zip(positions, self.pool.map(attempt, positions)) if w]
        case(name % len(positions), ['%s: %s' % (
            ' '.join(str(x) for x in p) if isinstance(p, tuple) else p, w)
            for p, w in wrong], len(positions))


def case(name, wrong, tried=1):
    global failed
    if not tried:
        wrong = ['nothing was tried']
    if wrong:
        failed = True
        print('not ok %s: %d wrong: %s' % (name, len(wrong), '\n    '.join(
            w.strip() for w in wrong[:12])))
    else:
        print('ok ' + name)
    sys.stdout.flush()
    return not wrong


def skip(name, why):
    print('ok %s # SKIP %s' % (name, why))
    sys.stdout.flush()


def clean(d):
    shutil.rmtree(d, ignore_errors=True)
