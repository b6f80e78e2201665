/**
 * A training's state carried over to other settings, or to a network with other layers (engine/carry_over.py).
 *
 * Net2Net (Chen, Goodfellow, Shlens 2016): an added unit copies an existing one, and both share its outgoing weights;
 * an added layer computes the identity. Pruning removes the units that contribute least to the next layer, and moves
 * their mean contributions into its biases. All in float64.
 */

import { ACTIVATIONS } from './arithmetic.js';
import { layout } from './lanes.js';
import { generator, uniform } from './random.js';
import { faulty, lossOf, sizesOf } from './training.js';
import { NONE, norm } from './training_loop.js';

const SPREAD = (1 + Math.sqrt(5)) / 2; // of the copies' shares; irrational, so that no share is 0
const POINTS = [0, 4, 8, 16]; // where an added layer may use an activation's straight part
const SCALES = [1, 0.25]; // of an added layer's inputs; small for activations straight only near 0
const NEAR = 0.002; // largest error of an added layer / largest value
const SUMMED = 'missing_zero_grad';
const TWICE = 'softmax_before_cross_entropy';
const MOST_ROWS = 10000; // training rows by which layers are resized

const READS = { sgd: ['momentum'], adam: ['beta1', 'beta2', 'eps'], adamw: ['beta1', 'beta2', 'eps'] };
const USUAL = { momentum: 0, beta1: 0.9, beta2: 0.999, eps: 1e-8 };

/** The hyper-parameters that an optimizer doesn't use. */
export const unread = (optimizer) => Object.keys(USUAL).filter((name) => !READS[optimizer].includes(name));

/** Settings with what the optimizer doesn't read as it usually is. */
export const asRead = (settings) => ({
  ...settings,
  ...Object.fromEntries(unread(settings.optimizer).map((name) => [name, USUAL[name]])),
});

/**
 * The state with which a segment begins. saved: of a TrainingLoop with the settings `before`.
 *
 * The optimizer begins anew where it is another one, or layers are added or removed: one counter counts the updates of
 * all parameters, and at a high count a new parameter would take far too large steps. The best weights are forgotten
 * where the network or the loss is another one.
 */
export function carryOver(saved, before, after, prepared) {
  const sizes = [before, after].map((settings) => sizesOf(prepared, settings));
  const layers = [layout(sizes[0]), layout(sizes[1])];
  const reshapes = String(before.hidden) !== String(after.hidden) || before.activation !== after.activation;
  let state = saved;
  if (before.optimizer !== after.optimizer || before.hidden.length !== after.hidden.length) {
    const count = after.optimizer === 'sgd' ? 1 : 2;
    state = {
      ...state,
      optimizerStep: 0,
      moments: Array.from({ length: count }, () => new Float32Array(state.params.length)),
    };
  }
  if (after.ema > 0 && !state.average) state = { ...state, average: state.params.slice() };
  if (faulty(after, SUMMED) && !faulty(before, SUMMED))
    state = { ...state, grads: new Float32Array(state.params.length) };
  if (String(sizes[0]) !== String(sizes[1])) state = reshapedState(state, before, after, sizes, layers, prepared);
  const lossBefore = [lossOf(prepared, before), faulty(before, TWICE)];
  const lossAfter = [lossOf(prepared, after), faulty(after, TWICE)];
  if (reshapes || String(lossBefore) !== String(lossAfter)) state = { ...state, best: NONE };
  return state;
}

function reshapedState(state, before, after, sizes, layers, prepared) {
  const networks = state.average ? [state.params, state.average] : [state.params];
  const kept = [...networks, state.grads, ...state.moments];
  const x = firstRows(prepared);
  let stack = sizes[0].slice(1).map((units, l) => ({
    weights: kept.map((row) => matrixOf(row, layers[0].starts[2 * l], units, sizes[0][l])),
    biases: kept.map((row) =>
      Float64Array.from(row.subarray(layers[0].starts[2 * l + 1], layers[0].starts[2 * l + 1] + units)),
    ),
  }));
  stack = reshaped(stack, networks.length, after.hidden, ACTIVATIONS[after.activation].f, x, (outputs, inputs) => {
    const drawn = new Float32Array(outputs * inputs);
    uniform(drawn, -1 / Math.sqrt(inputs), 1 / Math.sqrt(inputs), generator(before.seed ?? 0, 'output', state.step));
    return matrixOf(drawn, 0, outputs, inputs);
  });
  const [params, ...others] = kept.map((_, k) => {
    const row = new Float32Array(layers[1].n);
    stack.forEach(({ weights, biases }, l) => {
      weights[k].forEach((values, u) => row.set(values, layers[1].starts[2 * l] + u * values.length));
      row.set(biases[k], layers[1].starts[2 * l + 1]);
    });
    return row;
  });
  const average = state.average ? others.shift() : null;
  const [grads, ...moments] = others;
  return { ...state, params, average, grads, moments };
}

/** Training rows, [D][N]: at most so many. */
function firstRows(prepared) {
  const { x, rows } = prepared.parts[0];
  const D = prepared.features.length;
  const N = Math.min(rows.length, MOST_ROWS);
  return Array.from({ length: D }, (_, j) => Float64Array.from({ length: N }, (_, i) => x[i * D + j]));
}

const matrixOf = (row, start, units, inputs) =>
  Array.from({ length: units }, (_, u) =>
    Float64Array.from(row.subarray(start + u * inputs, start + (u + 1) * inputs)),
  );

// ---- layers: {weights: [K][U][J], biases: [K][U]}; of the K the first `networks` are weights, the others go along

/**
 * x: [D][N] training rows. output(outputs, inputs): first weights of an output layer whose layer before was removed.
 */
function reshaped(stack, networks, hidden, act, x, output) {
  if (hidden.length < stack.length - 1) stack = shortened(stack, networks, hidden.length, x.length, output);
  hidden.forEach((units, place) => {
    if (place === stack.length - 1) stack = deepened(stack, networks, place, act, valuesOf(stack, act, x)[place]);
    const now = stack[place].biases[0].length;
    if (units > now) stack = widened(stack, networks, place, units);
    else if (units < now) stack = narrowed(stack, networks, place, units, valuesOf(stack, act, x)[place + 1]);
  });
  return stack;
}

/** The inputs, and the values [H][N] of each hidden layer. */
function valuesOf(stack, act, x) {
  const values = [x];
  for (const {
    weights: [W],
    biases: [b],
  } of stack.slice(0, -1)) {
    const from = values.at(-1);
    values.push(
      W.map((w, u) => {
        const out = new Float64Array(from[0]?.length ?? x[0].length);
        w.forEach((value, j) => {
          for (let i = 0; i < out.length; i++) out[i] += value * from[j][i];
        });
        return out.map((v) => act(v + b[u]));
      }),
    );
  }
  return values;
}

function widened(stack, networks, place, units) {
  const before = stack[place].biases[0].length;
  const of = Array.from({ length: units }, (_, u) => u % before);
  return selected(stack, networks, place, of, shares(units, before));
}

/**
 * Each copy's share of its unit's outgoing weights: unequal, so that their gradients differ; the shares of one unit sum
 * to 1.
 */
function shares(units, before) {
  return Array.from({ length: units }, (_, u) => {
    const copies = Math.floor((units - (u % before) - 1) / before) + 1;
    const turn = Math.floor(u / before);
    return (1 + SPREAD * (copies > 1 ? 1 - (2 * turn) / (copies - 1) : 0)) / copies;
  });
}

function narrowed(stack, networks, place, units, values) {
  const after = stack[place + 1];
  const [onward] = after.weights;
  const means = values.map((v) => v.reduce((a, b) => a + b, 0) / v.length);
  const effect = values.map(
    (v, u) => Math.sqrt(v.reduce((all, a) => all + (a - means[u]) ** 2, 0) / v.length) * norm(onward.map((w) => w[u])),
  );
  const order = [...effect.keys()].sort((a, b) => effect[b] - effect[a] || a - b);
  const kept = order.slice(0, units).sort((a, b) => a - b);
  const gone = order.slice(units).sort((a, b) => a - b);
  const biases = after.biases.map((b, k) =>
    k >= networks
      ? b
      : b.map((value, c) => value + gone.reduce((all, u) => all + after.weights[k][c][u] * means[u], 0)),
  );
  return selected(stack.with(place + 1, { ...after, biases }), networks, place, kept, new Array(units).fill(1));
}

/** Insert a layer that computes the identity, exactly where the activation is straight for all values, else nearly. */
function deepened(stack, networks, place, act, values) {
  const after = stack[place];
  const line = straightStretch(act, values);
  const H = values.length;
  const square = (k) =>
    Array.from({ length: H }, (_, u) =>
      Float64Array.from({ length: H }, (_, j) => (k < networks && u === j ? line.scale : 0)),
    );
  const layer = {
    weights: after.weights.map((_, k) => square(k)),
    biases: after.biases.map((_, k) => new Float64Array(H).fill(k < networks ? line.point : 0)),
  };
  const weights = after.weights.map((W, k) => (k < networks ? W.map((w) => w.map((v) => v / line.slope)) : W));
  const biases = after.biases.map((b, k) =>
    k < networks ? b.map((v, c) => v - line.height * weights[k][c].reduce((x, y) => x + y, 0)) : b,
  );
  return [...stack.slice(0, place), layer, { weights, biases }, ...stack.slice(place + 1)];
}

/** act(scale · h + point) ≈ height + slope · h: the first stretch with a small error, else the straightest. */
function straightStretch(act, values) {
  let size = 0;
  let best = { bent: Infinity, scale: 1, point: 0, height: 0, slope: 1 };
  for (const v of values) for (const a of v) size = Math.max(size, Math.abs(a));
  size ||= 1;
  for (const point of POINTS)
    for (const scale of SCALES) {
      const height = act(point);
      const slope = (act(point + scale * size) - height) / size;
      if (slope === 0 || !Number.isFinite(slope)) continue;
      let bent = 0;
      for (const v of values)
        for (const a of v) bent = Math.max(bent, Math.abs((act(scale * a + point) - height) / slope - a));
      const line = { bent, scale, point, height, slope };
      if (bent <= NEAR * size) return line;
      if (bent < best.bent) best = line;
    }
  return best;
}

/** Keep the first hidden layers, and draw the output layer's weights anew. */
function shortened(stack, networks, hidden, inputs, output) {
  const before = stack.slice(0, hidden);
  const last = stack.at(-1);
  const units = before.at(-1)?.biases[0].length ?? inputs;
  const drawn = output(last.biases[0].length, units);
  const weights = last.weights.map((_, k) => (k < networks ? drawn : drawn.map((w) => new Float64Array(w.length))));
  return [...before, { ...last, weights }];
}

/** Units of a hidden layer. share: of its outgoing weights that each of them takes. */
function selected(stack, networks, place, of, share) {
  const { weights, biases } = stack[place];
  const after = stack[place + 1];
  const layer = {
    weights: weights.map((W) => of.map((u) => W[u])),
    biases: biases.map((b) => Float64Array.from(of, (u) => b[u])),
  };
  const onward = after.weights.map((W, k) =>
    W.map((w) => Float64Array.from(of, (u, i) => w[u] * (k < networks ? share[i] : 1))),
  );
  return [...stack.slice(0, place), layer, { ...after, weights: onward }, ...stack.slice(place + 2)];
}
