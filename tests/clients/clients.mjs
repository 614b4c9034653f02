// The five clients behind one face: an object of functions a client, each
// answering with what is inside its own wrapping.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const order = (p) => ({
  ...(p.order ? { withdrawOrderId: p.order } : {}),
  ...(p.name ? { name: p.name } : {}), ...(p.more ?? {}) });

export const load = (config) => {
  const require = createRequire(pathToFileURL(config.modules + '/'));
  const ccxt = require('ccxt');
  const { Spot, PrivateKeyAlgo } = require('@binance/connector');
  const { Wallet } = require('@binance/wallet');
  const Nba = require('node-binance-api');
  const { MainClient } = require('binance');
  const base = config.base;

  const exchange = (k, options) => {
    const x = new ccxt.binance({ apiKey: k.key, secret: k.secret,
      options: { fetchMarkets: { types: ['spot'] }, ...options } });
    Object.assign(x.urls.api, { public: base + '/api/v3',
      private: base + '/api/v3', sapi: base + '/sapi/v1',
      sapiV2: base + '/sapi/v2', sapiV3: base + '/sapi/v3',
      sapiV4: base + '/sapi/v4', v1: base + '/api/v1' });
    return x;
  };

  return {
    ccxt: (kind, k) => {
      const x = exchange(k, {});
      return {
        ping: () => x.publicGetPing(),
        time: async () => ({ serverTime: await x.fetchTime() }),
        status: async () => ({ status: (await x.fetchStatus()).status ===
          'ok' ? 0 : 1 }),
        exchangeInfo: () => x.publicGetExchangeInfo(),
        pairs: () => x.sapiGetMarginAllPairs(),
        isolatedPairs: () => x.sapiGetMarginIsolatedAllPairs(),
        markets: () => x.loadMarkets(),
        coins: async () => Object.values(await x.fetchCurrencies())
          .map((c) => ({ coin: c.code, free: 'unknown',
            fee: c.networks.BTC.fee, min: c.networks.BTC.limits.withdraw
              .min, step: c.precision })),
        fees: async () => (await x.fetchDepositWithdrawFees()).BTC,
        account: async () => {
          const f = await x.fetchBalance();
          return { balances: [{ asset: 'BTC', free: String(f.BTC.free),
            locked: String(f.BTC.used) }] };
        },
        permissions: () => x.sapiGetAccountApiRestrictions(),
        accountStatus: () => x.sapiGetAccountStatus(),
        tradingStatus: () => x.sapiGetAccountApiTradingStatus(),
        info: () => x.sapiGetAccountInfo(),
        withdraw: (p) => x.withdraw('BTC', p.amount, p.address, p.tag,
          order(p)),
        // What a client whose clock is wrong sends.
        late: (p) => exchange(k, { timeDifference: 120000 }).withdraw('BTC',
          p.amount, p.address),
        early: (p) => exchange(k, { timeDifference: -120000 }).withdraw(
          'BTC', p.amount, p.address),
        wide: () => exchange(k, { recvWindow: 60001 }).fetchBalance(),
        history: async (p) => (await x.fetchWithdrawals('BTC', p.since,
          p.limit, p.order ? { withdrawOrderId: p.order } : {}))
          .map((w) => ({ ...w.info, amount: String(w.amount),
            address: w.address, unified: w.status, at: w.timestamp })),
        depositAddress: async () => ({ coin: 'BTC', address:
          (await x.fetchDepositAddress('BTC')).address }),
        depositAddresses: () => x.sapiGetCapitalDepositAddressList({
          coin: 'BTC' }),
        deposits: async () => (await x.fetchDeposits('BTC')).map((d) => ({
          coin: d.currency, amount: String(d.amount), at: d.timestamp,
          status: d.status === 'ok' ? 1 : 0 })),
        addresses: () => x.sapiGetCapitalWithdrawAddressList(),
        userAsset: () => x.sapiV3PostAssetGetUserAsset(),
        funding: async () => {
          const f = await x.fetchBalance({ type: 'funding' });
          return f.info;
        },
        assetDetail: () => x.sapiGetAssetAssetDetail(),
        walletBalance: () => x.sapiGetAssetWalletBalance(),
        fastOff: () => x.sapiPostAccountDisableFastWithdrawSwitch(),
        fastOn: () => x.sapiPostAccountEnableFastWithdrawSwitch(),
      };
    },
    connector: (kind, k) => {
      const x = kind === 'hmac' ? new Spot(k.key, k.secret,
        { baseURL: base }) : new Spot(k.key, '', {
        baseURL: base, privateKey: k.secret, privateKeyAlgo:
          kind === 'rsa' ? PrivateKeyAlgo.RSA : PrivateKeyAlgo.ED25519 });
      const data = async (p) => (await p).data;
      return {
        ping: () => data(x.ping()),
        time: () => data(x.time()),
        status: () => data(x.systemStatus()),
        exchangeInfo: () => data(x.exchangeInfo()),
        pairs: () => data(x.marginAllPairs()),
        isolatedPairs: () => data(x.isolatedMarginAllSymbols()),
        coins: () => data(x.coinInfo()),
        account: () => data(x.account()),
        permissions: () => data(x.apiPermissions()),
        accountStatus: () => data(x.accountStatus()),
        tradingStatus: () => data(x.tradingStatus()),
        withdraw: (p) => data(x.withdraw(p.coin ?? 'BTC', p.address,
          p.amount, { ...order(p), ...(p.tag ? { addressTag: p.tag } :
            {}) })),
        wide: () => data(x.account({ recvWindow: 60001 })),
        history: (p) => data(x.withdrawHistory({ coin: 'BTC',
          ...(p.order ? { withdrawOrderId: p.order } : {}) })),
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
          { privateKey: k.secret }), basePath: base } }).restAPI;
      const data = async (p) => (await p).data();
      return {
        status: () => data(x.systemStatus()),
        coins: () => data(x.allCoinsInformation()),
        permissions: () => data(x.getApiKeyPermission()),
        accountStatus: () => data(x.accountStatus()),
        tradingStatus: () => data(x.accountApiTradingStatus()),
        info: () => data(x.accountInfo()),
        withdraw: (p) => data(x.withdraw({ coin: p.coin ?? 'BTC',
          address: p.address, amount: p.amount, ...order(p),
          ...(p.tag ? { addressTag: p.tag } : {}) })),
        wide: () => data(x.accountInfo({ recvWindow: 60001 })),
        history: (p) => data(x.withdrawHistory({ coin: 'BTC',
          ...(p.order ? { withdrawOrderId: p.order } : {}) })),
        depositAddress: () => data(x.depositAddress({ coin: 'BTC' })),
        depositAddresses: () => data(x.fetchDepositAddressListWithNetwork({
          coin: 'BTC' })),
        deposits: () => data(x.depositHistory({ includeSource: true })),
        addresses: () => data(x.fetchWithdrawAddressList()),
        quota: () => data(x.fetchWithdrawQuota()),
        userAsset: () => data(x.userAsset({ needBtcValuation: true })),
        funding: () => data(x.fundingWallet()),
        assetDetail: () => data(x.assetDetail()),
        walletBalance: () => data(x.queryUserWalletBalance()),
        fastOff: () => data(x.disableFastWithdrawSwitch()),
        fastOn: () => data(x.enableFastWithdrawSwitch()),
        questionnaire: () => data(x.checkQuestionnaireRequirements()),
      };
    },
    // Its accountStatus() is account(), its assetDetail() asks for a path
    // that there never was.
    nba: (kind, k) => {
      const make = (more) => new Nba().options({ APIKEY: k.key,
        APISECRET: k.secret, urls: { base: base + '/api/',
          sapi: base + '/sapi/' }, ...more });
      const x = make({});
      return {
        ping: () => x.ping(),
        time: () => x.time(),
        exchangeInfo: () => x.exchangeInfo(),
        status: () => x.systemStatus(),
        account: () => x.account(),
        balance: () => x.balance(),
        permissions: () => x.apiPermission(),
        withdraw: (p) => x.withdraw(p.coin ?? 'BTC', p.address, p.amount,
          p.tag, p.name, order({ ...p, name: undefined })),
        wide: () => make({ recvWindow: 60001 }).account(),
        history: () => x.withdrawHistory('BTC'),
        depositAddress: () => x.depositAddress('BTC'),
        depositAddresses: () => x.depositAddressList('BTC'),
        deposits: () => x.depositHistory('BTC'),
      };
    },
    binance: (kind, k) => {
      const make = (more) => new MainClient({ api_key: k.key,
        api_secret: k.secret, baseUrl: base, disableTimeSync: true,
        ...more });
      const x = make({});
      return {
        ping: () => x.testConnectivity(),
        status: () => x.getSystemStatus(),
        exchangeInfo: () => x.getExchangeInfo(),
        pairs: () => x.getAllCrossMarginPairs(),
        isolatedPairs: () => x.getIsolatedMarginAllSymbols(),
        coins: () => x.getBalances(),
        account: () => x.getAccountInformation(),
        permissions: () => x.getApiKeyPermissions(),
        accountStatus: () => x.getAccountStatus(),
        tradingStatus: () => x.getApiTradingStatus(),
        info: () => x.getAccountInfo(),
        withdraw: (p) => x.withdraw({ coin: p.coin ?? 'BTC',
          address: p.address, amount: p.amount, ...order(p),
          ...(p.tag ? { addressTag: p.tag } : {}) }),
        wide: () => make({ recvWindow: 60001 }).getAccountInformation(),
        history: (p) => x.getWithdrawHistory({ coin: 'BTC',
          ...(p.order ? { withdrawOrderId: p.order } : {}) }),
        depositAddress: () => x.getDepositAddress({ coin: 'BTC' }),
        depositAddresses: () => x.getDepositAddresses({ coin: 'BTC' }),
        deposits: () => x.getDepositHistory({}),
        addresses: () => x.getWithdrawAddresses(),
        quota: () => x.getWithdrawQuota(),
        userAsset: () => x.getUserAsset({ needBtcValuation: true }),
        funding: () => x.getFundingAsset({}),
        assetDetail: () => x.getAssetDetail({}),
        walletBalance: () => x.getWalletBalances({}),
        fastOff: () => x.disableFastWithdrawSwitch(),
        fastOn: () => x.enableFastWithdrawSwitch(),
      };
    },
  };
};
