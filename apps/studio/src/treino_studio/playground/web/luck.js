/** How much of the best network's score is luck: the bootstrap of search/judge.py, and what held-out test rows say. */

import { generator } from './random.js';

const REPEATS = 500; // resamples
const AT_ONCE = 64; // resamples whose rows and members are drawn in one go
const Z = 1.959963984540054; // the normal distribution's 97.5 % point

/**
 * Scores of M members that are means over N rows: score_MN, the higher the better. turned: what becomes of a mean.
 * A member with a row that is no number has no score.
 */
function byRows(score_MN, members, rows, turned = (mean) => mean) {
  const score_NM = new Float64Array(members * rows);
  const lost_M = new Uint8Array(members);
  const sum_M = new Float64Array(members);
  for (let m = 0, i = 0; m < members; m++)
    for (let n = 0; n < rows; n++, i++) {
      score_NM[n * members + m] = score_MN[i];
      if (!Number.isFinite(score_MN[i])) lost_M[m] = 1;
    }
  return {
    /** The scores of all members on rows that count so often; the array is the same each time. */
    all(count_N) {
      let total = 0;
      sum_M.fill(0);
      for (let n = 0; n < rows; n++) {
        const count = count_N[n];
        if (!count) continue;
        total += count;
        for (let m = 0, i = n * members; m < members; m++, i++) sum_M[m] += count * score_NM[i];
      }
      for (let m = 0; m < members; m++) sum_M[m] = lost_M[m] ? NaN : turned(sum_M[m] / total);
      return sum_M;
    },
    one(count_N, m) {
      let total = 0;
      let sum = 0;
      if (lost_M[m]) return NaN;
      for (let n = 0; n < rows; n++) {
        total += count_N[n];
        sum += count_N[n] * score_NM[n * members + m];
      }
      return turned(sum / total);
    },
  };
}

/**
 * The best of M members by `choose`, its score by `report`, the score's standard error, and how much of it is due to
 * the choice among these members. Each resample of the rows chooses the best by the drawn rows and scores it on the
 * others (Tsamardinos, Greasidou & Borboudakis 2018). other: the same, had other members been drawn, too.
 * left_M: 1 for members that may be the best; those that a rung has cut were tried, and are part of the luck.
 */
function selectionBias(choose, report, members, rows, left_M = null, { seed = 0, repeats = REPEATS } = {}) {
  const once_N = new Float64Array(rows).fill(1);
  const decides_M = choose.all(once_N).slice();
  const winner = argmax(decides_M, left_M);
  const best = report.one(once_N, winner);
  if (rows < 2) return { winner, best, error: 0, inflation: 0, other: 0 };
  const chance = generator(seed, 'judge', 0);
  const own = [];
  const lost = [];
  const otherLost = [];
  const whole_M = Float64Array.from({ length: members }, (_, m) => report.one(once_N, m));
  const most = whole_M[argmax(decides_M)];
  for (let first = 0; first < repeats; first += AT_ONCE) {
    const size = Math.min(AT_ONCE, repeats - first);
    const count_BN = new Float64Array(size * rows);
    const drawn_BM = new Uint8Array(size * members);
    for (let b = 0; b < size; b++) for (let n = 0; n < rows; n++) count_BN[b * rows + (chance.word() % rows)]++;
    for (let b = 0; b < size; b++)
      for (let m = 0; m < members; m++) drawn_BM[b * members + (chance.word() % members)] = 1;
    for (let b = 0; b < size; b++) {
      const count_N = count_BN.subarray(b * rows, (b + 1) * rows);
      const drawn_M = drawn_BM.subarray(b * members, (b + 1) * members);
      const left_N = count_N.map((count) => +(count === 0));
      const inside_M = choose.all(count_N);
      own.push(report.one(count_N, winner));
      if (!left_N.includes(1)) continue; // every row was drawn, as may happen with very few rows: tells nothing
      lost.push(most - report.one(left_N, argmax(inside_M)));
      otherLost.push(whole_M[argmax(decides_M, drawn_M)] - report.one(left_N, argmax(inside_M, drawn_M)));
    }
  }
  return { winner, best, error: deviation(own), inflation: meanLoss(lost), other: meanLoss(otherLost) };
}

/** The place of the highest number, the first of equal ones; only where the mask has a 1. */
function argmax(value_M, mask_M = null) {
  let top = -Infinity;
  let place = 0;
  for (let m = 0; m < value_M.length; m++)
    if (value_M[m] > top && (!mask_M || mask_M[m])) {
      top = value_M[m];
      place = m;
    }
  return place;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function deviation(values) {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

/** Differences that are no number come from members without a score. */
function meanLoss(values) {
  const finite = values.filter(Number.isFinite);
  return finite.length ? Math.max(0, mean(finite)) : 0;
}

/**
 * The luck in the best of M members whose validation rows were judged: loss_MN, and for classes right_MN.
 * They are chosen by their loss; what is reported is the share of right answers, or the root of the mean squared error.
 */
export function luckOf({ members, rows, loss_MN, right_MN, classes, left_M = null }) {
  const negative = loss_MN.map((loss) => -loss);
  const choose = byRows(negative, members, rows);
  if (classes) return selectionBias(choose, byRows(right_MN, members, rows), members, rows, left_M);
  return selectionBias(
    choose,
    byRows(negative, members, rows, (value) => -Math.sqrt(-value)),
    members,
    rows,
    left_M,
  );
}

/** The 95 % interval of a share (Wilson 1927), as inspection/intervals.py has it. */
export function wilson(right, rows) {
  const share = right / rows;
  const z2 = Z * Z;
  const centre = (share + z2 / (2 * rows)) / (1 + z2 / rows);
  const half = (Z * Math.sqrt((share * (1 - share)) / rows + z2 / (4 * rows * rows))) / (1 + z2 / rows);
  return [right === 0 ? 0 : Math.max(0, centre - half), right === rows ? 1 : Math.min(1, centre + half)];
}

/** The 95 % interval of the root of a mean of squared errors, by 1,000 resamples of the rows. */
function rmseInterval(error_N, seed = 0) {
  const chance = generator(seed, 'judge', 1);
  const rows = error_N.length;
  const value_B = Float64Array.from({ length: 1000 }, () => {
    let sum = 0;
    for (let n = 0; n < rows; n++) sum += error_N[chance.word() % rows];
    return Math.sqrt(sum / rows);
  }).sort();
  return [value_B[25], value_B[974]];
}

/** What test rows say of one network: its figure and 95 % interval, and the figure of who always answers the same. */
export function verdictOf({ loss_N, right_N, classes, train, test, scale }) {
  const rows = loss_N.length;
  if (!classes) {
    const rmse = (values) => scale * Math.sqrt(mean([...values]));
    return {
      rows,
      figure: rmse(loss_N),
      interval: rmseInterval(loss_N).map((v) => scale * v),
      constant: rmse(test.y.map((y) => y * y)),
    };
  }
  const counts = Array(classes).fill(0);
  const right = right_N.reduce((sum, one) => sum + one, 0);
  for (const k of train.y) counts[k]++;
  const usual = argmax(counts);
  return {
    rows,
    figure: right / rows,
    interval: wilson(right, rows),
    constant: test.y.reduce((sum, k) => sum + (k === usual), 0) / rows,
    usual,
  };
}
