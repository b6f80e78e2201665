/**
 * The training of one segment: steps, settings that change between them, evaluations, best weights
 * (engine/training_loop.py).
 */

import { lossAndScore } from './metrics.js';
import { makePopulation } from './training.js';

/**
 * segment: see run.js. copies: networks that begin alike; their hyper-parameters may be set one by one.
 *
 * net: the Population. evaluated: the step of the last evaluation. best: {loss, step, params} of the only network on
 * validation rows; params null: none yet. loss: of its last update, before it; null before the first.
 */
export class TrainingLoop {
  constructor(lanes, prepared, segment, copies = 1) {
    const { settings } = segment;
    this.lanes = lanes;
    this.prepared = prepared;
    this.segment = segment;
    this.evaluated = 0;
    this.best = NONE;
    this.loss = null;
    this.net = makePopulation(
      lanes,
      prepared,
      settings,
      Array.from({ length: copies }, () => ({})),
    );
    const validation = prepared.parts[1];
    this.rows = validation.rows.length;
    if (this.rows) this.x = this.net.floats(validation.x);
    this.z = this.net.room(4 * copies * this.rows * this.net.C);
  }

  get step() {
    return this.net.step;
  }

  /**
   * Take steps up to `stop`, at most; also past the planned ones. Whatever the stops, the bits are the same.
   * → {losses: [steps × networks], evaluation: null, or {step, figures: of each network}}, if one was due at its end.
   */
  advance(stop) {
    const {
      net,
      segment: { plan, sets },
    } = this;
    const first = net.step;
    for (const { step, name, value } of sets) if (step === first) this.set(name, value);
    const next = sets.find(({ step }) => step > first)?.step ?? Infinity;
    const due = plan.nextEvaluation(first, this.evaluated);
    stop = Math.min(stop, next, due > first ? due : Infinity);
    const losses = net.train(stop - first, plan.batchOf, plan.factorOf);
    this.loss = losses[losses.length - net.P];
    return { losses, evaluation: stop === due && this.rows ? this.evaluate() : null };
  }

  /** Measure the validation rows, and keep the weights where they are the best so far. */
  evaluate() {
    const { net, rows, prepared, segment } = this;
    const size = rows * net.C;
    net.outputs(this.x, rows, this.z);
    const outputs = net.f32;
    const from = this.z / 4;
    const figures = Array.from({ length: net.P }, (_, p) =>
      lossAndScore(
        outputs.subarray(from + p * size, from + (p + 1) * size),
        prepared.parts[1].y,
        prepared,
        segment.settings,
      ),
    );
    this.evaluated = net.step;
    if (net.P === 1 && figures[0].loss < this.best.loss)
      this.best = {
        loss: figures[0].loss,
        step: net.step,
        params: net.row(0, net.averages ? 'average' : 'params').slice(),
      };
    return { step: net.step, figures };
  }

  set(name, value, member) {
    this.net.set(name, value ?? Infinity, member);
  } // null: of clip, no limit

  /**
   * The next update's gradient norm, and its size as a share of the weights', of the only network, which stays as it
   * is.
   */
  nextUpdate() {
    const {
      net,
      segment: { plan, sets },
    } = this;
    const before = net.state(0);
    if (net.step >= plan.steps) return [null, null];
    for (const { step, name, value } of sets) if (step === net.step) this.set(name, value);
    net.train(1, plan.batchOf, plan.factorOf);
    const after = net.row(0);
    const gradient = norm(net.row(0, 'grads'));
    let moved = 0;
    for (let i = 0; i < after.length; i++) moved += (after[i] - before.params[i]) ** 2;
    net.restore(0, before);
    const size = norm(before.params);
    return [finite(gradient), size ? finite(Math.sqrt(moved) / size) : null];
  }

  /** All that the only network's training hangs on, besides its segment. */
  save() {
    return { ...this.net.state(0), evaluated: this.evaluated, best: this.best, loss: this.loss };
  }
  /** Set every network to a saved state. */
  load(saved) {
    const { evaluated, best, loss } = saved;
    for (let p = 0; p < this.net.P; p++) this.net.restore(p, saved);
    Object.assign(this, { evaluated, best, loss });
    const { settings, sets } = this.segment;
    for (const name of LIVE) if (settings[name] !== undefined) this.set(name, settings[name]);
    for (const { step, name, value } of sets) if (step <= this.step) this.set(name, value);
  }

  close() {
    this.net.close();
  }
}

export const NONE = { loss: Infinity, step: -1, params: null };
export const LIVE = ['lr', 'weight_decay', 'momentum', 'beta1', 'beta2', 'clip', 'dropout', 'ema'];
export const finite = (value) => (Number.isFinite(value) ? value : null);

/** The Euclidean length of a list of numbers. */
export function norm(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}
