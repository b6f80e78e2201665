/** The compiled kernel `lanes` in WebAssembly: its structs (engine/lanes/border.hpp) laid out in the module's memory. */

export const ACTIVATIONS = ['relu', 'leaky_relu', 'gelu', 'silu', 'tanh', 'sigmoid', 'identity'];
export const LOSSES = ['cross_entropy', 'bce', 'mse', 'l1', 'huber'];
export const OPTIMIZERS = ['sgd', 'adam', 'adamw'];
export const HYPERPARAMETERS = ['lr', 'weight_decay', 'momentum', 'beta1', 'beta2', 'eps', 'clip', 'dropout', 'ema'];
const USUAL = { lr: 1e-3, weight_decay: 0, momentum: 0, beta1: 0.9, beta2: 0.999, eps: 1e-8, clip: Infinity, dropout: 0, ema: 0 };
const LINE = 16; // numbers: each tensor of a member's row begins at a multiple

/** builds: {relaxed, exact}, the bytes of both modules. → the exports of the one that rounds a b + c once here. */
export async function loadLanes({ relaxed, exact }) {
  for (const bytes of [relaxed, exact]) {
    if (!bytes || !WebAssembly.validate(bytes)) continue;
    const { instance } = await WebAssembly.instantiate(bytes, {}), lanes = instance.exports;
    lanes._initialize?.();
    if (lanes.fused()) return Object.assign(Object.create(null), lanes, { relaxed: bytes === relaxed });
  }
  throw new Error('no WebAssembly with 128-bit vectors here');
}

/** Where a member's tensors (W, b of each layer) begin in its row of n numbers. */
export function layout(sizes) {
  const starts = [];
  let n = 0;
  for (let l = 0; l + 1 < sizes.length; l++)
    for (const count of [sizes[l] * sizes[l + 1], sizes[l + 1]]) {
      starts.push(n);
      n += Math.ceil(count / LINE) * LINE;
    }
  return { starts, n };
}

/**
 * P networks of one shape, which train on the same batches.
 *
 * sizes: [D, H, …, C]. batch: rows of the largest batch. unitLanes: vectors hold a layer's units, and members go one by
 * one; else vectors hold members. Both give the same bits.
 */
export class Population {
  constructor(lanes, { sizes, activation = 'relu', loss = 'cross_entropy', optimizer = 'adam', P = 1, unitLanes = P === 1, batch = 256, dropout = false, nesterov = false, summed = false, softmaxFirst = false }) {
    Object.assign(this, { lanes, sizes, activation, loss, optimizer, P, C: sizes.at(-1), ...layout(sizes), memory: [], step: 0 });
    const { n, starts, C } = this, kind = LOSSES.indexOf(loss), widest = Math.max(1, ...sizes.slice(1, -1));
    const target = kind ? 0 : this.doubles(Array.from({ length: C * C }, (_, i) => +(i % (C + 1) === 0)));
    const net = this.room(128);
    this.pointers(net, [this.longs(sizes), this.longs(starts), target, 0, 0, 0]);
    this.i64.set([BigInt(n), 0n, 0n], (net + 24) / 8);
    this.f64[(net + 48) / 8] = 1;
    this.i64.set([0n, 0n, 0n], (net + 64) / 8);
    this.pointers(net + 88, [sizes.length - 1, ACTIVATIONS.indexOf(activation), kind, OPTIMIZERS.indexOf(optimizer), +nesterov, +dropout, +summed, +softmaxFirst, 0]);
    this.params = this.room(4 * P * n);
    this.grads = this.room(4 * P * n);
    this.moments = [this.room(4 * P * n), ...(optimizer === 'sgd' ? [] : [this.room(4 * P * n)])];
    this.hp = Object.fromEntries(HYPERPARAMETERS.map((name) => [name, this.doubles(new Array(P).fill(USUAL[name]))]));
    this.seeds = this.longs(new Array(P).fill(0));
    this.schedules = this.longs(new Array(P).fill(0));
    this.everybody = this.members([...Array(P).keys()]);
    this.steps = this.room(88);
    const elements = batch * widest + 16;
    const hash = dropout ? this.room(4 * elements) : 0;
    if (dropout) lanes.element_hashes(hash, elements);
    this.trainer = lanes.open_trainer(net, hash, batch, +unitLanes);
    if (!this.trainer) throw new Error('lanes: no memory');
  }

  get u32() { return new Uint32Array(this.lanes.memory.buffer); }
  get f32() { return new Float32Array(this.lanes.memory.buffer); }
  get f64() { return new Float64Array(this.lanes.memory.buffer); }
  get i64() { return new BigInt64Array(this.lanes.memory.buffer); }
  /** Zeroed bytes in the module's memory; growing it detaches older views, so views are made anew for each use. */
  room(bytes) {
    const at = this.lanes.allocate(bytes);
    if (!at) throw new Error('lanes: no memory');
    this.memory.push(at);
    new Uint8Array(this.lanes.memory.buffer, at, bytes).fill(0);
    return at;
  }
  pointers(at, list) { this.u32.set(list, at / 4); }
  floats(values) { const at = this.room(4 * values.length); this.f32.set(values, at / 4); return at; }
  doubles(values) { const at = this.room(8 * values.length); this.f64.set(values, at / 8); return at; }
  longs(values) { const at = this.room(8 * values.length), to = this.i64; for (let i = 0; i < values.length; i++) to[at / 8 + i] = BigInt(values[i]); return at; }

  /** A view of one member's row: its weights, gradients, or a moment (0, 1). */
  row(p, kind = 'params', moment = 0) {
    const at = kind === 'moments' ? this.moments[moment] : this[kind];
    return new Float32Array(this.lanes.memory.buffer, at + 4 * p * this.n, this.n);
  }
  /** Set a hyper-parameter of one member, or of all. */
  set(name, value, p) {
    const at = this.hp[name] / 8;
    if (p === undefined) this.f64.fill(value, at, at + this.P);
    else this.f64[at + p] = value;
  }
  setSeed(seed, p) { this.i64[this.seeds / 8 + p] = BigInt(seed); }
  /** The struct that names some members; for outputs. */
  members(rows) {
    const at = this.room(96);
    this.pointers(at, [this.longs(rows), this.params, this.grads, this.moments[0], this.moments[1] ?? 0, 0, ...HYPERPARAMETERS.map((name) => this.hp[name]), this.seeds, this.schedules]);
    this.i64[(at + 72) / 8] = BigInt(rows.length);
    this.pointers(at + 80, [this.room(8)]);
    return at;
  }
  /** The rows to train on. x: [N D] floats. y: [N] classes for cross-entropy, else [N C] floats. */
  setRows(x, y) {
    this.N = x.length / this.sizes[0];
    this.x = this.floats(x);
    this.y = this.loss === 'cross_entropy' ? this.longs(y) : this.floats(y);
  }
  /** Take steps. batchOf(step): its rows' numbers, or null: all rows. factorOf(step): of the learning rate. → [count P] losses. */
  train(count, batchOf = () => null, factorOf = () => 1) {
    const first = this.memory.length, index = [], ends = [];
    let whole = true;
    for (let s = 0; s < count; s++) {
      const rows = batchOf(this.step + s);
      if (!rows) continue;
      whole = false;
      for (const i of rows) index.push(i);
      ends.push(index.length);
    }
    const lists = whole ? [0, 0] : [this.longs(index), this.longs(ends)];
    const factors = this.doubles(Array.from({ length: count }, (_, s) => factorOf(this.step + s))), loss = this.room(4 * count * this.P);
    const classes = this.loss === 'cross_entropy';
    this.pointers(this.steps, [this.x, classes ? this.y : 0, classes ? 0 : this.y, ...lists, 0, 0, factors, loss, 0]);
    this.i64.set([this.N, this.step, this.step, count, 0, count].map(BigInt), (this.steps + 40) / 8);
    const answer = this.lanes.train(this.trainer, this.everybody, this.steps);
    if (answer) throw new Error(`lanes: answer ${answer}`);
    this.step += count;
    const losses = this.f32.slice(loss / 4, loss / 4 + count * this.P);
    for (const at of this.memory.splice(first)) this.lanes.release(at);
    return losses;
  }
  /** Outputs [R rows C] of members at a place of the memory; x, too, is one. */
  outputs(x, rows, z, members = this.everybody) { this.lanes.outputs(this.trainer, members, x, rows, z); }
  close() {
    this.lanes.close_trainer(this.trainer);
    for (const at of this.memory.splice(0)) this.lanes.release(at);
  }
}
