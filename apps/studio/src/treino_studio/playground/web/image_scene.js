/**
 * What a frame shows of a network that sees pictures: one in every layer, its worst mistakes, examples
 * (studio/image_scene.py).
 */

import { forward } from './forward.js';
import { softmax, winner } from './metrics.js';
import { SPLITS } from './run.js';

const MISTAKES = 12; // shown, at most
const EXAMPLES = 5; // of each class
const SCALED = 256; // training rows whose smallest and largest values are black and white

/** The values of black and of white. */
export function pixelScale({ parts: [{ raw }], columns }) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of raw.subarray(0, SCALED * columns.length)) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high };
}
const pixels = (raw, { low, high }) =>
  Uint8Array.from(raw, (value) =>
    Math.max(0, Math.min(255, Math.round((255 * (value - low)) / Math.max(high - low, 1e-12)))),
  );

/** The rows' numbers of bytes that a page sends. */
export const rawOf = (bytes, { low, high }) => Float64Array.from(bytes, (byte) => low + (byte / 255) * (high - low));

/** The first layer's weights on the pixels, of each unit 128 where they are 0. W: [units, pixels]. */
export function tilesOf(W, units, [high, wide]) {
  const size = high * wide;
  const data = new Uint8Array(units.length * size);
  units.forEach((u, n) => data.set(signed(W.subarray(u * size, (u + 1) * size)), n * size));
  return { data, shape: [units.length, 1, high, wide] };
}

function signed(values) {
  const largest = values.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 0) || 1;
  return Uint8Array.from(values, (v) => (Number.isFinite(v) ? Math.round(128 + (127 * v) / largest) : 128));
}

/**
 * One picture in the stages that are drawn. seen: {part, place} of a row, or {raw} of one's own. → [entry of the
 * header, parts]; parts hold the picture, the answer, and of each unit that is drawn what it gives.
 *
 * @import { Part } from '../../page/modules/frames.js'
 * @returns {[entry: object, parts: Record<string, Part>]}
 */
export function seenParts(net, { scratch, scale, units }, prepared, { part, place, raw }, shown) {
  const D = prepared.features.length;
  const row = raw ? null : prepared.parts[part];
  const [high, wide] = prepared.picture;
  const x = raw ? prepared.inputs(raw) : row.x.subarray(place * D, (place + 1) * D);
  const stages = forward(scratch, net, scratch.floats('seen', x), 1);
  const channel = (k) => {
    const shape = net.convolutions[k - 1];
    return shape ? [shape.high, shape.wide] : [];
  };
  const value = (k) =>
    new Float32Array(
      net.lanes.memory.buffer,
      stages[k],
      channel(k).reduce((a, b) => a * b, net.widths[k]),
    );
  const parts = {
    picture: { data: pixels(raw ?? row.raw.subarray(place * D, (place + 1) * D), scale), shape: [1, high, wide] },
    answer: { data: Float32Array.from(softmax(value(stages.length - 1), 0, net.C)), shape: [net.C] },
  };
  const largest = {};
  shown.forEach((k, i) => {
    if (!k) return;
    const shape = channel(k);
    const size = shape.reduce((a, b) => a * b, 1);
    const all = value(k);
    const data = Float32Array.from(units[i].flatMap((u) => [...all.subarray(u * size, (u + 1) * size)]));
    if (shape.length) parts[`map.${i}`] = { data: signed(data), shape: [units[i].length, ...shape] };
    else parts[`value.${i}`] = { data, shape: [data.length] };
    largest[i] = data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  });
  if (raw) return [{ split: null, largest }, parts];
  return [
    { split: SPLITS[part], place, of: row.rows.length, row: row.rows[place], true: row.y[place], largest },
    parts,
  ];
}

/**
 * The confusion of these rows, and those that it is most wrong about. z: [N C]. one: rows that are drawn, see sight.js.
 */
export function mistakesOf(z, one, prepared, scale) {
  const N = one.rows.length;
  const C = z.length / N;
  const D = prepared.features.length;
  const [high, wide] = prepared.picture;
  const { raw, rows } = prepared.parts[one.part];
  const confusion = new Uint32Array(C * C);
  const wrong = [];
  for (let i = 0; i < N; i++) {
    const shares = softmax(z, i, C);
    const right = one.y[i];
    const said = winner(z, i, C);
    if (said < 0) continue;
    confusion[right * C + said]++;
    if (said !== right) wrong.push({ i, right, shares });
  }
  const worst = wrong.sort((a, b) => a.shares[a.right] - b.shares[b.right]).slice(0, MISTAKES);
  const K = worst.length;
  const data = new Uint8Array(K * D);
  worst.forEach(({ i }, n) => data.set(pixels(raw.subarray(one.rows[i] * D, (one.rows[i] + 1) * D), scale), n * D));
  return {
    confusion: { data: confusion, shape: [C, C] },
    digits: { data, shape: [K, 1, high, wide] },
    'digit.probability': { data: Float32Array.from(worst.flatMap(({ shares }) => [...shares])), shape: [K, C] },
    'digit.true': { data: Uint32Array.from(worst, ({ right }) => right), shape: [K] },
    'digit.index': { data: Uint32Array.from(worst, ({ i }) => rows[one.rows[i]]), shape: [K] },
    'digit.place': { data: Uint32Array.from(worst, ({ i }) => one.rows[i]), shape: [K] },
  };
}

/** The first training pictures of each class, and how many rows there are: an entry of the message `points`. */
export function examplesOf({ parts, classes, features, picture }, train, scale) {
  const D = features.length;
  const { raw } = parts[0];
  const groups = [];
  const bytes = [];
  classes.forEach((_, c) => {
    const places = train.rows.filter((_row, i) => train.y[i] === c).slice(0, EXAMPLES);
    for (const place of places) bytes.push(...pixels(raw.subarray(place * D, (place + 1) * D), scale));
    const counts = SPLITS.map((split, k) => [split, parts[k].y.reduce((sum, label) => sum + (label === c), 0)]);
    groups.push({
      class: c,
      shown: places.length,
      rows: Object.fromEntries(counts.filter((_, k) => parts[k].y.length)),
    });
  });
  return {
    groups,
    more: 0,
    shape: [1, ...picture],
    pixels: btoa(bytes.map((byte) => String.fromCharCode(byte)).join('')),
  };
}
