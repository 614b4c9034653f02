"""The same again: an answer that was lost is not paid twice.

A client that times out and asks anew, without an order id of its own, is
held by the shipped policy's rule; with an order id it gets its first answer.
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from service import SOURCE, Cases, Service  # noqa: E402

RULES = '''policy 1
default allow
declare asked-again flag unknown is no
hold "asked again" when asked-again
'''


def states(s, key):
    time.sleep(0.002)        # a signature is good once: another millisecond
    rows = s.history(key)
    return {r['id']: r['status'] for r in rows}


def ask(s, key, amount, to, **more):
    time.sleep(0.002)
    status, answer, _ = s.apply(key, amount, to, **more)
    return answer['id'] if status == 200 else (status, answer)


def main():
    case = Cases()
    with open(os.path.join(SOURCE, 'etc/default.policy')) as f:
        shipped = f.read()
    case('the shipped policy holds what is asked again',
         'hold "asked again" when asked-again' in shipped)
    with Service(policy=RULES) as s:
        s.account('carol', btc='50')
        s.account('dave', btc='50')
        carol, dave = s.key('carol'), s.key('dave')
        to = s.address(1)
        first = ask(s, carol, '0.5', to)
        again = ask(s, carol, '0.5', to)
        state = states(s, carol)
        case('the first leaves', state.get(first) == 4, str(state))
        case('the same again waits for a person', state.get(again) == 2,
             str(state))
        other = [ask(s, carol, '0.50000001', to),
                 ask(s, carol, '0.5', s.address(2)),
                 ask(s, carol, '0.5', to, withdrawOrderId='mine-1')]
        state = states(s, carol)
        case('another amount, address, or an order id is another',
             [state.get(i) for i in other] == [4, 4, 4], str(state))
        case('an order id asked twice is one withdrawal',
             ask(s, carol, '0.5', to, withdrawOrderId='mine-1') == other[2])
        case('another account is another',
             states(s, dave).get(ask(s, dave, '0.5', to)) is None and
             set(states(s, dave).values()) == {4})
        s.stop()
        s.start()
        third = ask(s, dave, '0.5', to)
        case('a restart does not forget it', states(s, dave).get(third) == 2,
             '%s %s' % (third, states(s, dave)))
        refused = ask(s, dave, '500', to)
        case('what was refused at once is asked again as before',
             ask(s, dave, '500', to) == refused and refused[0] == 400,
             str(refused))
    return case.end()


if __name__ == '__main__':
    sys.exit(main())
