// Baseline: limits of the kind that etc/default.policy sets, as a Node
// program written by hand: the same windows and classes, with fixed numbers
// where the policy has learned lines.  Decides exactly as limits.lua does.
// Two variants, the better one counts:
//   maps   objects and Maps, as one would write it first
//   typed  typed arrays indexed by number, as one would write it for speed
// Usage: node limits.js VARIANT REQUESTS.bin  -> JSON with decisions a second
'use strict';
const fs = require('fs');
const [,, variant, file] = process.argv;
const buf = fs.readFileSync(file);	// see requests.h
const nAccounts = buf.readUInt32LE(0), nDest = buf.readUInt32LE(4);
const n = buf.readUInt32LE(8), nNets = buf.readUInt32LE(12);
const daily = buf.readUInt32LE(16), hot = buf.readDoubleLE(24);
const H = 3600000, D = 86400000;

class Window {			// one platform counter of 64 buckets
	constructor(days, buckets = 64) {
		this.w = days * D / buckets; this.n = buckets + 1;
		this.cells = new Float64Array(this.n);
		this.last = 0; this.total = 0;
	}
	roll(now) {
		const b = Math.floor(now / this.w);
		if (b - this.last >= this.n) {
			this.cells.fill(0); this.total = 0; this.last = b;
		}
		while (this.last < b) {
			const i = ++this.last % this.n;
			this.total -= this.cells[i]; this.cells[i] = 0;
		}
	}
	sum(now) { this.roll(now); return this.total; }
	add(now, v) {
		this.roll(now);
		this.cells[this.last % this.n] += v; this.total += v;
	}
}
class DistinctMap {		// last seen, in order of being seen
	constructor(window) { this.w = window; this.m = new Map(); }
	count(now, who) {
		for (const [k, t] of this.m) {
			if (t > now - this.w) break;
			this.m.delete(k);
		}
		return this.m.size + (this.m.has(who) ? 0 : 1);
	}
	touch(now, who) { this.m.delete(who); this.m.set(who, now); }
}
class DistinctTyped {		// last seen of each, and a queue of touches
	constructor(window) {
		this.w = window; this.n = 0; this.head = 0; this.tail = 0;
		this.last = new Float64Array(nAccounts);
		this.size = 1024;
		this.t = new Float64Array(this.size);
		this.who = new Uint32Array(this.size);
	}
	count(now, who) {
		const out = now - this.w, mask = this.size - 1;
		while (this.head < this.tail && this.t[this.head & mask] <= out) {
			const i = this.head++ & mask;
			if (this.last[this.who[i]] === this.t[i]) {
				this.last[this.who[i]] = 0; this.n--;
			}
		}
		return this.n + (this.last[who] > 0 ? 0 : 1);
	}
	touch(now, who) {
		if (this.tail - this.head === this.size) this.grow();
		if (this.last[who] === 0) this.n++;
		this.last[who] = now;
		const i = this.tail++ & (this.size - 1);
		this.t[i] = now; this.who[i] = who;
	}
	grow() {
		const t = new Float64Array(this.size * 2);
		const who = new Uint32Array(this.size * 2);
		for (let k = this.head; k < this.tail; k++) {
			t[k & (this.size * 2 - 1)] = this.t[k & (this.size - 1)];
			who[k & (this.size * 2 - 1)] = this.who[k & (this.size - 1)];
		}
		this.t = t; this.who = who; this.size *= 2;
	}
}
class ManyMaps {		// windows of 8 buckets, one an entity
	constructor() { this.m = new Map(); }
	get(i) {
		let x = this.m.get(i);
		if (!x) this.m.set(i, x = new Window(1, 8));
		return x;
	}
	sum(i, now) { return this.get(i).sum(now); }
	add(i, now, v) { this.get(i).add(now, v); }
}
class ManyTyped {
	constructor(count) {
		this.w = D / 8; this.cells = new Float64Array(count * 9);
		this.last = new Uint32Array(count);
	}
	roll(i, now) {
		const b = Math.floor(now / this.w), o = i * 9;
		let l = this.last[i];
		if (b - l >= 9) this.cells.fill(0, o, o + 9);
		else while (l < b) this.cells[o + ++l % 9] = 0;
		this.last[i] = b;
	}
	sum(i, now) {
		this.roll(i, now);
		const c = this.cells, o = i * 9;
		return c[o] + c[o + 1] + c[o + 2] + c[o + 3] + c[o + 4] +
		    c[o + 5] + c[o + 6] + c[o + 7] + c[o + 8];
	}
	add(i, now, v) {
		this.roll(i, now);
		this.cells[i * 9 + this.last[i] % 9] += v;
	}
}
class FewMaps {			// distinct per entity, few members
	constructor(window) { this.w = window; this.m = new Map(); }
	get(i) {
		let x = this.m.get(i);
		if (!x) this.m.set(i, x = new DistinctMap(this.w));
		return x;
	}
	count(i, now, who) { return this.get(i).count(now, who); }
	touch(i, now, who) { this.get(i).touch(now, who); }
}
class FewTyped {
	constructor(window, count) {
		this.w = window; this.who = new Int32Array(count * 8).fill(-1);
		this.t = new Float64Array(count * 8);
	}
	count(i, now, who) {
		let c = 1;
		for (let o = i * 8, e = o + 8; o < e; o++)
			if (this.who[o] >= 0 && this.t[o] > now - this.w &&
			    this.who[o] !== who) c++;
		return c;
	}
	touch(i, now, who) {
		let best = i * 8;
		for (let o = i * 8, e = o + 8; o < e; o++) {
			if (this.who[o] === who) { best = o; break; }
			if (this.t[o] < this.t[best]) best = o;
		}
		this.who[best] = who; this.t[best] = now;
	}
}
const typed = variant === 'typed';
const many = (c) => typed ? new ManyTyped(c) : new ManyMaps();
const few = (w, c) => typed ? new FewTyped(w, c) : new FewMaps(w);
const distinct = (w) => typed ? new DistinctTyped(w) : new DistinctMap(w);
const outlays = many(nAccounts), committed = many(nAccounts);
const net1 = few(H, nNets), net24 = few(D, nNets), payers = few(D, nDest);
const e3 = distinct(3 * H), e24 = distinct(D);
const c6 = distinct(6 * H), c24 = distinct(D), c7 = distinct(7 * D);
const w6 = distinct(6 * H), w24 = distinct(D), w72 = distinct(3 * D),
    w7 = distinct(7 * D);
const h24 = distinct(D), h72 = distinct(3 * D), h7 = distinct(7 * D);
const rw6 = distinct(6 * H), rh24 = distinct(D);
const hw24 = distinct(D), hw7 = distinct(7 * D);
const sc24 = new Window(1), sc72 = new Window(3), sc7 = new Window(7);
const m6 = new Window(0.25), m24 = new Window(1), m7 = new Window(7);
const od24 = new Window(1), od7 = new Window(7);
const hc24 = new Window(1), hc7 = new Window(7);
const hs24 = new Window(1), hs7 = new Window(7);
const habits = new Float64Array(nAccounts);
const limits = new Float64Array(nAccounts).fill(1e10);

// Pairs: a number in a Map; for speed, what belongs to it in typed arrays.
const pairs = new Map();
const credits = new Float64Array(n + 1), firsts = new Float64Array(n + 1);
let rushing = false;

function decide(now, a, d, amount, net, number) {
	const key = a * 4294967296 + d, pair = pairs.get(key) || 0;
	const credit = credits[pair], habit = habits[a], limit = limits[a];
	// Classes.
	const proven = amount <= credit && now - firsts[pair] >= 3 * D;
	const acquainted = !proven && 2 * credit >= amount;
	const strange = !proven && !acquainted;
	const outlay = outlays.sum(a, now) + (strange ? amount : 0);
	const small = strange && outlay < 5e7;
	const surprising = !proven && amount >= 5e7 && outlay > 3 * habit;
	const habitual = strange && !small && !surprising;
	const watched = surprising && outlay >= 1.5e8;
	const heavy = surprising && outlay >= 5e8;
	if (proven)
		rushing = e3.count(now, a) > daily * 0.2 ||
		    e24.count(now, a) > daily * 0.9;
	const rush = rushing;
	const calm = surprising && !rush;
	const calmw = watched && !rush, calmhv = heavy && !rush;
	const calms = small && !rush;
	const habw = habitual && outlay >= 1.5e8 && !rush;
	const habs = habitual && outlay < 1.5e8 && !rush;
	const odds = calms && outlay >= 1e7 && outlay > 3 * habit;
	// Rules.
	let delay = 0, hold = false, deny = false;
	if (watched) delay = H;
	if (heavy) delay = 6 * H;
	if (watched && amount >= hot * 0.01) delay = 12 * H;
	if (calm) {
		if (c6.count(now, a) > daily * 0.1) hold = true;
		if (c24.count(now, a) > daily * 0.2) hold = true;
		if (c7.count(now, a) > daily * 0.8) hold = true;
	}
	if (calmw) {
		if (w6.count(now, a) > daily * 0.05) hold = true;
		if (w24.count(now, a) > daily * 0.1) hold = true;
		if (w72.count(now, a) > daily * 0.2) hold = true;
		if (w7.count(now, a) > daily * 0.4) hold = true;
	}
	if (calmhv) {
		if (h24.count(now, a) > daily * 0.05) hold = true;
		if (h72.count(now, a) > daily * 0.1) hold = true;
		if (h7.count(now, a) > daily * 0.2) hold = true;
		if (sc24.sum(now) + amount > hot * 0.2) hold = true;
		if (sc72.sum(now) + amount > hot * 0.4) hold = true;
		if (sc7.sum(now) + amount > hot * 0.6) hold = true;
	}
	if (watched && rush && rw6.count(now, a) > daily * 0.1) hold = true;
	if (heavy && rush && rh24.count(now, a) > daily * 0.1) hold = true;
	if (calms) {
		if (m6.sum(now) + amount > hot * 0.02) hold = true;
		if (m24.sum(now) + amount > hot * 0.06) hold = true;
		if (m7.sum(now) + amount > hot * 0.25) hold = true;
	}
	if (odds) {
		if (od24.sum(now) + amount > hot * 0.03) hold = true;
		if (od7.sum(now) + amount > hot * 0.12) hold = true;
	}
	if (habw) {
		if (hw24.count(now, a) > daily * 0.2) hold = true;
		if (hw7.count(now, a) > daily) hold = true;
		if (hc24.sum(now) + amount > hot * 0.3) hold = true;
		if (hc7.sum(now) + amount > hot * 1.5) hold = true;
	}
	if (habs) {
		if (hs24.sum(now) + amount > hot * 0.1) hold = true;
		if (hs7.sum(now) + amount > hot * 0.5) hold = true;
	}
	if (surprising) {
		if (amount >= hot * 0.04) hold = true;
		if (net1.count(net, now, a) > 2) hold = true;
		if (net24.count(net, now, a) > 3) hold = true;
		if (number % 1000 === 0) hold = true;
	}
	if (watched && payers.count(d, now, a) > 2) hold = true;
	if (limit > 0 && committed.sum(a, now) + amount > limit) deny = true;
	// Asked for: counted whatever the verdict.
	if (strange) outlays.add(a, now, amount);
	if (proven) { e3.touch(now, a); e24.touch(now, a); }
	if (surprising) {
		net1.touch(net, now, a); net24.touch(net, now, a);
		payers.touch(d, now, a);
	}
	if (calm) {
		c6.touch(now, a); c24.touch(now, a); c7.touch(now, a);
		sc24.add(now, amount); sc72.add(now, amount); sc7.add(now, amount);
	}
	if (calmw) {
		w6.touch(now, a); w24.touch(now, a); w72.touch(now, a);
		w7.touch(now, a);
	}
	if (calmhv) { h24.touch(now, a); h72.touch(now, a); h7.touch(now, a); }
	if (watched) rw6.touch(now, a);
	if (heavy) rh24.touch(now, a);
	if (calms) { m6.add(now, amount); m24.add(now, amount); m7.add(now, amount); }
	if (odds) { od24.add(now, amount); od7.add(now, amount); }
	if (habw) { hw24.touch(now, a); hw7.touch(now, a); }
	if (habs) { hs24.add(now, amount); hs7.add(now, amount); }
	if (deny) return 3;
	if (hold) return 2;
	// Committed, and what is learnt from it.
	committed.add(a, now, amount);
	if (habw) { hc24.add(now, amount); hc7.add(now, amount); }
	let at = pair;
	if (at === 0) {
		pairs.set(key, at = pairs.size + 1);
		firsts[at] = now;
	}
	credits[at] += amount;
	if (!proven)
		habits[a] = habit === 0 ? amount :
		    habit + Math.floor((amount - habit) / 8);
	return delay > 0 ? 1 : 0;
}
const counts = [0, 0, 0, 0];
const view = new DataView(buf.buffer, buf.byteOffset + 32);
const start = process.hrtime.bigint(), cpu0 = process.cpuUsage();
for (let i = 0, o = 0; i < n; i++, o += 32)
	counts[decide(view.getFloat64(o, true), view.getUint32(o + 8, true),
	    view.getUint32(o + 12, true), view.getFloat64(o + 16, true),
	    view.getUint32(o + 24, true), i)]++;
const ns = Number(process.hrtime.bigint() - start);
const cpu = process.cpuUsage(cpu0);
console.log(JSON.stringify({ variant, requests: n,
	decisions_per_second: Math.round(n / ns * 1e9),
	cpu_ns: Math.round((cpu.user + cpu.system) * 1000 / n),
	released: counts[0], delayed: counts[1], held: counts[2], denied: counts[3] }));
