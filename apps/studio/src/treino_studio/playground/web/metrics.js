/** Figures of a network's outputs on rows, in float64, as engine/metrics.py has them. */

import { faulty, lossOf } from './training.js';

export const HOPELESS = 10; // last epoch's loss / loss of the best constant: it has diverged
const softmaxTwice = (settings) => faulty(settings, 'softmax_before_cross_entropy');

/**
 * The mean loss, and the share that is right or the root mean squared error. z: [N C]. y: classes, or standardised
 * values.
 */
export function lossAndScore(z, y, prepared, settings) {
  const N = y.length;
  const C = z.length / N;
  const kind = lossOf(prepared, settings);
  const loss = LOSSES[kind](z, y, C, softmaxTwice(settings)) / N;
  if (prepared.task === 'regression') return { loss, rmse: Math.sqrt(squares(z, y) / N) * prepared.targetScale };
  return { loss, accuracy: answered(z, N) ? count(N, (i) => winner(z, i, C) === y[i]) / N : NaN };
}

/** All figures: loss, accuracy, f1_macro and, of two classes, auc; or loss, rmse, mae, r2. NaN where there is none. */
export function measure(z, y, prepared, settings) {
  const first = lossAndScore(z, y, prepared, settings);
  const N = y.length;
  const C = z.length / N;
  if (prepared.task === 'regression') {
    let size = 0;
    for (let i = 0; i < N; i++) size += Math.abs(z[i] - y[i]);
    const mean = sum(y) / N;
    const spread = y.reduce((all, v) => all + (v - mean) ** 2, 0);
    const left = squares(z, y);
    return {
      ...first,
      mae: (size / N) * prepared.targetScale,
      r2: N < 2 ? NaN : spread > 0 ? 1 - left / spread : +(left === 0),
    };
  }
  const two = C <= 2;
  const known = answered(z, N);
  return { ...first, f1_macro: known ? f1(z, y, C) : NaN, ...(two ? { auc: known ? auc(z, y, C) : NaN } : {}) };
}

/** The loss of the best constant output, beside which a training's last epoch shows whether it diverged. */
export function bestConstant(prepared, settings) {
  const kind = lossOf(prepared, settings);
  const { y } = prepared.parts[0];
  if (prepared.task === 'classification') {
    const shares = prepared.classes.map((_, c) => count(y.length, (i) => y[i] === c) / y.length);
    if (!softmaxTwice(settings) || kind === 'bce')
      return -shares.reduce((all, p) => all + (p > 0 ? p * Math.log(p) : 0), 0);
    return bestShares(shares);
  }
  const sorted = Float64Array.from(y).sort();
  const mean = sum(y) / y.length;
  const middle = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  const at = (v) => LOSSES[kind](new Float64Array(y.length).fill(v), y, 1) / y.length;
  if (kind === 'mse') return at(mean);
  if (kind === 'l1') return at(middle);
  let [low, high] = [sorted[0], sorted.at(-1)]; // the Huber loss is convex
  for (let i = 0; i < 100; i++) {
    const a = low + (high - low) / 3;
    const b = high - (high - low) / 3;
    if (at(a) < at(b)) high = b;
    else low = a;
  }
  return at((low + high) / 2);
}

/** Cross-entropy of a softmax of shares: convex, found by exponentiated gradient. */
function bestShares(target) {
  let q = target.map((p) => Math.max(p, 1e-12));
  for (let i = 0; i < 2000; i++) {
    const slope = softmax(q, 0, q.length).map((p, c) => p - target[c]);
    q = softmax(
      q.map((p, c) => Math.log(p) - slope[c]),
      0,
      q.length,
    );
  }
  return Math.log(sum(q.map(Math.exp))) - q.reduce((all, p, c) => all + p * target[c], 0);
}

// ---- losses, summed over rows

export const LOSSES = {
  cross_entropy(z, y, C, twice) {
    let all = 0;
    for (let i = 0; i < y.length; i++) {
      const row = twice ? softmax(z, i, C) : z;
      const from = twice ? 0 : i * C;
      let most = row[from];
      let e = 0;
      for (let c = 1; c < C; c++) if (row[from + c] > most) most = row[from + c];
      for (let c = 0; c < C; c++) e += row[from + c] === most ? 1 : Math.exp(row[from + c] - most);
      all += Math.log(e) - (row[from + y[i]] - most);
    }
    return all;
  },
  bce(z, y) {
    let all = 0;
    for (let i = 0; i < y.length; i++) all += Math.max(z[i], 0) - z[i] * y[i] + Math.log1p(Math.exp(-Math.abs(z[i])));
    return all;
  },
  mse: (z, y) => squares(z, y),
  l1(z, y) {
    let all = 0;
    for (let i = 0; i < y.length; i++) all += Math.abs(z[i] - y[i]);
    return all;
  },
  huber(z, y) {
    let all = 0;
    for (let i = 0; i < y.length; i++) {
      const size = Math.abs(z[i] - y[i]);
      all += size < 1 ? 0.5 * size * size : size - 0.5;
    }
    return all;
  },
};

/** The probabilities of one row. */
export function softmax(z, i, C) {
  const p = new Float64Array(C);
  let most = -Infinity;
  let all = 0;
  for (let c = 0; c < C; c++) most = Math.max(most, z[i * C + c]);
  for (let c = 0; c < C; c++) all += p[c] = Math.exp(z[i * C + c] - most);
  for (let c = 0; c < C; c++) p[c] /= all;
  return p;
}

/** The class that row i is given; -1: none, for its probabilities aren't numbers. */
export function winner(z, i, C) {
  if (C === 1) return Number.isNaN(z[i]) ? -1 : +(z[i] > 0);
  let best = 0;
  let most = z[i * C];
  for (let c = 1; c < C; c++) {
    if (z[i * C + c] > z[i * C + best]) best = c;
    most = Math.max(most, z[i * C + c]); // NaN stays
  }
  return Number.isFinite(most) ? best : -1;
}

// ---- inside

function squares(z, y) {
  let all = 0;
  for (let i = 0; i < y.length; i++) all += (z[i] - y[i]) ** 2;
  return all;
}

function f1(z, y, C) {
  const classes = Math.max(2, C);
  const hit = new Float64Array(classes);
  const said = new Float64Array(classes);
  const there = new Float64Array(classes);
  for (let i = 0; i < y.length; i++) {
    const c = winner(z, i, C);
    said[c]++;
    there[y[i]]++;
    hit[c] += Number(c === y[i]);
  }
  const scores = [...hit.keys()].filter((c) => said[c] + there[c]).map((c) => (2 * hit[c]) / (said[c] + there[c]));
  return sum(scores) / scores.length;
}

/** The share of pairs of rows of both classes that the outputs order rightly; ties count half. */
function auc(z, y, C) {
  const score = Float64Array.from(y, (_, i) => (C === 1 ? z[i] : z[2 * i + 1] - z[2 * i]));
  const order = Uint32Array.from(y, (_, i) => i).sort((a, b) => score[a] - score[b]);
  let ranks = 0;
  let positive = 0;
  for (let i = 0; i < order.length; ) {
    let end = i + 1;
    while (end < order.length && score[order[end]] === score[order[i]]) end++;
    for (let k = i; k < end; k++)
      if (y[order[k]] === 1) {
        positive++;
        ranks += (i + 1 + end) / 2;
      }
    i = end;
  }
  const negative = y.length - positive;
  return positive && negative ? (ranks - (positive * (positive + 1)) / 2) / (positive * negative) : NaN;
}

/** Whether each of N rows is given a class. */
function answered(z, N) {
  for (let i = 0; i < N; i++) if (winner(z, i, z.length / N) < 0) return false;
  return true;
}

function count(n, holds) {
  let all = 0;
  for (let i = 0; i < n; i++) all += holds(i);
  return all;
}

export function sum(values) {
  let all = 0;
  for (const v of values) all += v;
  return all;
}
