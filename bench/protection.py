#!/usr/bin/env python3
"""What the shipped policy protects, and its price, against the aims.

    bench/protection.py BUILD [--sizes small,medium,large] [--seeds 5]
                              [--policy FILE] [--year] [--json FILE]

Plays every attack on every seed at every size: with nobody reviewing, with
somebody who looks after half an hour, and with a tired reviewer; then honest
traffic alone, and with --year a year of it for false halts.  Prints each aim
with the figure beside it.  Exit status 1 when one is missed.
"""
import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REVIEWERS = ['none', 'oracle:30', 'oracle:30,12/h,2%']
# Share of the hot wallet, in percent: mean of all attacks, worst attack.
LOSS = {'none': (0.25, 2.0), 'oracle:30': (0.05, 0.5)}
DURING_HELD = 0.5


class Aims:
    def __init__(self):
        self.lines = []
        self.missed = 0

    def say(self, what, figure, aim=None, unit='%', note=''):
        good = aim is None or figure <= aim
        self.missed += not good
        self.lines.append({'what': what, 'figure': figure, 'aim': aim,
                           'unit': unit, 'reached': good, 'note': note})
        print('%-7s %-46s %10.3f %-2s %-16s %s' % (
            '' if aim is None else 'ok' if good else 'MISSED', what, figure,
            unit, '' if aim is None else '(at most %g)' % aim, note),
            flush=True)


def compare(args, *more):
    command = [os.path.join(args.build, 'drawbridge'), 'compare', '--json',
               '--policy', args.policy] + list(more)
    return json.loads(subprocess.run(command, check=True, cwd=ROOT,
                                     stdout=subprocess.PIPE).stdout)


def percent(share):
    return 100.0 * (share or 0)


def losses(aims, result):
    who = result['reviewer']
    mean, worst = LOSS.get(who, (None, None))
    total = result['all']
    aims.say('lost, mean of all attacks, ' + who,
             percent(total['loss_share_of_hot']), mean)
    aims.say('lost, worst attack, ' + who,
             percent(total['loss_share_of_hot_worst']), worst,
             note='%s, %s' % (total.get('worst_kind'),
                              total.get('worst_size')))
    for size in result['sizes']:
        held = size['honest']['held_or_denied']
        aims.say('held during attacks, %s, %s' % (size['size'], who),
                 percent(held['share']),
                 DURING_HELD if who in LOSS else None)


def price(aims, result):
    for size in result['without_attack']:
        if 'size' not in size:
            continue
        name, honest = size['size'], size['honest']
        blocked = honest['held_or_denied']
        aims.say('price, %s: held or denied' % name,
                 percent(blocked['share']), 0.1)
        aims.say('price, %s: of the value' % name,
                 percent(blocked['share_of_value']), 2.0)
        aims.say('price, %s: delayed' % name,
                 percent(honest['delayed']['share']), 1.0)
        aims.say('price, %s: delay, median' % name,
                 honest['delay_median_s'] / 60.0, 60, 'm')
        aims.say('price, %s: asked for a code' % name,
                 percent(honest['stepped_up']['share']), 0.3)
        aims.say('price, %s: false halts' % name, size['false_halts'], 0, '')


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('build')
    p.add_argument('--sizes', default='small,medium,large')
    p.add_argument('--seeds', default='5')
    p.add_argument('--policy',
                   default=os.path.join(ROOT, 'etc', 'default.policy'))
    p.add_argument('--year', action='store_true')
    p.add_argument('--json')
    args = p.parse_args()
    args.build = os.path.abspath(args.build)
    scenes = ['--sizes', args.sizes, '--seeds', args.seeds]
    aims = Aims()

    print('price: honest traffic, no attack')
    for result in compare(args, '--honest', '--reviewer', 'none',
                          *scenes)['results']:
        price(aims, result)
    print('protection: every attack')
    who = [w for r in REVIEWERS for w in ('--reviewer', r)]
    for result in compare(args, *scenes, *who)['results']:
        losses(aims, result)
    if args.year:
        print('a year of honest traffic, seed 1')
        for result in compare(args, '--honest', '--days', '365', '--sizes',
                              args.sizes, '--reviewer', 'none')['results']:
            for size in result['without_attack']:
                if 'size' in size:
                    aims.say('false halts in a year, ' + size['size'],
                             size['false_halts'], 0, '')
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as f:
            json.dump(aims.lines, f, indent=1)
    print('%d aims missed' % aims.missed)
    return 1 if aims.missed else 0


if __name__ == '__main__':
    sys.exit(main())
