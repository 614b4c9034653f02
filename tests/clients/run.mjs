// Every operation that the clients have for accounts and withdrawals, by the
// unmodified clients, against a running service.
//
//	node run.mjs CONFIG.json
//
// CONFIG: {base, modules, address, deposits: {CLIENT: {KIND: address}},
// keys: {CLIENT: {hmac|rsa|ed25519: {key, secret}}}, wrong: {KIND: secret},
// refused: {...}}.  Prints `ok NAME` or `not ok NAME: why`.
import { readFileSync } from 'node:fs';
import { load } from './clients.mjs';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const clients = load(config);

let failed = 0;
const say = (name, why) => {
  if (why === undefined) {
    console.log('ok ' + name);
  } else {
    failed += 1;
    console.log(`not ok ${name}: ${String(why).slice(0, 400)
      .replace(/\n/g, ' ')}`);
  }
};

const check = async (name, call, good) => {
  let r;
  try {
    r = await call();
  } catch (e) {
    say(name, e?.response?.data ? JSON.stringify(e.response.data) :
      e?.message ?? JSON.stringify(e));
    return undefined;
  }
  let verdict;
  try {
    verdict = good(r);
  } catch (e) {
    verdict = e.message;
  }
  say(name, verdict === true ? undefined :
    `answer ${JSON.stringify(r)} (${verdict})`);
  return r;
};

// An error surfaces in each client in its own way (reference, section 3).
const text = (e) => typeof e === 'string' ? e : JSON.stringify({
  m: e?.message, c: e?.code, b: e?.body, d: e?.response?.data });
const classes = {
  ccxt: { '-1021': 'InvalidNonce', '-1022': 'AuthenticationError',
    '-1131': 'ExchangeError', '-2015': 'AuthenticationError',
    '-4001': 'BadRequest', '-4026': 'BadRequest', '-4033': 'BadRequest',
    '-4106': 'ExchangeError' },
  wallet: { '-1021': 'BadRequestError', '-1022': 'BadRequestError',
    '-1131': 'BadRequestError', '-2015': 'UnauthorizedError',
    '-4001': 'BadRequestError', '-4018': 'BadRequestError',
    '-4026': 'BadRequestError', '-4033': 'BadRequestError',
    '-4106': 'BadRequestError' },
};

const refused = async (name, client, code, call) => {
  let r;
  try {
    r = await call();
  } catch (e) {
    const want = classes[client]?.[String(code)];
    if (!text(e).includes(String(code))) {
      say(name, 'error without ' + code + ': ' + text(e));
    } else if (want !== undefined && e.constructor.name !== want) {
      say(name, `a ${e.constructor.name}, not ${want}: ${text(e)}`);
    } else {
      say(name);
    }
    return;
  }
  say(name, 'not refused: ' + JSON.stringify(r));
};

const is = (v, ...which) => which.some((w) => v === w || v === String(w));
const id32 = (x) => typeof x === 'string' && /^[0-9a-f]{32}$/.test(x);
const decimal = (x) => typeof x === 'string' && /^\d+(\.\d+)?$/.test(x);
const none = (r) => Array.isArray(r) && r.length === 0;
let orders = 0;
const order = () => `c-${process.pid}-${orders += 1}`;

// What each operation must answer.
const expected = (deposit) => ({
  ping: (r) => typeof r === 'object' || r === true,
  time: (r) => Math.abs(Number(r.serverTime ?? r) - Date.now()) < 60000,
  status: (r) => is(r.status, 0),
  exchangeInfo: (r) => none(r.symbols),
  pairs: none,
  isolatedPairs: none,
  markets: (r) => Object.keys(r).length === 0,
  coins: (r) => {
    const c = r.find((x) => x.coin === 'BTC');
    if (c.fee !== undefined) {
      return c.fee === 0 && c.min === 0.00001 && c.step === 1e-8;
    }
    const n = c.networkList[0];
    return decimal(c.free) && n.network === 'BTC' && n.isDefault === true &&
      n.withdrawEnable === true && decimal(n.withdrawFee) &&
      decimal(n.withdrawMin) && n.withdrawIntegerMultiple === '0.00000001';
  },
  fees: (r) => r.withdraw.fee === 0,
  account: (r) => {
    const b = r.balances.find((x) => x.asset === 'BTC');
    return Number(b.free) > 0 && decimal(b.locked);
  },
  balance: (r) => Number(r.BTC.available) > 0,
  permissions: (r) => r.enableWithdrawals === true && r.ipRestrict === true
    && r.enableSpotAndMarginTrading === false,
  accountStatus: (r) => r.data === 'Normal',
  tradingStatus: (r) => r.data.isLocked === false,
  info: (r) => is(r.vipLevel, 0) && r.isMarginEnabled === false,
  depositAddress: (r) => r.address === deposit && r.coin === 'BTC',
  depositAddresses: (r) => r.length === 1 && r[0].address === deposit &&
    is(r[0].isDefault, 1),
  deposits: (r) => r.length === 1 && r[0].coin === 'BTC' &&
    is(r[0].status, 1) && Number(r[0].amount) === 50 &&
    Math.abs(Number(r[0].insertTime ?? r[0].at) - Date.now()) < 600000,
  addresses: (r) => none(r),
  quota: (r) => decimal(r.wdQuota) && decimal(r.usedWdQuota),
  userAsset: (r) => r[0].asset === 'BTC' && Number(r[0].free) > 0,
  funding: none,
  assetDetail: (r) => r.BTC.withdrawStatus === true &&
    decimal(r.BTC.minWithdrawAmount),
  walletBalance: (r) => r[0].walletName === 'Spot' && decimal(r[0].balance),
  fastOff: (r) => Object.keys(r).length === 0,
  fastOn: (r) => Object.keys(r).length === 0,
  questionnaire: (r) => r.questionnaireCountryCode === 'NIL',
});

// It may be asked ten times in a second, and there are fifteen clients.
const slowly = async (call) => {
  await new Promise((done) => { setTimeout(done, 120); });
  return call();
};

const row = (first) => (r) => {
  const w = r.find((x) => x.id === first?.id);
  if (w === undefined) {
    return 'the withdrawal is not there';
  }
  return (Number(w.amount) === 0.01 && w.address === config.address &&
    is(w.status, 4) && w.coin === 'BTC' && w.network === 'BTC' &&
    decimal(w.transactionFee) && is(w.transferType, 0) &&
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(w.applyTime) &&
    (w.unified === undefined || w.unified === 'pending')) || 'odd row';
};

const withdrawals = async (at, name, c) => {
  const mine = order();
  const p = { amount: 0.01, address: config.address, order: mine };
  const first = await check(at('withdraw'), () => c.withdraw(p),
    (r) => id32(r.id));
  await check(at('withdraw again under the same order id'),
    () => c.withdraw(p), (r) => r.id === first?.id || 'another id');
  await refused(at('another amount under it'), name, -4001,
    () => c.withdraw({ ...p, amount: 0.02 }));
  await check(at('a small amount as a float'), () => c.withdraw({
    amount: 0.00001, address: config.address, order: order() }),
  (r) => id32(r.id));
  await check(at('network, fee flag and wallet'), () => c.withdraw({
    amount: 0.001, address: config.address, order: order(),
    more: { network: 'BTC', transactionFeeFlag: true, walletType: 0 } }),
  (r) => id32(r.id));
  for (const [what, label] of [['a name with a blank', 'My wallet'],
    ['a name beyond ASCII', 'Größe ✓ ~!*\'()']]) {
    await check(at(what), () => c.withdraw({ amount: 0.001,
      address: config.address, order: order(), name: label }),
    (r) => id32(r.id));
  }
  await check(at('history'), () => slowly(() =>
    c.history({})), row(first));
  if (name !== 'nba') {
    await check(at('history of an order id'), () => slowly(() =>
      c.history({ order: mine })), (r) => r.length === 1 && row(first)(r));
  }
  if (name === 'ccxt') {
    await check(at('history since'), () => slowly(() => c.history({
      since: Date.now() - 1000000, limit: 3 })), (r) => r.length === 3);
  }
  return p;
};

const refusals = async (at, name, c, p) => {
  await refused(at('a bad address'), name, -4033, () => c.withdraw({
    amount: 0.01, address: config.address.slice(0, -1) +
      (config.address.endsWith('q') ? 'p' : 'q'), order: order() }));
  await refused(at('more than there is'), name, -4026, () => c.withdraw({
    amount: 51, address: config.address, order: order() }));
  await refused(at('a tag'), name, -4106, () => c.withdraw({ ...p,
    order: order(), tag: 'memo1' }));
  if (name !== 'ccxt') {	// which knows by itself
    await refused(at('another coin'), name, -4018, () => c.withdraw({ ...p,
      order: order(), coin: 'ETH' }));
  }
  await refused(at('a recvWindow of over a minute'), name, -1131, c.wide);
  if (c.late) {
    await refused(at('a slow clock'), name, -1021, () => c.late(p));
    await refused(at('a fast clock'), name, -1021, () => c.early(p));
  }
};

for (const [name, make] of Object.entries(clients)) {
  for (const [kind, key] of Object.entries(config.keys[name])) {
    const at = (what) => `${name}, ${kind}: ${what}`;
    const c = make(kind, key);
    for (const [op, good] of Object.entries(expected(
      config.deposits[name][kind]))) {
      if (c[op]) {
        await check(at(op), c[op], good);
      }
    }
    const p = await withdrawals(at, name, c);
    await refusals(at, name, c, p);
    await refused(at('an unknown key'), name, -2015, () => make(kind,
      { ...key, key: config.refused.unknown }).withdraw(p));
    await refused(at("another's secret"), name, -1022, () => make(kind,
      { ...key, secret: config.wrong[kind] }).withdraw(p));
    for (const [why, k] of Object.entries(config.refused[kind] ?? {})) {
      await refused(at(why), name, -2015, () => make(kind, k).withdraw(p));
    }
    if (kind === 'hmac') {
      await check(at('a key that may only read, reads'), () => make(kind,
        config.refused[kind]['a key that may only read']).permissions(),
      (r) => r.enableWithdrawals === false && r.ipRestrict === false);
    }
  }
}
process.exit(failed ? 1 : 0);
