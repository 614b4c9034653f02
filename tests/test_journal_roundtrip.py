#!/usr/bin/env python3
"""Scenarios into a journal and out of it: `record`, `import`, `export`.

A journal exported and replayed gives the same decisions as the scenario that
went in, and as the journal recorded; a repeat takes nothing twice, killed or
not; a policy file that loosens is only a proposal (C7).
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROG = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                       os.path.join(ROOT, 'build', 'drawbridge'))
POLICY = os.path.join(ROOT, 'etc', 'default.policy')
THEFT = os.path.join(ROOT, 'etc', 'scenarios', 'binance-2019.jsonl')
failed = False


def case(name, wrong):
    global failed
    if not wrong:
        print('ok ' + name, flush=True)
        return
    failed = True
    print('not ok %s: %s' % (name, wrong), flush=True)


def run(*args, status=0):
    """Standard output; a status other than expected is an exception."""
    env = dict(os.environ)
    env.pop('DRAWBRIDGE_DATA', None)
    r = subprocess.run([PROG] + list(args), stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, env=env)
    if r.returncode != status:
        raise RuntimeError('%s: status %d, not %d: %s' % (
            ' '.join(args[:2]), r.returncode, status, r.stderr.strip()))
    return r.stdout if status == 0 else r.stderr


def summary(*args):
    return json.loads(run(*args, '--json'))


def lines(path):
    with open(path, encoding='utf-8') as f:
        return f.read().splitlines()


def write(path, text):
    with open(path, 'w', encoding='utf-8') as f:
        f.write('\n'.join(text) + '\n')
    return path


def replay(folder, name, db, scenario, *more):
    """The decisions file of a replay with the journal's keys."""
    out = os.path.join(folder, name + '.decisions')
    run('replay', '--policy', POLICY, '--keys', db + '.keys', '--quiet',
        '--decisions', out, *more, scenario)
    return lines(out)


def as_recorded(replayed, recorded):
    """What the journal says against what a replay says, if they differ."""
    if len(replayed) != len(recorded):
        return '%d decisions, %d recorded' % (len(replayed), len(recorded))
    for a, b in zip(map(json.loads, replayed), map(json.loads, recorded)):
        for key in ('id', 't', 'verdict', 'rules'):
            if a[key] != b[key]:
                return '%s: %s %r, recorded %r' % (a['id'], key, a[key],
                                                   b[key])
        for name, value in b['facts'].items():
            if value is not None and a['facts'].get(name, value) != value:
                return '%s: fact %s differs' % (a['id'], name)
    return None


def round_trip(folder, name, scenario):
    db = os.path.join(folder, name + '.db')
    out = os.path.join(folder, name + '.jsonl.zst')
    recorded = os.path.join(folder, name + '.recorded')
    s = summary('record', '--db', db, '--policy', POLICY, scenario)
    run('export', '--db', db, '-o', out, '--decisions', recorded)
    first = replay(folder, name + '-in', db, scenario)
    wrong = None
    if first != replay(folder, name + '-out', db, out):
        wrong = 'the exported scenario is decided otherwise'
    case('a journal of %s replays to the same decisions' % name, wrong)
    case('the decisions that a journal of %s recorded are those' % name,
         as_recorded(first, lines(recorded)))
    asked = sum(s['verdicts'].values())
    case('the summary of %s counts every decision' % name,
         asked != len(first) and '%d of %d' % (asked, len(first)))


def test_repeat(folder, scenario):
    db = os.path.join(folder, 'repeat.db')
    text = lines(scenario)
    part = write(os.path.join(folder, 'grows.jsonl'), text[:3000])
    first = summary('record', '--db', db, '--policy', POLICY, part)
    again = summary('record', '--db', db, part)
    write(part, text)
    rest = summary('record', '--db', db, part)
    wrong = None
    if again['taken'] != 0 or again['head'] != first['head']:
        wrong = 'a repeat took %d' % again['taken']
    elif first['taken'] + rest['taken'] != len(text) - 1:
        wrong = 'took %d and %d of %d' % (first['taken'], rest['taken'],
                                          len(text) - 1)
    case('the same file again takes what is new and nothing twice', wrong)
    out = os.path.join(folder, 'repeat.jsonl')
    run('export', '--db', db, '-o', out)
    write(part, text[:2000] + text[2001:])
    e = run('record', '--db', db, part, status=1)
    case('another file of the same name is refused',
         'of its own' not in e and e)
    return out


def test_two_files(folder, scenario):
    """How far a file has come is found behind thousands of another's."""
    db = os.path.join(folder, 'two.db')
    one = write(os.path.join(folder, 'one.jsonl'), lines(scenario))
    later = [json.loads(s) for s in lines(scenario)]
    last = later[-1]['t']
    for ev in later[1:]:
        ev['t'] = last + 1
        if 'id' in ev:
            ev['id'] += '-two'
    two = write(os.path.join(folder, 'two.jsonl'), map(json.dumps, later))
    a = summary('record', '--db', db, '--policy', POLICY, one)
    b = summary('record', '--db', db, '--batch', '1000', two)
    again = summary('record', '--db', db, one)
    wrong = None
    if a['taken'] != b['taken']:
        wrong = 'took %d, then %d' % (a['taken'], b['taken'])
    elif again['taken'] != 0 or again['there_already'] != a['taken']:
        wrong = again
    case('a file is found behind another', wrong)


def kill_once(db, scenario, acks, after):
    """Record until so many commits were told to be durable, then SIGKILL.
    False: it came to its end before."""
    open(acks, 'w').close()
    p = subprocess.Popen([PROG, 'record', '--db', db, '--policy', POLICY,
                          '--batch', '20', '--acks', acks, '--quiet',
                          scenario], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE)
    while p.poll() is None and len(lines(acks)) < after:
        time.sleep(0.001)
    if p.poll() is not None:
        if p.returncode != 0:
            raise RuntimeError(p.stderr.read().decode())
        return False
    p.send_signal(signal.SIGKILL)
    p.wait()
    return True


def test_killed(folder, scenario, whole):
    """`whole`: the export of a journal of the same that was never killed."""
    db = os.path.join(folder, 'killed.db')
    acks = os.path.join(folder, 'acks')
    wrong, kills, after = None, 0, 1
    while kill_once(db, scenario, acks, after) and not wrong:
        kills += 1
        after += 40
        told = [int(s.split()[1]) for s in lines(acks) if s[-1:].isdigit()]
        out = os.path.join(folder, 'killed-%d.jsonl' % kills)
        events = json.loads(run('export', '--db', db, '-o', out,
                                '--json'))['events']
        if told and events < told[-1]:
            wrong = 'event %d was told to be durable, %d are there' % (
                told[-1], events)
    out = os.path.join(folder, 'killed.jsonl')
    run('export', '--db', db, '-o', out)
    if not wrong and lines(out) != lines(whole):
        wrong = 'after %d kills the journal holds other events' % kills
    if not wrong and kills < 2:
        wrong = 'killed %d times: nothing was tested' % kills
    case('killed again and again, nothing told is lost, nothing is there '
         'twice', wrong)
    run('audit', 'verify', '--db', db, '--decisions')


def test_import(folder, scenario):
    db = os.path.join(folder, 'import.db')
    text = lines(scenario)
    asked = [json.loads(s)['t'] for s in text if '"withdraw"' in s[:20]]
    cut = asked[len(asked) // 2]
    before = write(os.path.join(folder, 'before.jsonl'),
                   [s for s in text if json.loads(s)['t'] <= cut])
    after = write(os.path.join(folder, 'after.jsonl'), text[:1] +
                  [s for s in text[1:] if json.loads(s)['t'] > cut])
    s = summary('import', '--db', db, '--policy', POLICY, '--as', 'anna',
                '--reason', 'the first day', before)
    case('an import teaches and decides nothing',
         (s['history'] == 0 or sum(s['verdicts'].values()) != 0) and s)
    again = summary('import', '--db', db, before)
    case('an import again takes nothing twice', again['taken'] != 0 and again)
    run('record', '--db', db, after)
    out = os.path.join(folder, 'import.jsonl')
    past = os.path.join(folder, 'import-past.jsonl')
    recorded = os.path.join(folder, 'import.recorded')
    e = run('export', '--db', db, '-o', out, status=1)
    case('an export says where history must go',
         (os.path.exists(out) or '--history-output' not in e) and e)
    run('export', '--db', db, '-o', out, '--history-output', past,
        '--decisions', recorded)
    first = replay(folder, 'import-in', db, after, '--history', before)
    wrong = None
    if first != replay(folder, 'import-out', db, out, '--history', past):
        wrong = 'the exported files are decided otherwise'
    elif not first:
        wrong = 'nothing was decided'
    case('an imported journal replays to the same decisions', wrong)
    case('the decisions that it recorded are those',
         as_recorded(first, lines(recorded)))
    e = run('import', '--db', db, write(os.path.join(folder, 'late.jsonl'),
                                        text), status=1)
    case('history comes first', 'is before the time' not in e and e)
    end = json.loads(text[-1])['t']
    more = [json.dumps(dict(json.loads(s), t=end + 1000 + i))
            for i, s in enumerate(s for s in text if '"deposit"' in s[:20])]
    before = run('audit', 'head', '--db', db)
    e = run('import', '--db', db, write(os.path.join(folder, 'more.jsonl'),
                                        text[:1] + more[:3]), status=1)
    wrong = None
    if 'decides withdrawals already' not in e:
        wrong = e
    elif run('audit', 'head', '--db', db) != before:
        wrong = 'the journal was changed'
    case('a journal that decides is taught nothing more', wrong)


def test_policy(folder, scenario):
    """C7 (e): the policy in force is the one in the journal, at a restart as
    well."""
    db = os.path.join(folder, 'policy.db')
    text = lines(scenario)
    part = write(os.path.join(folder, 'policy.jsonl'), text[:2000])
    with open(POLICY, encoding='utf-8') as f:
        policy = f.read()
    mine = os.path.join(folder, 'mine.policy')
    tight = policy.replace('\ndefault hold\n', '\ndefault deny\n')
    assert tight != policy
    write(mine, [policy])
    old = summary('record', '--db', db, '--policy', mine,
                  part)['policy_hash']
    write(mine, [tight])
    write(part, text[:4000])
    s = summary('record', '--db', db, '--policy', mine, part)
    new = s['policy_hash']
    case('a policy that tightens comes into force at a restart',
         (s['policy'] != 'new' or new == old) and s['policy'])
    write(mine, [policy])
    write(part, text)
    e = run('record', '--db', db, '--policy', mine, part, status=3)
    s = summary('record', '--db', db, part)
    wrong = None
    if s['policy_hash'] != new:
        wrong = 'it is in force'
    elif 'second person' not in e or 'default' not in e:
        wrong = e
    case('C7: a restart with a loosened policy file leaves the journal\'s in '
         'force', wrong)
    case('and what there was to record is recorded',
         s['there_already'] != len(text) - 1 and s)
    # The file is not needed any more.
    os.unlink(mine)
    s = summary('record', '--db', db, part)
    case('a journal needs no policy file', s['policy'] != 'same' and s)
    run('audit', 'verify', '--db', db, '--decisions')


def test_sentences(folder, scenario):
    db = os.path.join(folder, 'sentences.db')
    bad = write(os.path.join(folder, 'bad.jsonl'),
                ['{"type":"account","t":1,"account":"a"}',
                 '{"type":"login","t":2}'])
    regtest = write(os.path.join(folder, 'regtest.jsonl'),
                    ['{"type":"scenario","t":0,"version":1,'
                     '"network":"regtest"}',
                     '{"type":"account","t":1555545417931,"account":"a"}'])
    early = write(os.path.join(folder, 'early.jsonl'),
                  ['{"type":"account","t":1,"account":"a"}'])
    empty = write(os.path.join(folder, 'empty.db'), [])
    run('record', '--db', db, '--policy', POLICY, scenario)
    bad_db = os.path.join(folder, 'bad.db')
    table = [
        (1, 'no such database', 'record', '--db', db + 'x', scenario),
        (1, 'is not a database', 'record', '--db', empty, scenario),
        (1, 'No such file', 'record', '--db', db, db + '.jsonl'),
        (1, 'bad.jsonl:2: `account`', 'record', '--db', bad_db, '--policy',
         POLICY, bad),
        (1, 'of network regtest, the journal of main', 'record', '--db', db,
         regtest),
        (1, 'of network main, not test', 'record', '--db', db, '--network',
         'test', early),
        (1, 'early.jsonl:1: 1970-01-01 00:00:00 is before', 'record', '--db',
         db, early),
        (1, 'which database?', 'export'),
        (1, 'there is no event', 'export', '--db', db, '--from', '999999'),
        (2, '--batch: want a number', 'record', '--batch', '0', scenario),
        (2, '--from: want', 'record', '--from', '-1', scenario),
        (2, 'no scenario', 'import'),
        (2, 'two outputs are one file', 'export', '-o', 'x',
         '--history-output', 'x'),
        (2, 'it is before --from', 'export', '--from', '3', '--until', '2'),
        (2, 'the keyring has one', 'replay', '--policy', POLICY, '--keys',
         db + '.keys', '--lot-key', '0' * 32, scenario),
    ]
    wrong = []
    for status, sentence, *args in table:
        e = run(*args, status=status)
        if sentence not in e:
            wrong.append('%s: %r' % (' '.join(args[:1]), e))
        if status == 1 and len(e.splitlines()) != 1:
            wrong.append('not one sentence: %r' % e)
    case('what is wrong is one sentence each', '; '.join(wrong))
    # A line that was good before a bad one is there.
    events = json.loads(run('export', '--db', bad_db, '-o',
                            os.path.join(folder, 'bad-out.jsonl'),
                            '--json'))['events']
    case('what came before a bad line stays', events != 3 and events)


def test_no_line(folder, scenario):
    """A repeat and what is refused are left out of an export."""
    db = os.path.join(folder, 'idle.db')
    out = os.path.join(folder, 'idle.jsonl')
    text = lines(scenario)
    last = json.loads(text[-1])['t']
    ask = [s for s in text if '"type":"withdraw"' in s][-1]
    ask = dict(json.loads(ask), t=last)
    s = write(os.path.join(folder, 'more.jsonl'), text + [
        json.dumps({'type': 'cancel', 't': last, 'id': 'never-asked'}),
        json.dumps(ask)])
    stranger = dict(ask, id='of-nobody', account='never-opened')
    write(s, lines(s) + [json.dumps(stranger)])
    run('record', '--db', db, '--policy', POLICY, s)
    n = json.loads(run('export', '--db', db, '-o', out, '--json'))
    run('replay', '--policy', POLICY, '--quiet', out)
    case('what changed nothing is left out',
         n['refused'] < 2 and 'refused %d' % n['refused'])
    case('what a stranger asked for is left out', n['strangers'] != 1 and n)


def test_forgotten(folder, scenario):
    """A forgotten month is exported without its personal data, and said."""
    db = os.path.join(folder, 'binance-2019.db')
    out = os.path.join(folder, 'forgotten.jsonl')
    run('forget', '--db', db, '--before', '2019-05-01', '--yes', '--quiet')
    n = json.loads(run('export', '--db', db, '-o', out, '--json'))
    wrong = None
    if n['forgotten'] == 0:
        wrong = 'nothing is said'
    for s in lines(out):
        ev = json.loads(s)
        if ev['t'] < 1556668800000 and ('ip' in ev or ev.get('ips')):
            wrong = 'event of %d has an address' % ev['t']
    case('what was forgotten is not exported', wrong)
    s = summary('record', '--db', db, scenario)
    case('a journal with forgotten months goes on', s['taken'] != 0 and s)


def main():
    # What is killed is the process, not the machine: memory will do.
    memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        small = os.path.join(folder, 'small.jsonl')
        run('simulate', '--preset', 'small', '--days', '2', '--seed', '5',
            '--attack', 'binance-burst', '-o', small)
        round_trip(folder, 'small', small)
        round_trip(folder, 'binance-2019', THEFT)
        whole = test_repeat(folder, small)
        test_two_files(folder, small)
        test_killed(folder, small, whole)
        test_import(folder, small)
        test_policy(folder, small)
        test_sentences(folder, small)
        test_no_line(folder, small)
        test_forgotten(folder, THEFT)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
