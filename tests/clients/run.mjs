// Every operation that the clients have for accounts and withdrawals, by the
// unmodified clients, against a running service.
//
//	node run.mjs CONFIG.json
//
// CONFIG: {base, keys: {hmac|rsa|ed25519: {key, secret}}, refused: {...},
// address, strange}.  Prints `ok NAME` or `not ok NAME: why`.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const require = createRequire(pathToFileURL(config.modules + '/'));
const ccxt = require('ccxt');
const { Spot, PrivateKeyAlgo } = require('@binance/connector');
const { Wallet } = require('@binance/wallet');
const Nba = require('node-binance-api');
const { MainClient } = require('binance');

let failed = 0;
const say = (name, why) => {
  if (why === undefined) {
    console.log('ok ' + name);
  } else {
    failed += 1;
    console.log(`not ok ${name}: ${String(why).slice(0, 300)
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

const refused = async (name, call, good) => {
  let r;
  try {
    r = await call();
  } catch (e) {
    const verdict = good(e);
    say(name, verdict === true ? undefined : `error ${e?.message ??
      JSON.stringify(e)} (${verdict})`);
    return;
  }
  say(name, 'not refused: ' + JSON.stringify(r));
};

const id32 = (x) => typeof x === 'string' && /^[0-9a-f]{32}$/.test(x);
let orders = 0;
const order = () => `c-${process.pid}-${orders += 1}`;

// One object of functions a client, which all answer with what is inside.
const clients = {
  ccxt: (kind, k) => {
    const x = new ccxt.binance({ apiKey: k.key, secret: k.secret,
      options: { fetchMarkets: { types: ['spot'] } } });
    const b = config.base;
    Object.assign(x.urls.api, { public: b + '/api/v3',
      private: b + '/api/v3', sapi: b + '/sapi/v1', sapiV2: b + '/sapi/v2',
      sapiV3: b + '/sapi/v3', sapiV4: b + '/sapi/v4', v1: b + '/api/v1' });
    return {
      time: async () => ({ serverTime: await x.fetchTime() }),
      status: async () => ({ status: (await x.fetchStatus()).status ===
        'ok' ? 0 : 1 }),
      coins: async () => Object.values(await x.fetchCurrencies())
        .map((c) => ({ coin: c.code })),
      account: async () => {
        const f = await x.fetchBalance();
        return { balances: [{ asset: 'BTC', free: String(f.BTC.free),
          locked: String(f.BTC.used) }] };
      },
      permissions: () => x.sapiGetAccountApiRestrictions(),
      accountStatus: () => x.sapiGetAccountStatus(),
      info: () => x.sapiGetAccountInfo(),
      withdraw: async (p) => x.withdraw('BTC', p.amount, p.address,
        undefined, p.order ? { withdrawOrderId: p.order } : {}),
      history: async () => (await x.fetchWithdrawals('BTC')).map((w) =>
        ({ id: w.id, amount: String(w.amount), address: w.address,
          status: w.status, info: w.info })),
      depositAddress: async () => ({ address:
        (await x.fetchDepositAddress('BTC')).address }),
      deposits: () => x.fetchDeposits('BTC'),
      addresses: () => x.sapiGetCapitalWithdrawAddressList(),
      userAsset: () => x.sapiV3PostAssetGetUserAsset(),
    };
  },
  connector: (kind, k) => {
    const x = kind === 'hmac' ? new Spot(k.key, k.secret,
      { baseURL: config.base }) : new Spot(k.key, '', {
      baseURL: config.base, privateKey: k.secret,
      privateKeyAlgo: kind === 'rsa' ? PrivateKeyAlgo.RSA :
        PrivateKeyAlgo.ED25519 });
    const data = async (p) => (await p).data;
    return {
      time: () => data(x.time()),
      status: () => data(x.systemStatus()),
      coins: () => data(x.coinInfo()),
      account: () => data(x.account()),
      permissions: () => data(x.apiPermissions()),
      accountStatus: () => data(x.accountStatus()),
      tradingStatus: () => data(x.tradingStatus()),
      withdraw: (p) => data(x.withdraw('BTC', p.address, p.amount,
        { ...(p.order ? { withdrawOrderId: p.order } : {}),
          ...(p.name ? { name: p.name } : {}) })),
      history: (p) => data(x.withdrawHistory(p)),
      depositAddress: () => data(x.depositAddress('BTC')),
      deposits: () => data(x.depositHistory()),
      userAsset: () => data(x.userAsset()),
      funding: () => data(x.fundingWallet()),
      assetDetail: () => data(x.assetDetail()),
      fastOff: () => data(x.disableFastWithdraw()),
      fastOn: () => data(x.enableFastWithdraw()),
    };
  },
  wallet: (kind, k) => {
    const x = new Wallet({ configurationRestAPI: { apiKey: k.key,
      ...(kind === 'hmac' ? { apiSecret: k.secret } :
        { privateKey: k.secret }), basePath: config.base } }).restAPI;
    const data = async (p) => (await p).data();
    return {
      status: () => data(x.systemStatus()),
      coins: () => data(x.allCoinsInformation()),
      permissions: () => data(x.getApiKeyPermission()),
      accountStatus: () => data(x.accountStatus()),
      tradingStatus: () => data(x.accountApiTradingStatus()),
      info: () => data(x.accountInfo()),
      withdraw: (p) => data(x.withdraw({ coin: 'BTC', address: p.address,
        amount: p.amount, ...(p.order ? { withdrawOrderId: p.order } : {}),
        ...(p.name ? { name: p.name } : {}) })),
      history: (p) => data(x.withdrawHistory(p)),
      depositAddress: () => data(x.depositAddress({ coin: 'BTC' })),
      depositAddresses: () => data(x.fetchDepositAddressListWithNetwork({
        coin: 'BTC' })),
      deposits: () => data(x.depositHistory()),
      addresses: () => data(x.fetchWithdrawAddressList()),
      quota: () => data(x.fetchWithdrawQuota()),
      userAsset: () => data(x.userAsset()),
      funding: () => data(x.fundingWallet()),
      assetDetail: () => data(x.assetDetail()),
      walletBalance: () => data(x.queryUserWalletBalance()),
      fastOff: () => data(x.disableFastWithdrawSwitch()),
      fastOn: () => data(x.enableFastWithdrawSwitch()),
      questionnaire: () => data(x.checkQuestionnaireRequirements()),
    };
  },
  nba: (kind, k) => {
    const x = new Nba().options({ APIKEY: k.key, APISECRET: k.secret,
      urls: { base: config.base + '/api/', sapi: config.base + '/sapi/' } });
    return {
      time: () => x.time(),
      account: () => x.account(),
      balance: () => x.balance(),
      permissions: () => x.apiPermission(),
      withdraw: (p) => x.withdraw('BTC', p.address, p.amount, undefined,
        p.name, p.order ? { withdrawOrderId: p.order } : {}),
      history: () => x.withdrawHistory('BTC'),
      depositAddress: () => x.depositAddress('BTC'),
      deposits: () => x.depositHistory('BTC'),
    };
  },
  binance: (kind, k) => {
    const x = new MainClient({ api_key: k.key, api_secret: k.secret,
      baseUrl: config.base, disableTimeSync: true });
    return {
      status: () => x.getSystemStatus(),
      coins: () => x.getBalances(),
      account: () => x.getAccountInformation(),
      permissions: () => x.getApiKeyPermissions(),
      accountStatus: () => x.getAccountStatus(),
      tradingStatus: () => x.getApiTradingStatus(),
      info: () => x.getAccountInfo(),
      withdraw: (p) => x.withdraw({ coin: 'BTC', address: p.address,
        amount: p.amount, ...(p.order ? { withdrawOrderId: p.order } : {}),
        ...(p.name ? { name: p.name } : {}) }),
      history: (p) => x.getWithdrawHistory(p),
      depositAddress: () => x.getDepositAddress({ coin: 'BTC' }),
      depositAddresses: () => x.getDepositAddresses({ coin: 'BTC' }),
      deposits: () => x.getDepositHistory({}),
      addresses: () => x.getWithdrawAddresses(),
      quota: () => x.getWithdrawQuota(),
      userAsset: () => x.getUserAsset({}),
      funding: () => x.getFundingAsset({}),
      assetDetail: () => x.getAssetDetail({}),
      walletBalance: () => x.getWalletBalances({}),
      fastOff: () => x.disableFastWithdrawSwitch(),
      fastOn: () => x.enableFastWithdrawSwitch(),
    };
  },
};

// What each operation must answer.
const expected = {
  time: (r) => Math.abs(Number(r.serverTime) - Date.now()) < 60000,
  status: (r) => r.status === 0,
  coins: (r) => r.some((c) => c.coin === 'BTC'),
  account: (r) => {
    const b = r.balances.find((x) => x.asset === 'BTC');
    return Number(b.free) > 0 || 'no free balance';
  },
  balance: (r) => Number(r.BTC.available) > 0,
  permissions: (r) => r.enableWithdrawals === true && r.ipRestrict === true,
  accountStatus: (r) => r.data === 'Normal',
  tradingStatus: (r) => r.data.isLocked === false,
  info: (r) => r.vipLevel === 0 || r.vipLevel === '0',
  depositAddress: (r) => r.address === config.deposit,
  depositAddresses: (r) => r[0].address === config.deposit,
  deposits: (r) => r.length >= 1,
  addresses: (r) => Array.isArray(r),
  quota: (r) => Number(r.wdQuota) >= 0,
  userAsset: (r) => r[0].asset === 'BTC',
  funding: (r) => Array.isArray(r),
  assetDetail: (r) => r.BTC.withdrawStatus === true,
  walletBalance: (r) => Array.isArray(r),
  fastOff: (r) => typeof r === 'object',
  fastOn: (r) => typeof r === 'object',
  questionnaire: (r) => r.questionnaireCountryCode === 'NIL',
};

const text = (e) => typeof e === 'string' ? e : JSON.stringify({
  m: e?.message, c: e?.code, b: e?.body, d: e?.response?.data });
const says = (code) => (e) => text(e).includes(String(code)) ||
  'no ' + code + ' in ' + text(e);

for (const [name, make] of Object.entries(clients)) {
  for (const [kind, key] of Object.entries(config.keys)) {
    const at = (what) => `${name}, ${kind}: ${what}`;
    const c = make(kind, key);
    for (const [op, good] of Object.entries(expected)) {
      if (c[op]) {
        await check(at(op), c[op], good);
      }
    }
    const mine = order();
    const p = { amount: 0.01, address: config.address, order: mine };
    const first = await check(at('withdraw'), () => c.withdraw(p),
      (r) => id32(r.id));
    await check(at('withdraw again under the same order id'),
      () => c.withdraw(p), (r) => r.id === first?.id || 'another id');
    await refused(at('another amount under it'),
      () => c.withdraw({ ...p, amount: 0.02 }), says('-4'));
    await check(at('a small amount as a float'), () => c.withdraw({
      amount: 0.0001, address: config.address, order: order() }),
    (r) => id32(r.id));
    if (name !== 'ccxt') {
      await check(at('a name with a space'), () => c.withdraw({
        amount: 0.001, address: config.address, name: 'My wallet' }),
      (r) => id32(r.id));
    }
    await check(at('history'), () => c.history({ coin: 'BTC' }), (r) => {
      const w = r.find((x) => x.id === first?.id);
      return (w !== undefined && Number(w.amount) === 0.01 &&
        w.address === config.address) || 'the withdrawal is not there';
    });
    await refused(at('a bad address'), () => c.withdraw({ amount: 0.01,
      address: config.address.slice(0, -1) + (config.address.endsWith('q') ?
        'p' : 'q'), order: order() }), says('-4033'));
    await refused(at('more than there is'), () => c.withdraw({
      amount: 1000000, address: config.address, order: order() }),
    (e) => says('-40')(e));
    const other = make(kind, { ...key, key: config.refused.unknown });
    await refused(at('an unknown key'), () => other.withdraw(p),
      says('-2015'));
    if (kind === 'hmac') {
      const wrong = make(kind, { ...key, secret: key.secret.slice(0, -1) +
        (key.secret.endsWith('a') ? 'b' : 'a') });
      await refused(at('a wrong secret'), () => wrong.withdraw(p),
        says('-1022'));
      for (const [why, k] of Object.entries(config.refused.keys)) {
        await refused(at(why), () => make(kind, k).withdraw(p),
          says('-2015'));
      }
    }
  }
}
process.exit(failed ? 1 : 0);
