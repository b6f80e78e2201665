/** The past of a run: its losses, its epochs, and states from which any step is played again. */

import { finite } from './training_loop.js';

const ARRAYS = ['mean_P', 'low_P', 'high_P']; // of the losses
const LOSSES = 1 << 20; // means kept of a run's losses, at most
const POINTS = 4000; // of a curve of losses, at most
const EPOCHS = 1500; // of a curve of epochs, at most
const VITALS = 400; // of a small curve, from twice as many on
const BUDGET = 32e6; // bytes of states
const APART = 1000; // steps between two states, at first

/** The loss of every step; of long runs the mean, the least and the largest of `width` steps each. */
export class Losses {
  constructor() {
    this.width = 1;
    this.points = 0;
    this.mean_P = new Float32Array(4096);
    this.low_P = new Float32Array(4096);
    this.high_P = new Float32Array(4096);
    this.sum = 0;
    this.pending = 0;
    this.least = Number.POSITIVE_INFINITY;
    this.largest = Number.NEGATIVE_INFINITY;
  }

  get length() {
    return this.points * this.width + this.pending;
  }

  add(losses) {
    for (const loss of losses) {
      this.sum += loss;
      this.least = Math.min(this.least, loss);
      this.largest = Math.max(this.largest, loss);
      if (++this.pending < this.width) continue;
      if (this.points === this.mean_P.length) this.#grow();
      this.mean_P[this.points] = this.sum / this.width;
      this.low_P[this.points] = this.least;
      this.high_P[this.points++] = this.largest;
      this.#begin();
    }
  }

  /** The mean over the steps after `from` updates, up to `to`: exact as long as each step is kept. */
  mean(from, to) {
    const [first, stop] = this.#within(from, to);
    let all = 0;
    for (let i = first; i < stop; i++) all += this.mean_P[i];
    return stop > first ? all / (stop - first) : this.sum / this.pending;
  }

  /** The least and the largest loss of the same steps. */
  range(from, to) {
    const [first, stop] = this.#within(from, to);
    let [low, high] = [this.low_P[first], this.high_P[first]];
    for (let i = first + 1; i < stop; i++) {
      low = Math.min(low, this.low_P[i]);
      high = Math.max(high, this.high_P[i]);
    }
    return stop > first ? [low, high] : [this.least, this.largest];
  }

  /** Forget what came after so many steps. */
  cut(steps) {
    if (steps >= this.length) return;
    const points = Math.floor(steps / this.width);
    const pending = steps - points * this.width;
    const mean = points < this.points ? this.mean_P[points] : this.sum / this.pending;
    this.points = points;
    this.#begin();
    if (pending) Object.assign(this, { pending, sum: mean * pending, least: mean, largest: mean });
  }

  copy() {
    return Object.assign(new Losses(), this, Object.fromEntries(ARRAYS.map((name) => [name, this[name].slice()])));
  }

  #begin() {
    Object.assign(this, { sum: 0, pending: 0, least: Number.POSITIVE_INFINITY, largest: Number.NEGATIVE_INFINITY });
  }

  #within(from, to) {
    const first = Math.floor(from / this.width);
    return [first, Math.min(this.points, Math.max(first + 1, Math.ceil(to / this.width)))];
  }

  #grow() {
    if (this.points < LOSSES) {
      for (const name of ARRAYS) {
        const more = new Float32Array(2 * this.points);
        more.set(this[name]);
        this[name] = more;
      }
      return;
    }
    for (let i = 0; i < this.points / 2; i++) {
      this.mean_P[i] = (this.mean_P[2 * i] + this.mean_P[2 * i + 1]) / 2;
      this.low_P[i] = Math.min(this.low_P[2 * i], this.low_P[2 * i + 1]);
      this.high_P[i] = Math.max(this.high_P[2 * i], this.high_P[2 * i + 1]);
    }
    this.points /= 2;
    this.width *= 2;
  }
}

/** What one viewer has of a loss curve: `points` of it, each the mean of `width` steps. */
export class ThinnedCurve {
  constructor() {
    this.width = 1;
    this.points = 0;
  }

  /** The new points, from index `from` on; 0: anew. low, high: where a point is the mean of several steps. */
  more(losses) {
    const steps = losses.length;
    while (Math.floor(steps / this.width) > POINTS || steps < this.points * this.width) {
      this.width = steps < this.points * this.width ? 1 : 2 * this.width;
      this.points = 0;
    }
    this.width = Math.max(this.width, losses.width);
    const from = this.points;
    const stop = Math.floor(steps / this.width);
    const added = { from, step: [], loss: [], ...(this.width > 1 ? { low: [], high: [] } : {}) };
    for (let p = from; p < stop; p++) {
      const ends = [p * this.width, (p + 1) * this.width];
      added.step.push(ends[1]);
      added.loss.push(finite(losses.mean(...ends)));
      if (this.width === 1) continue;
      const [low, high] = losses.range(...ends);
      added.low.push(finite(low));
      added.high.push(finite(high));
    }
    this.points = stop;
    return added;
  }
}

/**
 * Of entries by {step} those to draw, at most `most`: of each of equal stretches the first, the lowest and the highest
 * value, and the last of all. measure(entry): null where nothing was measured.
 */
export function drawnEntries(entries, most, measure) {
  if (entries.length <= most) return entries;
  const stretches = Math.floor((most - 1) / 3);
  const first = entries[0].step;
  const wide = (entries.at(-1).step - first) / stretches;
  const found = new Map(); // by the stretch: its first, lowest and highest
  for (const entry of entries) {
    const k = Math.min(stretches - 1, Math.floor((entry.step - first) / wide));
    const value = measure(entry);
    const of = found.get(k) ?? { first: entry, low: null, high: null };
    found.set(k, of);
    if (value == null) continue;
    if (!of.low || value < measure(of.low)) of.low = entry;
    if (!of.high || value > measure(of.high)) of.high = entry;
  }
  const drawn = new Set([...found.values()].flatMap(({ first: one, low, high }) => [one, low, high]));
  drawn.add(entries.at(-1));
  return entries.filter((entry) => drawn.has(entry));
}

const validationLoss = ({ validation }) => validation.loss ?? null;

/** Epochs with their figures, and vital signs of the steps that were drawn; of many, those that are drawn. */
export class Records {
  constructor() {
    this.epochs = [];
    this.vitals = [];
  }

  addEpoch(entry) {
    this.epochs.push(entry);
    if (this.epochs.length > 2 * EPOCHS) this.epochs = drawnEntries(this.epochs, EPOCHS, validationLoss);
  }

  addVitals(entry) {
    const at = this.vitals.findIndex(({ step }) => step >= entry.step);
    if (at < 0) this.vitals.push(entry);
    else this.vitals.splice(at, +(this.vitals[at].step === entry.step), entry);
    if (this.vitals.length > 2 * VITALS) this.vitals = drawnEntries(this.vitals, VITALS, (each) => each.gradient_norm);
  }

  cut(steps) {
    for (const name of ['epochs', 'vitals']) this[name] = this[name].filter(({ step }) => step <= steps);
  }

  copy() {
    return Object.assign(new Records(), { epochs: [...this.epochs], vitals: [...this.vitals] });
  }

  listed() {
    return { epochs: drawnEntries(this.epochs, EPOCHS, validationLoss), vitals: this.vitals };
  }
}

/** States along a run's path, which thin out where they take too much memory. Those at which a segment begins stay. */
export class Keyframes {
  constructor(budget = BUDGET) {
    this.budget = budget;
    this.apart = APART;
    this.list = [];
    this.bytes = 0;
  } // list: by steps

  /** The step at which the next one is due. */
  get next() {
    return (Math.floor((this.list.at(-1)?.step ?? 0) / this.apart) + 1) * this.apart;
  }

  add(segment, state, begins = false) {
    const at = this.list.findIndex(({ state: { step } }) => step > state.step);
    const one = { step: state.step, segment, state, begins, bytes: bytesOf(state) };
    this.list.splice(at < 0 ? this.list.length : at, 0, one);
    this.bytes += one.bytes;
    while (this.bytes > this.budget && this.list.filter((each) => !each.begins).length > 1) this.#thin();
  }

  /** The last state of a segment at or before a step. */
  before(segment, step) {
    return this.list.findLast((one) => one.segment === segment && one.step <= step);
  }

  /** Forget those at or after so many steps: another segment begins there. */
  cut(steps) {
    this.list = this.list.filter(({ step }) => step < steps);
    this.bytes = this.list.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  copy() {
    return Object.assign(new Keyframes(this.budget), this, { list: [...this.list] });
  }

  #thin() {
    let odd = false;
    this.list = this.list.filter((one, i) => {
      if (one.begins || i === this.list.length - 1) return true;
      odd = !odd;
      return odd;
    });
    this.bytes = this.list.reduce((sum, { bytes }) => sum + bytes, 0);
    this.apart *= 2;
  }
}

/** Best weights are shared by the states after them, and count with each all the same. */
const bytesOf = ({ params, grads, moments, best }) =>
  4 * (params.length + grads.length + moments.length * params.length + (best.params?.length ?? 0));
