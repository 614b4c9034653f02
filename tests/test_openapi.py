#!/usr/bin/env python3
"""etc/openapi.yaml and wire/endpoint.c name the same requests, and nothing in
the description refers to what is not there."""
import os
import re
import sys

ROOT = os.environ.get('SOURCE') or os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))
failed = False


def case(name, wrong):
    global failed
    if wrong:
        failed = True
        print('not ok %s: %s' % (name, ', '.join(sorted(wrong))))
    else:
        print('ok ' + name)


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        return f.read()


def served():
    """{(method, path)} of the table; `*` as {}."""
    text = read('wire/endpoint.c')
    text = text[text.index('endpoints[ENDPOINT__COUNT]'):]
    text = re.sub(r'"\s*\n\s*"', '', text[:text.index('\n};')])
    how = {'PUBLIC': 'GET', 'READ': 'GET', 'READ_TOO': 'GET', 'ASK': 'POST'}
    found = set()
    for entry in re.split(r'\[ENDPOINT_\w+\]\s*=\s*', text)[1:]:
        strings = re.findall(r'"([^"]*)"', entry)
        macro = re.match(r'(\w+)\(', entry)
        paths = [s for s in strings if s.startswith('/')]
        if not paths:
            continue
        method = how.get(macro.group(1)) if macro else None
        if method is None:
            method = [s for s in strings if s in ('GET', 'POST')][0]
        # An alias is a mistake of one client: not described.
        found.add((method, paths[0].replace('*', '{}')))
    return found


def described(text):
    found, path = set(), None
    body = text[text.index('\npaths:\n'):text.index('\ncomponents:\n')]
    for line in body.split('\n'):
        if re.match(r'  /', line):
            path = re.sub(r'\{\w+\}', '{}', line.strip().rstrip(':'))
        m = re.match(r'    (get|post|put|delete|patch):$', line)
        if m:
            found.add((m.group(1).upper(), path))
    return found


def main():
    text = read('etc/openapi.yaml')
    a, b = served(), described(text)
    case('the table was read', [] if len(a) > 50 else ['%d' % len(a)])
    case('every request is described', [' '.join(x) for x in a - b])
    case('nothing else is', [' '.join(x) for x in b - a])
    parts = text[text.index('\ncomponents:\n'):]
    names, kind = set(), None
    for line in parts.split('\n'):
        m = re.match(r'  (\w+):$', line)
        if m:
            kind = m.group(1)
        m = re.match(r'    (\w+):', line)
        if m:
            names.add('#/components/%s/%s' % (kind, m.group(1)))
    refs = set(re.findall(r"\$ref: '([^']+)'", text))
    case('what is referred to is there', refs - names)
    case('what is there is used', {n for n in names - refs
                                   if '/securitySchemes/' not in n})
    for path, params in re.findall(
            r'\n  (/\S*\{\S*):\n(.*?)(?=\n  /|\ncomponents:)', text,
            flags=re.S):
        name = re.search(r'\{(\w+)\}', path).group(1)
        n = len(re.findall(r'\n    (?:get|post):', '\n' + params))
        case('%s says what {%s} is' % (path, name), [] if params.count(
            "parameters/%s'" % name) == n else ['missing'])
    sys.exit(1 if failed else 0)


main()
