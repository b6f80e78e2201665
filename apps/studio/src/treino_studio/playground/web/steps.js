/** What is due at which step of a segment: epochs, batches, learning rates, evaluations (engine/step_plan.py). */

import { batchesOf, factorsOf, stepsPerEpoch } from './training.js';

const EVALUATION_SPACING = 20; // steps between two evaluations, at least

/** Epochs of `each` steps from a step on, at which `begun` epochs had begun; before it those of `previous`. */
class EpochCount {
  constructor(each, start = 0, begun = 0, previous = null) {
    this.each = each;
    this.start = start;
    this.begun = begun;
    this.previous = previous;
  }

  /** Epochs of another length from a step on; the next step begins one. */
  restarted(step, each) {
    return new EpochCount(each, step, this.epochOf(step), this);
  }

  /** The epoch, from 1, of update number `step`; 0 for step 0. */
  epochOf(step) {
    const { each, start, begun } = this.#at(step);
    return begun + Math.ceil((step - start) / each);
  }

  /** The updates when an epoch had ended or was cut short. */
  endOf(epoch) {
    let count = this;
    let cut = Infinity;
    for (; count.previous && epoch <= count.begun; count = count.previous) cut = Math.min(cut, count.start);
    return Math.min(cut, count.start + (epoch - count.begun) * count.each);
  }

  /** How many epochs had ended or were cut short. */
  ended(step) {
    const epoch = this.epochOf(step);
    return this.endOf(epoch) <= step ? epoch : epoch - 1;
  }

  /** The passes over the rows: a whole number at an epoch's end. */
  passes(step) {
    const { each, start, begun } = this.#at(step);
    return begun + (step - start) / each;
  }

  #at(step) {
    let count = this;
    while (count.previous && step <= count.start) count = count.previous;
    return count;
  }
}

/**
 * count: the EpochCount; none: from step 0. orderSeed: of the rows' order, where it is not the data's.
 *
 * → {each: steps of an epoch, count, steps: as planned, batchOf(step), factorOf(step), nextEvaluation(step, last)}.
 */
export function planOf(lanes, prepared, settings, { count = null, orderSeed = undefined } = {}) {
  const each = stepsPerEpoch(prepared, settings);
  const epochs = count ?? new EpochCount(each);
  const validates = prepared.parts[1].rows.length > 0;
  return {
    each,
    count: epochs,
    steps: settings.steps,
    orderSeed,
    batchOf: batchesOf(prepared, settings, { step: epochs.start, epochs: epochs.begun, order: orderSeed }, lanes),
    factorOf: factorsOf(settings),
    /** The next end of an epoch that is far enough from the last evaluation, or the training's end. */
    nextEvaluation(step, last) {
      if (!validates) return settings.steps;
      return Math.min(epochs.endOf(epochs.epochOf(Math.max(step + 1, last + EVALUATION_SPACING))), settings.steps);
    },
  };
}

/**
 * What a training that is over at this step is given to go on for as long again (training/futures.py); else nothing.
 */
export const extension = ({ count, steps }, step) =>
  step >= steps ? { steps: count.endOf(2 * Math.max(1, count.epochOf(step))) } : {};
