#!/usr/bin/env python3
"""drawbridge drill: the theft of 2019 over HTTP against a real service, in a
second; what leaves is what replaying the same file says."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get('SOURCE', '.'), 'tests'))
import service                                          # noqa: E402

case = service.Cases()
THEFT = os.path.join(service.SOURCE, 'etc', 'scenarios', 'binance-2019.jsonl')


def btc(text):
    whole, part = text.split('.')
    return int(whole) * 10 ** 8 + int(part)


def drill(s, *args):
    r = s.run('drill', 'binance-2019', '--url', s.url, *args)
    if r.returncode != 0:
        raise RuntimeError('drill: %d %s' % (r.returncode, r.stderr))
    return r.stdout


def replayed():
    r = service.subprocess.run(
        [service.PROGRAM, 'replay', '--report', 'json', '--policy',
         os.path.join(service.SOURCE, 'etc', 'default.policy'), THEFT],
        stdout=service.subprocess.PIPE, check=True, text=True)
    return json.loads(r.stdout)


def shipped():
    with service.Service(init=['--drill', '--history', THEFT]) as s:
        got = json.loads(drill(s, '--speed', '1000', '--json'))
        thief, honest = got['attack'], got['legit']
        case.equal('the thief asks for what he asked for in 2019',
                   (thief['count'], thief['btc']), (75, '7071.00000000'))
        case('of that less than 5 % leaves',
             btc(thief['left']['btc']) * 20 < btc(thief['btc']),
             thief['left'])
        case('none of his requests was refused for its credentials',
             thief['refused']['count'] == 0, thief['refused'])
        case('ordinary customers are paid meanwhile',
             honest['count'] == 29 and honest['left']['count'] >= 27 and
             honest['refused']['count'] == 0, honest)
        case('fates add up', all(
            sum(btc(v['btc']) for v in side.values() if isinstance(v, dict))
            == btc(side['btc']) for side in (thief, honest)), got)
        kept = s.ask('withdrawal', 'list', '--state', 'held', '--limit',
                     '200')
        case.equal('the service says the same', len(kept),
                   thief['held']['count'] + honest['held']['count'])
        case('all of the thief came with a good code', not any(
            'code' in w['rules'] for w in kept))
        want = replayed()
        case('replaying the file lets the thief have the same share, '
             'give or take 1 %',
             abs(btc(thief['left']['btc']) - replay_left(want)) * 100 <=
             btc(thief['btc']), (thief['left'], replay_left(want)))
        text = drill(s, '--speed', '1000')
        case('a second drill says that the first still counts',
             'earlier drill' in text, text[:300])
        case('and compares with 2019', 'In May 2019 he got all of it' in text,
             text[-300:])
        refusals(s)


def replay_left(j):
    """Satoshi that left at once."""
    return btc(j['attack']['released_at_once']['btc'])


def refusals(s):
    r = s.run('drill', 'other', '--url', s.url)
    case('another drill than the folder was made for', r.returncode == 1 and
         'was made for the drill' in r.stderr, r.stderr)
    r = s.run('drill', 'binance', '--url', s.url)
    case('half a name is none', r.returncode == 1, r.stderr)
    r = s.run('drill', 'binance-2019', '--url', 'http://127.0.0.1:1')
    case('nobody listens there', r.returncode == 1 and '127.0.0.1:1' in
         r.stderr, r.stderr)
    for speed in ('0', '-1', '1001', 'fast'):
        r = s.run('drill', 'binance-2019', '--speed', speed)
        case('--speed ' + speed, r.returncode == 2, r.stderr)


def unguarded():
    """The drill is able to succeed: with a policy that allows everything."""
    with service.Service(policy=service.EASY,
                         init=['--drill', '--history', THEFT]) as s:
        got = json.loads(drill(s, '--speed', '1000', '--json'))
        case('without a policy the thief gets all of it',
             got['attack']['left']['count'] == 75, got['attack'])


def others():
    with service.Service(policy=service.EASY) as s:
        r = s.run('drill', 'binance-2019', '--url', s.url)
        case('a folder that was not made for it', r.returncode == 1 and
             'drill.keys' in r.stderr, r.stderr)
    r = service.subprocess.run(
        [service.PROGRAM, 'drill', 'binance-2019'],
        env=dict(os.environ, DRAWBRIDGE_DATA='/nonexistent'),
        stderr=service.subprocess.PIPE, text=True, check=False)
    case('no service', r.returncode == 1 and r.stderr != '', r.stderr)


if __name__ == '__main__':
    shipped()
    unguarded()
    others()
    case.end()
