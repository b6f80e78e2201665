/**
 * One frame: a network's answers over its inputs and on rows, its units and weights
 * (apps/studio/docs/studio-protocol.md).
 */

import { t } from '../../page/modules/words.js';
import { forward } from './forward.js';
import { mistakesOf, seenParts, tilesOf } from './image_scene.js';
import { KERNEL } from './lanes.js';
import { measure, winner } from './metrics.js';
import { moduleOf } from './training.js';
import { finite, norm } from './training_loop.js';

const UNITS = 12; // drawn of a layer
const LAYERS = 6; // drawn of a network: the first and the last ones
const AT_ONCE = 2304; // cells of the plane whose layers' values are in memory together
const MODULES = { relu: 'ReLU', leaky_relu: 'LeakyReLU', gelu: 'GELU', silu: 'SiLU', tanh: 'Tanh', sigmoid: 'Sigmoid' };

/**
 * moment: see run.js. sight: see sight.js. seen: of pictures, the one that goes through the network (image_scene.js).
 * unit: [stage, unit] to draw at full size, or null. over: whether the run has ended; until then nothing is told of
 * test rows, so that no setting is chosen by them.
 *
 * @returns {[header: { evaluation: Record<string, object>, [name: string]: any }, parts: Record<string, Part>]}
 */
export function scene(moment, sight, unit, over, seen = null) {
  const [header, parts] = answers(moment, sight, over);
  const [layers, more] = layersOf(moment, sight, unit);
  if (!seen)
    return [
      { ...header, layers },
      { ...parts, ...more },
    ];
  const {
    loop: { net },
    run: { prepared },
  } = moment;
  const measured = sight.drawn.find(({ split }) => split === 'validation') ?? sight.drawn[0];
  const [picture, values] = seenParts(net, sight, prepared, seen, stagesShown(net.widths.length - 1));
  return [
    { ...header, layers: layers.slice(1), picture },
    {
      ...parts,
      ...more,
      ...values,
      ...mistakesOf(outputs(net, sight.scratch, measured.at, measured.rows.length), measured, prepared, sight.scale),
    },
  ];
}

// ---- answers

/** @returns {[header: { shows: string, evaluation: Record<string, object> }, parts: Record<string, Part>]} */
function answers({ loop: { net }, settings, run: { prepared } }, sight, over) {
  const { scratch } = sight;
  const parts = ['fit', 'images'].includes(sight.shows) ? {} : picture(net, sight, prepared);
  const header = { shows: sight.shows, evaluation: {}, rows: {} };
  const plain = prepared.classes.length > 0;
  const splits = {};
  let same = 0;
  let compared = 0;
  for (const one of sight.drawn) {
    if (one.split === 'test' && !over) continue;
    const N = one.rows.length;
    const z = outputs(net, scratch, one.at, N);
    const said = Float32Array.from({ length: N }, (_, i) =>
      plain ? winner(z, i, net.C) : z[i] * prepared.targetScale + prepared.targetMean,
    );
    parts[`predicted.${one.split}`] = { data: said, shape: [N] };
    const figures = measure(z, one.y, prepared, settings);
    header.evaluation[one.split] = Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [name, finite(value)]),
    );
    header.rows[one.split] = [N, prepared.parts[one.part].rows.length];
    if (!plain) continue;
    const right = said.reduce((sum, k, i) => sum + Number(k === one.y[i]), 0);
    splits[one.split] = { rows: N, right, unanswered: said.reduce((sum, k) => sum + Number(k < 0), 0) };
    if (sight.view === 'all' || sight.shows !== 'plane') continue;
    one.plane ??= sight.onPlane(one);
    const there = outputs(net, scratch, one.plane, N);
    for (let i = 0; i < N; i++) same += Number(winner(there, i, net.C) === said[i]);
    compared += N;
  }
  const sum = (name) => Object.values(splits).reduce((all, one) => all + one[name], 0);
  if (plain) header.right = { rows: sum('rows'), right: sum('right'), splits };
  if (compared) header.agreement = { share: same / compared, rows: compared };
  return [header, parts];
}

/** [N C], good until the next. */
function outputs(net, scratch, x, N) {
  const z = scratch.room('z', 4 * N * net.C);
  net.outputs(x, N, z);
  return new Float32Array(net.lanes.memory.buffer, z, N * net.C);
}

/** What a network says over the picture's cells. */
export function picture(net, sight, prepared) {
  const { lanes, C } = net;
  const {
    scratch,
    grid: { at, rows, wide, high },
  } = sight;
  const { D } = net;
  const z = scratch.room('picture', 4 * rows * C);
  const x = scratch.room('block', 4 * AT_ONCE * D);
  for (let first = 0; first < rows; first += AT_ONCE) {
    // in blocks, for layers may be wide
    const count = Math.min(AT_ONCE, rows - first);
    const f32 = new Float32Array(lanes.memory.buffer);
    for (let j = 0; j < D; j++)
      f32.copyWithin(x / 4 + j * count, at / 4 + j * rows + first, at / 4 + j * rows + first + count);
    const out = forward(scratch, net, x, count).at(-1);
    const moved = new Float32Array(lanes.memory.buffer);
    for (let c = 0; c < C; c++)
      moved.copyWithin(z / 4 + c * rows + first, out / 4 + c * count, out / 4 + (c + 1) * count);
  }
  if (sight.shows === 'plane') {
    const bytes = scratch.room('bytes', 3 * rows);
    const part = (k) => ({
      data: new Uint8Array(lanes.memory.buffer, bytes + k * rows, rows).slice(),
      shape: [high, wide],
    });
    lanes.classes_as_bytes(z, rows, C, bytes, bytes + rows, bytes + 2 * rows);
    return { winner: part(0), share: part(1), margin: part(2) };
  }
  const out = new Float32Array(lanes.memory.buffer, z, rows * C);
  const along = sight.shows === 'line' ? { x: { data: Float32Array.from(sight.x), shape: [rows] } } : {};
  if (!prepared.classes.length)
    return {
      value: {
        data: out.map((v) => v * prepared.targetScale + prepared.targetMean),
        shape: sight.shows === 'line' ? [rows, 1] : [high, wide],
      },
      ...along,
    };
  return { value: probabilities(out, rows, C), ...along };
}

/** z: [C][rows]. */
function probabilities(z, rows, C) {
  const classes = Math.max(2, C);
  const data = new Float32Array(rows * classes);
  for (let i = 0; i < rows; i++) {
    const of = C === 1 ? [0, z[i]] : Array.from({ length: C }, (_, c) => z[c * rows + i]);
    const most = Math.max(...of);
    const e = of.map((v) => Math.exp(v - most));
    const all = e.reduce((a, b) => a + b);
    e.forEach((v, c) => {
      data[i * classes + c] = v / all;
    });
  }
  return { data, shape: [rows, classes] };
}

// ---- units and weights

/**
 * The stages that are drawn of a network with so many layers: the inputs, and of many layers the first and the last.
 */
export const stagesShown = (last) => [
  0,
  ...(last > LAYERS ? [...range(1, LAYERS / 2), ...range(last - LAYERS / 2 + 1, last)] : range(1, last)),
];

/**
 * @import { Part } from '../../page/modules/frames.js'
 * @returns {[layers: object[], parts: Record<string, Part>]}
 */
function layersOf({ loop: { net, segment }, run: { prepared } }, sight, unit) {
  const { widths, starts, filters, convolutions, lanes } = net;
  const { scratch, small } = sight;
  const parts = {};
  const deep = convolutions.length;
  const last = widths.length - 1;
  const shown = stagesShown(last);
  const places = [...filters, ...starts.flatMap((at, l) => (l % 2 ? [] : [[at, starts[l + 1]]]))];
  const row = net.row(0, net.averages ? 'average' : 'params').slice();
  const numbers = (k, at, count) => row.subarray(places[k - 1][at], places[k - 1][at] + count);
  // of units by units, not of filters
  const matrix = (k) => (k > deep + 1 || !deep ? numbers(k, 0, widths[k] * widths[k - 1]) : null);
  const rows = sight.train.rows;
  const onRows = forward(scratch, net, sight.train.at, rows);
  const values = (k) =>
    k && k <= deep
      ? means(lanes, onRows[k], convolutions[k - 1], rows)
      : new Float32Array(lanes.memory.buffer, onRows[k], widths[k] * rows);
  const fits =
    sight.units.length === shown.length &&
    sight.units.every(
      (units, i) => units.length === Math.min(UNITS, widths[shown[i]]) && units.at(-1) < widths[shown[i]],
    );
  if (!fits)
    sight.units = shown.map((k) =>
      unitsToDraw(k, values(k), rows, k < last ? matrix(k + 1) : null, widths, sight, prepared),
    );
  const layers = shown.map((k, i) => {
    const units = sight.units[i];
    const act = MODULES[net.activation];
    const given = k && k < last ? values(k) : null;
    const dead = given ? units.filter((u) => still(given, u * rows, rows)) : [];
    const what = [
      k <= deep ? 'Conv2d' : 'Linear',
      ...(k < last && act ? [act] : []),
      ...(k <= deep ? ['MaxPool2d'] : []),
    ].join(', ');
    const labels =
      k === 0
        ? units.map((u) => prepared.features[u])
        : k < last
          ? []
          : prepared.classes.length === widths[k]
            ? units.map((u) => prepared.classes[u])
            : [prepared.classes.at(-1) ?? prepared.target];
    return {
      name: k ? moduleOf(k - 1, deep, segment.settings.dropout > 0) : '',
      what: k === 0 ? t('inputs') : what,
      total: widths[k],
      units,
      labels,
      dead,
    };
  });
  const pixels = sight.shows === 'images';
  const stages = pixels ? null : forward(scratch, net, small.at, small.rows);
  const bytes = pixels ? 0 : scratch.room('bytes', UNITS * small.rows);
  shown.forEach((k, i) => {
    const units = sight.units[i];
    const before = sight.units[i - 1];
    if (!pixels)
      units.forEach((u, n) =>
        lanes.units_as_bytes(stages[k] + 4 * u * small.rows, bytes + n * small.rows, 1, small.rows),
      );
    if (!pixels)
      parts[`unit.${i}`] = {
        data: new Uint8Array(lanes.memory.buffer, bytes, units.length * small.rows).slice(),
        shape: [units.length, small.high, small.wide],
      };
    if (!k) return;
    const J = widths[k - 1];
    const W = matrix(k);
    const bias = numbers(k, 1, widths[k]);
    const side = deep ? [KERNEL, KERNEL] : prepared.picture;
    if (pixels && k === 1) parts['tile.1'] = tilesOf(numbers(1, 0, widths[1] * side[0] * side[1]), units, side);
    else if (W && J === widths[shown[i - 1]])
      parts[`weight.${i}`] = {
        data: Float32Array.from(units.flatMap((u) => before.map((j) => W[u * J + j]))),
        shape: [units.length, before.length],
      };
    parts[`bias.${i}`] = { data: Float32Array.from(units, (u) => bias[u]), shape: [units.length] };
  });
  if (unit && !pixels && shown[unit[0]] !== undefined && unit[1] < widths[shown[unit[0]]])
    parts.unit = fullUnit(net, sight, shown[unit[0]], unit[1]);
  return [layers, parts];
}

/**
 * The units with the largest effect on the next layer: deviation times norm of the outgoing weights. Axes come first.
 */
function unitsToDraw(k, values, rows, onward, widths, sight, prepared) {
  const U = widths[k];
  const effect = Array.from({ length: U }, (_, u) => {
    if (k === 0 && sight.axes.includes(prepared.features[u])) return Infinity;
    const own = values.subarray(u * rows, (u + 1) * rows);
    const mean = own.reduce((a, b) => a + b, 0) / rows;
    const deviation = Math.sqrt(own.reduce((all, v) => all + (v - mean) ** 2, 0) / rows);
    const reach = onward ? norm(Float64Array.from({ length: widths[k + 1] }, (_, c) => onward[c * U + u])) : 1;
    return Number.isNaN(deviation * reach) ? 0 : deviation * reach;
  });
  return range(0, U - 1)
    .sort((a, b) => (effect[a] === effect[b] ? a - b : effect[b] - effect[a]))
    .slice(0, UNITS)
    .sort((a, b) => a - b);
}

function fullUnit(net, { scratch, grid: { at, rows, wide, high } }, stage, u) {
  const stages = forward(scratch, net, at, rows);
  const bytes = scratch.room('bytes', rows);
  net.lanes.units_as_bytes(stages[stage] + 4 * u * rows, bytes, 1, rows);
  return { data: new Uint8Array(net.lanes.memory.buffer, bytes, rows).slice(), shape: [high, wide] };
}

/** What each channel gives on the average of its pixels, [channels][rows]. */
function means(lanes, at, { outputs, high, wide }, rows) {
  const size = high * wide;
  const all = new Float32Array(lanes.memory.buffer, at, outputs * size * rows);
  const mean = new Float32Array(outputs * rows);
  for (let place = 0; place < outputs * size; place++)
    for (let i = 0, to = Math.floor(place / size) * rows, from = place * rows; i < rows; i++)
      mean[to + i] += all[from + i] / size;
  return mean;
}

/** Whether these values are all the same. */
function still(values, from, count) {
  for (let i = 1; i < count; i++) if (values[from + i] !== values[from]) return false;
  return true;
}

const range = (first, last) => Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
