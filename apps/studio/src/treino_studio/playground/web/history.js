/** The past of a run: its losses, its epochs, and states from which any step is played again. */

const LOSSES = 1 << 20; // means kept of a run's losses, at most
const POINTS = 4000; // of a curve of losses, at most
const EPOCHS = 1500; // of a curve of epochs, at most
const VITALS = 400; // of a small curve, at most
const BUDGET = 32e6; // bytes of states
const APART = 1000; // steps between two states, at first

/** The loss of every step; of long runs the means of `width` steps each. */
export class Losses {
  constructor() {
    this.width = 1;
    this.mean_P = new Float32Array(4096);
    this.points = 0;
    this.sum = 0;
    this.pending = 0;
  }

  get length() {
    return this.points * this.width + this.pending;
  }

  add(losses) {
    for (let i = 0; i < losses.length; i++) {
      this.sum += losses[i];
      if (++this.pending < this.width) continue;
      if (this.points === this.mean_P.length) this.#grow();
      this.mean_P[this.points++] = this.sum / this.width;
      this.sum = this.pending = 0;
    }
  }

  /** The mean over the steps after `from` updates, up to `to`: exact as long as each step is kept. */
  mean(from, to) {
    const first = Math.floor(from / this.width);
    const stop = Math.min(this.points, Math.max(first + 1, Math.ceil(to / this.width)));
    let all = 0;
    for (let i = first; i < stop; i++) all += this.mean_P[i];
    return stop > first ? all / (stop - first) : this.sum / this.pending;
  }

  /** Forget what came after so many steps. */
  cut(steps) {
    if (steps >= this.length) return;
    const points = Math.floor(steps / this.width);
    const pending = steps - points * this.width;
    const mean = points < this.points ? this.mean_P[points] : this.sum / this.pending;
    Object.assign(this, { points, pending, sum: pending ? mean * pending : 0 });
  }

  copy() {
    return Object.assign(new Losses(), this, { mean_P: this.mean_P.slice() });
  }

  #grow() {
    if (this.points < LOSSES) {
      const more = new Float32Array(2 * this.points);
      more.set(this.mean_P);
      this.mean_P = more;
      return;
    }
    for (let i = 0; i < this.points / 2; i++) this.mean_P[i] = (this.mean_P[2 * i] + this.mean_P[2 * i + 1]) / 2;
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

  /** The new points, from index `from` on; 0: anew. */
  more(losses) {
    const steps = losses.length;
    while (Math.floor(steps / this.width) > POINTS || steps < this.points * this.width) {
      this.width = steps < this.points * this.width ? 1 : 2 * this.width;
      this.points = 0;
    }
    this.width = Math.max(this.width, losses.width);
    const from = this.points;
    const stop = Math.floor(steps / this.width);
    const step = [];
    const loss = [];
    for (let p = from; p < stop; p++) {
      const mean = losses.mean(p * this.width, (p + 1) * this.width);
      step.push((p + 1) * this.width);
      loss.push(Number.isFinite(mean) ? mean : null);
    }
    this.points = stop;
    return { from, step, loss };
  }
}

/** Epochs with their figures, and vital signs of the steps that were drawn; of many, some evenly. */
export class Records {
  constructor() {
    this.epochs = [];
    this.vitals = [];
  }

  addEpoch(entry) {
    this.epochs.push(entry);
    if (this.epochs.length > 2 * EPOCHS) this.epochs = this.epochs.filter((_, i) => i % 2 || i === 2 * EPOCHS);
  }

  addVitals(entry) {
    const at = this.vitals.findIndex(({ step }) => step >= entry.step);
    if (at < 0) this.vitals.push(entry);
    else this.vitals.splice(at, +(this.vitals[at].step === entry.step), entry);
    if (this.vitals.length > VITALS)
      this.vitals = this.vitals.filter((_, i) => i % 2 === 0 || i === this.vitals.length - 1);
  }

  cut(steps) {
    for (const name of ['epochs', 'vitals']) this[name] = this[name].filter(({ step }) => step <= steps);
  }

  copy() {
    return Object.assign(new Records(), { epochs: [...this.epochs], vitals: [...this.vitals] });
  }

  listed() {
    const apart = Math.ceil(this.epochs.length / EPOCHS);
    return {
      epochs: this.epochs.filter((_, i) => i % apart === 0 || i === this.epochs.length - 1),
      vitals: this.vitals,
    };
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
