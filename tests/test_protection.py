#!/usr/bin/env python3
"""What the shipped policies promise, on what is shipped.

The program is DRAWBRIDGE in the environment, or build/drawbridge.

The theft of 2019 as a whole, and a small platform against every thief of the
library: figures that the policy reached, with some room, so that a change
that gives protection away is seen.  The aims themselves, on all sizes and
seeds, are `make bench NAME=protection`.
"""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.abspath(os.environ.get('DRAWBRIDGE') or
                          os.path.join(ROOT, 'build/drawbridge'))
POLICY = os.path.join(ROOT, 'etc/default.policy')
INCIDENT = os.path.join(ROOT, 'etc/incident.policy')
THEFT = os.path.join(ROOT, 'etc/scenarios/binance-2019.jsonl')
failed = 0


def case(name, good, why=''):
    global failed
    failed += not good
    print(('ok ' if good else 'not ok ') + name + ('' if good else
          ': ' + str(why)), flush=True)


def run(*args):
    done = subprocess.run([PROGRAM, *args], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr


def replay(*args):
    status, out, err = run('replay', '--report', 'json', *args)
    if status != 0:
        raise SystemExit('replay: ' + err)
    return json.loads(out)


def theft():
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, 'decisions.jsonl')
        r = replay('--policy', POLICY, '--reviewer', 'none', '--decisions',
                   path, THEFT)
        with open(path, encoding='utf-8') as f:
            decisions = {d['id']: d for d in map(json.loads, f)}
    stolen = [d for i, d in decisions.items() if i.startswith('t-')]
    honest = [d for i, d in decisions.items() if i.startswith('h-')]
    at_once = [d for d in honest if d['released_at'] == d['t']]
    case('2019: all 75 thefts are in the file', len(stolen) == 75,
         len(stolen))
    case('2019: the thief gets at most 0.1 % of the hot wallet',
         r['loss_share_of_hot'] <= 0.001, r['loss_btc'])
    case('2019: at least 24 of the 25 honest payments leave at once',
         len(honest) == 25 and len(at_once) >= 24, len(at_once))
    case('2019: no halt', r['halts'] == [], r['halts'])
    case('2019: every stolen one names the rules that held it',
         all(d['rules'] and d['final'] != 'released' for d in stolen))
    case('2019: at most 0.5 % of the honest are held or denied',
         r['held_share'] <= 0.005, r['held_share'])
    status, text, _ = run('replay', '--policy', POLICY, THEFT)
    case('2019: the text report says what left and why',
         status == 0 and 'The thief asked for 7,071.00 btc' in text and
         'Rules that spoke' in text)


def incident():
    status, out, err = run('check', '--against', POLICY, INCIDENT)
    case('the incident policy only tightens', status == 0 and
         'nothing loosens' in out, out[-400:] + err)
    r = replay('--policy', INCIDENT, '--reviewer', 'none', THEFT)
    case('the incident policy keeps the theft back too',
         r['loss_share_of_hot'] <= 0.001, r['loss_btc'])


def library():
    status, out, err = run('compare', '--json', '--policy', POLICY,
                           '--sizes', 'small', '--seeds', '1',
                           '--reviewer', 'none', '--reviewer', 'oracle:30')
    if status != 0:
        case('the library of thieves plays', False, err)
        return
    limits = {'none': (0.055, 0.40), 'oracle:30': (0.030, 0.20)}
    for r in json.loads(out)['results']:
        who = r['reviewer']
        mean, worst = limits[who]
        total = r['all']
        case('small, reviewer %s: mean loss of all thieves' % who,
             total['loss_share_of_hot'] <= mean, total['loss_share_of_hot'])
        case('small, reviewer %s: worst thief' % who,
             total['loss_share_of_hot_worst'] <= worst,
             total['loss_share_of_hot_worst'])
        case('small, reviewer %s: at least 20 kinds' % who,
             len(r['kinds']) >= 20, len(r['kinds']))
        for price in r['without_attack']:
            honest = price['honest']
            case('small, reviewer %s: honest held or denied' % who,
                 honest['held_or_denied']['share'] <= 0.004,
                 honest['held_or_denied'])
            case('small, reviewer %s: honest delayed' % who,
                 honest['delayed']['share'] <= 0.01 and
                 honest['delay_median_s'] <= 21600, honest['delayed'])
            case('small, reviewer %s: no false halt' % who,
                 price['false_halts'] == 0, price['false_halts'])


theft()
incident()
library()
sys.exit(failed != 0)
