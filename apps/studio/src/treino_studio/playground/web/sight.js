/** What all frames of a run share until its axes or layers change: axes, grids over them, rows that are drawn. */

import { Scratch } from './forward.js';
import { examplesOf, pixelScale } from './image_scene.js';
import { winner } from './metrics.js';
import { cellOf } from './problems.js';
import { RandomState } from './random.js';
import { pairsBySeparation } from './separation.js';

/**
 * @typedef {{ x: Float32Array, at: number, rows: number, wide: number, high: number }} Grid
 * @typedef {{
 *   split: string, part: number, rows: number[], x: Float32Array, y: ArrayLike<number>, at: number,
 *   places: Float64Array[], plane?: number,
 * }} Drawn
 * @typedef {{
 *   shows: string, view: string, axes: string[], held: [name: string, value: any][], drawn: Drawn[],
 *   train: { at: number, rows: number }, scratch: Scratch, units: number[][], along?: number[], x?: Float64Array,
 *   y?: Float64Array, grid?: Grid, small?: Grid, onPlane?: (one: Drawn) => number,
 *   scale?: { low: number, high: number },
 * }} Sight
 */

const PLANE = 96; // cells along an axis, at most
const LINE = 200; // cells along a line's axis
const UNIT = 32; // cells along an axis of a unit's small picture
const NUMBERS = 4e6; // input values of all cells of a plane, at most
const WORK = 6e8; // multiplications for a plane, at most
const SHOWN = [1000, 300, 300]; // rows of each part that are drawn
const COMPARED = 300; // training rows by which axes are chosen
const MOST = 12; // columns whose pairs are compared
const CLEARLY = 0.05; // better in agreement

/**
 * moment: see run.js. names: of the two columns that are axes; given: whether the reader has chosen them.
 *
 * → {shows: plane, surface, line, fit or, of pictures, images, which have no axes and grids; view: all, important or
 * given; axes, held: [[column, value or class]], x, y: places along the axes; grid, small: {x: [rows D], at: [D][rows]
 * in the memory, rows, wide, high}; drawn: [{split, part, rows, x, y, at, places}], units: of each stage, those to
 * draw; empty until the first frame}
 *
 * @returns {Sight}
 */
export function sightOf(lanes, moment, names, given) {
  const {
    run: { prepared },
    loop: { net },
  } = moment;
  const K = prepared.columns.length;
  const D = prepared.features.length;
  const plain = prepared.task === 'classification';
  const { typical } = prepared;
  const line = prepared.axes.length < 2;
  const scratch = new Scratch(lanes);
  const all = prepared.axes.length === K && K <= 2;
  const view = all ? 'all' : given ? 'given' : 'important';
  const along = prepared.picture
    ? []
    : all && !given
      ? [...prepared.columns.keys()]
      : names.map((name) => prepared.columns.indexOf(name));
  const drawn = prepared.parts
    .map((part, k) => {
      const rows = sample(part.rows.length, SHOWN[k]);
      const x = take(part.x, rows, D);
      const there = take(part.places, rows, K);
      return {
        split: ['train', 'validation', 'test'][k],
        part: k,
        rows,
        x,
        y: rows.length === part.y.length ? part.y : take(part.y, rows, 1),
        at: scratch.floats(`rows.${k}`, x),
        places: along.map((j) => Float64Array.from(rows, (_, i) => there[i * K + j])),
      };
    })
    .filter(({ rows }) => rows.length);
  const trained = { at: scratch.floats('train', transposed(drawn[0].x, D)), rows: drawn[0].rows.length };
  if (prepared.picture)
    return {
      shows: 'images',
      view: 'all',
      axes: [],
      held: [],
      drawn,
      train: trained,
      scale: pixelScale(prepared),
      scratch,
      units: [],
    };
  const parameters = net.sizes.slice(1).reduce((all, n, l) => all + n * (net.sizes[l] + 1), 0);
  const resolution = line
    ? LINE
    : Math.max(16, Math.floor(Math.sqrt(Math.min(PLANE ** 2, NUMBERS / D, WORK / parameters))));
  const coarse = Math.min(UNIT, resolution);
  const axis = (k, cells) =>
    places(
      drawn.map((one) => one.places[k]),
      cells,
    );
  const still = new Float64Array(1);
  const x = axis(0, resolution);
  const y = line ? still : axis(1, resolution);
  const inputs = (count, at) => {
    // at(i, k): the place of point i on axis k; on all other columns it is typical
    const raw = new Float64Array(count * K);
    for (let i = 0; i < count; i++) {
      raw.set(typical, i * K);
      for (let k = 0; k < along.length; k++) raw[i * K + along[k]] = at(i, k);
    }
    return prepared.inputs(raw);
  };
  const grid = (name, xs, ys) => {
    const wide = xs.length;
    const rows = wide * ys.length;
    const own = inputs(rows, (i, k) => (k ? ys[Math.floor(i / wide)] : xs[i % wide]));
    return { x: own, at: scratch.floats(name, transposed(own, D)), rows, wide, high: ys.length };
  };
  return {
    shows: line ? 'line' : plain ? 'plane' : K === 2 ? 'surface' : 'fit',
    view,
    axes: along.map((j) => prepared.columns[j]),
    along,
    x,
    y,
    drawn,
    scratch,
    train: trained,
    units: [],
    held: prepared.columns
      .map((name, j) => /** @type {[string, any]} */ ([name, cellOf({ words: prepared.words[j] }, typical[j])]))
      .filter((_, j) => !along.includes(j)),
    grid: grid('grid', x, y),
    small: grid('small', axis(0, coarse), line ? still : axis(1, coarse)),
    /** Where rows that are drawn lie on the plane, for what the network says there. */
    onPlane: (one) =>
      scratch.floats(
        `plane.${one.part}`,
        inputs(one.rows.length, (i, k) => one.places[k][i]),
      ),
  };
}

/** The message `points`. */
export function pointsOf({ prepared }, sight) {
  const { shows, axes, view, held, x, y, drawn, scale } = sight;
  if (shows === 'images') return { axes, view, held, rows: [], examples: examplesOf(prepared, drawn[0], scale) };
  return {
    axes,
    view,
    variance: null,
    held: held.slice(0, 12),
    low: [x[0], y[0]],
    high: [x.at(-1), y.at(-1)],
    rows: drawn.map(({ split, part, rows, y: answers, places: [xs, ys] }) => {
      const truth = Array.from(
        answers,
        prepared.classes.length ? Number : (v) => v * prepared.targetScale + prepared.targetMean,
      );
      return {
        split,
        x: [...xs],
        y: ys ? [...ys] : truth,
        true: truth,
        index: Array.from(rows, (i) => prepared.parts[part].rows[i]),
        total: prepared.parts[part].rows.length,
      };
    }),
  };
}

/** Even places over the values' range and 6 % beyond, or 0.5 and more around one value. */
function places(lists, cells) {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists)
    for (const v of list) {
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
  const margin = 0.06 * (high - low) || 0.5 * Math.max(1, Math.abs(high));
  const from = low - margin;
  const step = (high - low + 2 * margin) / (cells - 1);
  return Float64Array.from({ length: cells }, (_, i) => (i === cells - 1 ? high + margin : from + i * step));
}

/** At most so many of n rows: a sample with a fixed seed, in row order (inspection/input_planes.py's draw). */
function sample(n, most) {
  const order = Array.from({ length: n }, (_, i) => i);
  if (n <= most) return order;
  new RandomState(0).shuffle(order);
  return order.slice(0, most).sort((a, b) => a - b);
}

const take = (values, rows, width) => {
  const out = new values.constructor(rows.length * width);
  rows.forEach((row, i) => {
    for (let j = 0; j < width; j++) out[i * width + j] = values[row * width + j];
  });
  return out;
};

/** [N D] → [D][N]. */
function transposed(x, D) {
  const N = x.length / D;
  const out = new Float32Array(x.length);
  for (let i = 0; i < N; i++) for (let j = 0; j < D; j++) out[j * N + i] = x[i * D + j];
  return out;
}

/**
 * The two columns on whose plane the network says most of what it says: each class that it answers counts alike, for
 * else a plane that always says the commonest would be good (inspection/boundary.py). kept: two that stay unless others
 * are clearly better.
 */
export function faithfulColumns(net, prepared, kept = null) {
  const K = prepared.columns.length;
  const part = prepared.parts[0];
  const rows = sample(part.rows.length, COMPARED);
  const N = rows.length;
  const { typical } = prepared;
  const raw = take(part.places, rows, K);
  const own = classesOf(net, take(part.x, rows, prepared.features.length), N);
  const classes = [...new Set(own)];
  let best = null;
  let most = -Infinity;
  for (const pair of pairsOf(net, prepared, raw, take(part.y, rows, 1))) {
    const there = classesOf(net, prepared.inputs(onPair(raw, typical, pair)), N);
    const like = classes.reduce((all, c) => all + shareOf(own, there, c), 0) / classes.length;
    const better = like + (kept && pair.every((j) => kept.includes(prepared.columns[j])) ? CLEARLY : 0);
    if (better > most + 1e-9) [best, most] = [pair, better];
  }
  return best.sort((a, b) => a - b).map((j) => prepared.columns[j]);
}

/** On which share of these rows, as they are drawn, the plane of two columns says what the network says. */
export function agreementOn(net, prepared, drawn, names) {
  const K = prepared.columns.length;
  const { typical } = prepared;
  const pair = names.map((name) => prepared.columns.indexOf(name));
  let rows = 0;
  let same = 0;
  for (const { part, rows: numbers, x } of drawn) {
    const own = classesOf(net, x, numbers.length);
    const there = classesOf(
      net,
      prepared.inputs(onPair(take(prepared.parts[part].raw, numbers, K), typical, pair)),
      numbers.length,
    );
    own.forEach((answer, i) => {
      same += Number(there[i] === answer);
    });
    rows += numbers.length;
  }
  return same / rows;
}

/** Rows [N K] with their values in two columns, and what is typical in the others. */
function onPair(raw, typical, pair) {
  const K = typical.length;
  return raw.map((value, k) => (pair.includes(k % K) ? value : typical[k % K]));
}

/** The pairs to compare, those that separate best first: of many columns, the ones that weigh most. */
function pairsOf(net, { columns, classes, made, axes }, raw, y) {
  const K = columns.length;
  const [D, H] = net.sizes;
  const W = net.row(0);
  const weight = new Float64Array(K);
  made.forEach(({ at }, d) =>
    at.forEach((j) => {
      for (let u = 0; u < H; u++) weight[j] += Math.abs(W[net.starts[0] + u * D + d]);
    }),
  );
  const some = axes
    .map((name) => columns.indexOf(name))
    .sort((a, b) => weight[b] - weight[a] || a - b)
    .slice(0, MOST);
  return pairsBySeparation(
    some.map((j) => raw.filter((_, k) => k % K === j)),
    y,
    classes.length,
  ).map((pair) => pair.map((i) => some[i]));
}

function classesOf(net, x, N) {
  const z = net.predict(x);
  return Array.from({ length: N }, (_, i) => winner(z, i, net.C));
}

function shareOf(own, there, c) {
  let rows = 0;
  let same = 0;
  own.forEach((answer, i) => {
    if (answer === c) {
      rows++;
      same += Number(there[i] === c);
    }
  });
  return same / rows;
}
