/**
 * The compiled kernel `lanes` in WebAssembly: its structs (engine/lanes/border.hpp) laid out in the module's memory.
 */

export const ACTIVATIONS = ['relu', 'leaky_relu', 'gelu', 'silu', 'tanh', 'sigmoid', 'identity'];
export const LOSSES = ['cross_entropy', 'bce', 'mse', 'l1', 'huber'];
export const OPTIMIZERS = ['sgd', 'adam', 'adamw'];
const HYPERPARAMETERS = ['lr', 'weight_decay', 'momentum', 'beta1', 'beta2', 'eps', 'clip', 'dropout', 'ema'];
const USUAL = {
  lr: 3e-3,
  weight_decay: 0,
  momentum: 0,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  clip: Infinity,
  dropout: 0,
  ema: 0,
};
const LINE = 16; // numbers: each tensor of a member's row begins at a multiple

/**
 * The kernel's exports (wasm/door.cpp): its memory, and functions of numbers and places in it.
 *
 * @typedef {(...numbers: number[]) => number} Exported
 * @typedef {Record<
 *   | 'allocate' | 'release' | 'open_trainer' | 'close_trainer' | 'train' | 'outputs' | 'map' | 'fused' | 'judge'
 *   | 'element_hashes' | 'permutation' | 'layer' | 'convolve' | 'pool' | 'activate' | 'paint'
 *   | 'classes_as_bytes' | 'units_as_bytes',
 *   Exported
 * > & { memory: WebAssembly.Memory, relaxed?: boolean, _initialize?: () => void }} Lanes
 */

/** What the kernel refuses. rule: `no_simd`, `no_memory` or `no_such_row`. */
export class LanesError extends Error {
  constructor(rule, message) {
    super(message);
    this.rule = rule;
  }
}

/**
 * bytes: the module. ways: with the browser's fused multiply-adds, or with emulated ones. → the exports of the first
 * that rounds a b + c once here.
 */
export async function loadLanes(bytes, ways = [true, false]) {
  for (const relaxed of ways) {
    const code = relaxed ? bytes : emulating(bytes);
    if (!WebAssembly.validate(code)) continue;
    const { instance } = await WebAssembly.instantiate(code, {});
    const lanes = /** @type {Lanes} */ (/** @type {unknown} */ (instance.exports));
    lanes._initialize?.();
    if (lanes.fused()) return Object.assign(Object.create(null), lanes, { relaxed });
  }
  throw new LanesError('no_simd', 'this browser has no WebAssembly with 128-bit vectors');
}

const EXPORTS = 7; // number of a module's section
const CODE = 10; // number of a module's section

/**
 * A copy with a call of its export `emulated_fma` for each f32x4.relaxed_madd: both take three bytes and the same three
 * operands.
 */
function emulating(bytes) {
  const code = bytes.slice();
  let at = 8;
  let call = 0;
  const number = () => {
    let n = 0;
    let shift = 0;
    let byte;
    do {
      byte = code[at++];
      n |= (byte & 127) << shift;
      shift += 7;
    } while (byte > 127);
    return n;
  };
  while (at < code.length) {
    const section = code[at++];
    const end = number() + at;
    for (let n = section === EXPORTS ? number() : 0; n; n--) {
      const length = number();
      const name = String.fromCharCode(...code.subarray(at, at + length));
      at += length + 1; // the name, and its kind
      const index = number();
      if (name === 'emulated_fma') call = index;
    }
    for (let i = at; section === CODE && i + 2 < end; i++)
      if (code[i] === 0xfd && code[i + 1] === 0x85 && code[i + 2] === 2)
        code.set([0x10, 128 | (call & 127), call >> 7], i);
    at = end;
  }
  return code;
}

export const KERNEL = 3; // high and wide, of every convolution

/**
 * Where a member's tensors begin in its row of n numbers: of each layer W [out, in] and b; before them filters, those
 * of each convolution.
 */
export function layout(sizes, convolutions = []) {
  let n = 0;
  const place = (count) => {
    const at = n;
    n += Math.ceil(count / LINE) * LINE;
    return at;
  };
  const filters = convolutions.map(({ inputs, outputs }) => [place(KERNEL ** 2 * inputs * outputs), place(outputs)]);
  const starts = sizes.slice(1).flatMap((H, l) => [place(sizes[l] * H), place(H)]);
  return { starts, filters, n };
}

/**
 * P networks of one shape, which train on the same batches.
 *
 * sizes: [D, H, …, C]. convolutions: before the layers, which get their D features: [{inputs, high, wide, outputs}],
 * each with zeros around, and a pool of two by two that takes the largest. batch: rows of the largest batch. unitLanes:
 * vectors hold a layer's units, and members go one by one; else vectors hold members. Both give the same bits.
 * averages: members keep running averages of their weights, which then answer. summed, softmaxFirst: the faults
 * missing_zero_grad and softmax_before_cross_entropy.
 *
 * step: updates done, by which batches, schedules and dropout go. optimizerStep: those since its moments were 0.
 */
export class Population {
  constructor(
    lanes,
    {
      sizes,
      convolutions = [],
      activation = 'relu',
      loss = 'cross_entropy',
      optimizer = 'adam',
      P = 1,
      unitLanes = P === 1,
      batch = 256,
      dropout = false,
      nesterov = false,
      averages = false,
      summed = false,
      softmaxFirst = false,
    },
  ) {
    const [picture] = convolutions;
    const { starts, filters, n } = layout(sizes, convolutions);
    this.lanes = lanes;
    this.sizes = sizes;
    this.convolutions = convolutions;
    this.activation = activation;
    this.loss = loss;
    this.optimizer = optimizer;
    this.P = P;
    this.averages = averages;
    this.C = sizes.at(-1);
    this.starts = starts;
    this.filters = filters;
    this.n = n;
    this.D = picture ? picture.inputs * picture.high * picture.wide : sizes[0]; // numbers of a row
    // units, or channels, of each stage
    this.widths = [this.D, ...convolutions.map(({ outputs }) => outputs), ...sizes.slice(1)];
    this.memory = new Set();
    this.trainer = 0;
    this.rowsMemory = [];
    this.step = 0;
    this.optimizerStep = 0;
    try {
      this.open({ unitLanes, batch, dropout, nesterov, summed, softmaxFirst });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  open({ unitLanes, batch, dropout, nesterov, summed, softmaxFirst }) {
    const { lanes, sizes, convolutions, starts, filters, n, P, C } = this;
    const kind = LOSSES.indexOf(this.loss);
    const widest = Math.max(1, ...sizes.slice(convolutions.length ? 0 : 1, -1));
    const targets = kind ? 0 : this.doubles(Array.from({ length: C * C }, (_, i) => +(i % (C + 1) === 0)));
    const net = this.room(128);
    this.words(net, [this.longs(sizes), this.longs(starts), targets, 0, 0, 0]);
    this.long(net + 24, n);
    this.f64[(net + 48) / 8] = 1; // the gates' rate, of which there are none
    const shapes = convolutions.flatMap(({ inputs, high, wide, outputs }, l) => [
      inputs,
      high,
      wide,
      outputs,
      KERNEL,
      1,
      KERNEL >> 1,
      high,
      wide,
      0,
      1,
      ...filters[l],
      0,
      0,
    ]);
    if (shapes.length) this.words(net + 56, [this.longs(shapes)]);
    this.long(net + 64, convolutions.length);
    this.words(net + 88, [
      sizes.length - 1,
      ACTIVATIONS.indexOf(this.activation),
      kind,
      OPTIMIZERS.indexOf(this.optimizer),
      +nesterov,
      +dropout,
      +summed,
      +softmaxFirst,
      +this.averages,
    ]);
    this.params = this.room(4 * P * n);
    this.grads = this.room(4 * P * n);
    this.moments = [this.room(4 * P * n), ...(this.optimizer === 'sgd' ? [] : [this.room(4 * P * n)])];
    this.average = this.averages ? this.room(4 * P * n) : 0;
    this.hp = Object.fromEntries(HYPERPARAMETERS.map((name) => [name, this.doubles(new Array(P).fill(USUAL[name]))]));
    this.seeds = this.room(8 * P);
    this.schedules = this.room(8 * P);
    this.bags = this.room(8 * P);
    const all = Array.from({ length: P }, (_, p) => p);
    this.everybody = this.members(all);
    this.answering = this.averages ? this.members(all, this.average) : this.everybody;
    this.steps = this.room(88);
    const elements = batch * widest + LINE;
    const hash = dropout ? this.room(4 * elements) : 0;
    if (dropout) lanes.element_hashes(hash, elements);
    this.trainer = lanes.open_trainer(net, hash, batch, +(unitLanes || convolutions.length > 0));
    if (!this.trainer) throw noMemory();
  }

  // ---- the module's memory; growing it detaches older views, so views are made anew for each use

  get i32() {
    return new Int32Array(this.lanes.memory.buffer);
  }
  get f32() {
    return new Float32Array(this.lanes.memory.buffer);
  }
  get f64() {
    return new Float64Array(this.lanes.memory.buffer);
  }
  /** Zeroed bytes. */
  room(bytes) {
    const at = bytes < 2 ** 31 ? this.lanes.allocate(bytes) >>> 0 : 0;
    if (!at) throw noMemory();
    this.memory.add(at);
    new Uint8Array(this.lanes.memory.buffer, at, bytes).fill(0);
    return at;
  }
  free(at) {
    if (this.memory.delete(at)) this.lanes.release(at);
  }
  words(at, list) {
    this.i32.set(list, at / 4);
  }
  long(at, value) {
    new BigInt64Array(this.lanes.memory.buffer, at, 1)[0] = BigInt(value);
  }
  floats(values) {
    const at = this.room(4 * values.length);
    this.f32.set(values, at / 4);
    return at;
  }
  doubles(values) {
    const at = this.room(8 * values.length);
    this.f64.set(values, at / 8);
    return at;
  }
  /** Whole numbers from 0 to 2^31, of 8 bytes each. */
  longs(values) {
    const at = this.room(8 * values.length);
    const to = this.i32;
    for (let i = 0, w = at / 4; i < values.length; i++, w += 2) to[w] = values[i];
    return at;
  }

  /**
   * A view of one member's row, good until something else is made: 'params', 'grads', 'average', or 'moments' 0 and 1.
   */
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
  /** seed: of dropout; a number, a BigInt or digits. */
  setSeed(seed, p) {
    this.long(this.seeds + 8 * p, seed);
  }
  /** bag: whose weights of the rows a member learns by, counted from 0. */
  setBag(bag, p) {
    this.long(this.bags + 8 * p, bag);
  }

  /** A copy of all that a member's training hangs on, besides its settings: what a time machine keeps. */
  state(p) {
    const copy = (kind, moment) => this.row(p, kind, moment).slice();
    return {
      step: this.step,
      optimizerStep: this.optimizerStep,
      params: copy('params'),
      grads: copy('grads'),
      moments: this.moments.map((_, i) => copy('moments', i)),
      average: this.averages ? copy('average') : null,
    };
  }
  /** Put a state into a member's row; the whole population then stands at its step. */
  restore(p, { step, optimizerStep, params, grads, moments, average }) {
    this.row(p).set(params);
    this.row(p, 'grads').set(grads);
    moments.forEach((values, i) => this.row(p, 'moments', i).set(values));
    if (this.averages) this.row(p, 'average').set(average ?? params);
    Object.assign(this, { step, optimizerStep });
  }

  /** A struct that names some members, for `outputs`; free(it) when it is done with. */
  members(rows, params = this.params) {
    const at = this.room(96 + 8 * rows.length);
    const to = this.i32;
    rows.forEach((row, i) => {
      to[(at + 96) / 4 + 2 * i] = row;
    });
    this.words(at, [
      at + 96,
      params,
      this.grads,
      this.moments[0],
      this.moments[1] ?? 0,
      this.average,
      ...HYPERPARAMETERS.map((name) => this.hp[name]),
      this.seeds,
      this.schedules,
      this.bags,
    ]);
    this.long(at + 72, rows.length);
    this.words(at + 80, [at + 88]);
    return at;
  }

  /**
   * The rows to train on. x: [N D] floats. y: [N] classes for cross-entropy, else [N C] floats. weights: [G N] of the
   * rows in each bag; null: each counts 1.
   */
  setRows(x, y, weights = null) {
    for (const at of this.rowsMemory.splice(0)) this.free(at);
    this.N = x.length / this.D;
    this.x = this.floats(x);
    this.y = this.loss === 'cross_entropy' ? this.longs(y) : this.floats(y);
    this.weights = weights ? this.floats(weights) : 0;
    this.rowsMemory.push(this.x, this.y, this.weights);
  }

  /**
   * Take steps. batchOf(step): its rows' numbers, or null: all rows. factorOf(step): of the learning rate. rows: the
   * members that train; null: all. → [count R] losses, each before its update.
   */
  train(count, batchOf = () => null, factorOf = () => 1, rows = null) {
    const R = rows ? rows.length : this.P;
    const steps = Array.from({ length: count }, (_, s) => this.step + s);
    const held = [];
    const hold = (at) => {
      held.push(at);
      return at;
    };
    try {
      const batches = steps.map(batchOf);
      const lists = batches[0] ? this.batches(batches).map(hold) : [0, 0];
      const factors = hold(this.doubles(steps.map(factorOf)));
      const loss = hold(this.room(4 * count * R));
      const members = rows ? hold(this.members(rows)) : this.everybody;
      const classes = this.loss === 'cross_entropy';
      this.words(this.steps, [
        this.x,
        classes ? this.y : 0,
        classes ? 0 : this.y,
        ...lists,
        0,
        0,
        factors,
        loss,
        this.weights,
      ]);
      [this.N, this.step, this.optimizerStep, count, 0, count].forEach((value, i) =>
        this.long(this.steps + 40 + 8 * i, value),
      );
      if (this.lanes.train(this.trainer, members, this.steps))
        throw new LanesError('no_such_row', 'a batch names a row or a class that is not there');
      this.step += count;
      this.optimizerStep += count;
      return this.f32.slice(loss / 4, loss / 4 + count * R);
    } finally {
      held.forEach((at) => this.free(at));
    }
  }
  /** Their rows one after the other, and where each batch ends. */
  batches(list) {
    let total = 0;
    const ends = list.map((rows) => (total += rows.length));
    const index = this.room(8 * total);
    const to = this.i32;
    let w = index / 4;
    for (const rows of list) for (let i = 0; i < rows.length; i++, w += 2) to[w] = rows[i];
    return [index, this.longs(ends)];
  }

  /** Outputs [R rows C] of members, at a place of the memory; x, too, is one. */
  outputs(x, rows, z, members = this.answering) {
    this.lanes.outputs(this.trainer, members, x, rows, z);
  }
  /** The same as a copy. x: [N D] floats. rows: the members; null: all. */
  predict(x, rows = null) {
    const N = x.length / this.D;
    const R = rows ? rows.length : this.P;
    const from = this.floats(x);
    const z = this.room(4 * R * N * this.C);
    const members = rows ? this.members(rows, this.average || this.params) : this.answering;
    this.outputs(from, N, z, members);
    const answer = this.f32.slice(z / 4, z / 4 + R * N * this.C);
    for (const at of [from, z, ...(rows ? [members] : [])]) this.free(at);
    return answer;
  }

  close() {
    if (this.trainer) this.lanes.close_trainer(this.trainer);
    this.trainer = 0;
    for (const at of [...this.memory]) this.free(at);
  }
}

const noMemory = () => new LanesError('no_memory', 'not enough memory for so many networks');
