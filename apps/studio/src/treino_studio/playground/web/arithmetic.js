/** The network in double precision: activations, losses, forward and backward passes; what others are checked with. */

import { softmax as softmaxAt } from './metrics.js';

const SQRT2PI = Math.sqrt(2 * Math.PI);

/**
 * 2/√π times the integral of e^(−t²) from 0 to x; by its series, and far out by the continued fraction of what is left.
 */
function erf(x) {
  if (x < 0) return -erf(-x);
  if (x < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; term > 1e-17 * sum; n++) sum += term *= (2 * x * x) / (2 * n + 1);
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let below = x;
  for (let n = 60; n > 0; n--) below = x + n / 2 / below;
  return 1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / below;
}

export const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
const bell = (z) => Math.exp((-z * z) / 2) / SQRT2PI;
const below = (z) => (1 + erf(z / Math.SQRT2)) / 2;

/**
 * Of each activation: f, f', the z at which f' jumps; `saturates`: f' tends to 0 at both ends; `dies`: f is 0 below 0.
 */
export const ACTIVATIONS = {
  relu: { f: (z) => Math.max(z, 0), slope: (z) => +(z > 0), kinks: [0], dies: true },
  leaky_relu: { f: (z) => (z > 0 ? z : 0.01 * z), slope: (z) => (z > 0 ? 1 : 0.01), kinks: [0] },
  gelu: { f: (z) => z * below(z), slope: (z) => below(z) + z * bell(z) },
  silu: { f: (z) => z * sigmoid(z), slope: (z) => sigmoid(z) * (1 + z * (1 - sigmoid(z))) },
  tanh: { f: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2, saturates: true },
  sigmoid: { f: sigmoid, slope: (z) => sigmoid(z) * (1 - sigmoid(z)), saturates: true },
  identity: { f: (z) => z, slope: () => 1 },
};

export const softmax = (z) => Array.from(softmaxAt(z, 0, z.length));
export function logSoftmax(z) {
  const most = Math.max(...z);
  const sum = Math.log(Array.from(z, (v) => Math.exp(v - most)).reduce((a, b) => a + b));
  return Array.from(z, (v) => v - most - sum);
}

/**
 * Of a row's output and target: its loss and the loss's slope; of numbers. kinks: the errors at which the slope jumps
 * or bends.
 */
export const PAIRS = {
  bce: { of: (z, y) => [Math.max(z, 0) - z * y + Math.log1p(Math.exp(-Math.abs(z))), sigmoid(z) - y] },
  mse: { of: (z, y) => [(z - y) ** 2, 2 * (z - y)] },
  l1: { of: (z, y) => [Math.abs(z - y), Math.sign(z - y)], kinks: [0] },
  huber: {
    of: (z, y) => (Math.abs(z - y) <= 1 ? [(z - y) ** 2 / 2, z - y] : [Math.abs(z - y) - 0.5, Math.sign(z - y)]),
    kinks: [-1, 1],
  },
};

/** The loss of outputs [B C]: each row's, their mean, and its slopes [B C]. y: classes, or numbers [B C]. */
export function batchLoss(loss, out, y, B, softmaxFirst = false) {
  const C = out.length / B;
  const terms = new Float64Array(loss === 'cross_entropy' ? B : B * C);
  const slope = new Float64Array(B * C);
  for (let r = 0; r < B; r++) {
    if (loss !== 'cross_entropy') {
      for (let at = r * C; at < (r + 1) * C; at++) [terms[at], slope[at]] = PAIRS[loss].of(out[at], y[at]);
      continue;
    }
    const z = softmaxFirst ? softmax(out.subarray(r * C, (r + 1) * C)) : out.subarray(r * C, (r + 1) * C);
    terms[r] = -logSoftmax(z)[y[r]];
    let d = softmax(z).map((p, k) => p - Number(k === y[r]));
    // through the first softmax
    if (softmaxFirst) d = d.map((v, k) => z[k] * (v - d.reduce((sum, u, c) => sum + u * z[c], 0)));
    slope.set(d, r * C);
  }
  return { terms, loss: terms.reduce((a, b) => a + b, 0) / terms.length, slope: slope.map((v) => v / terms.length) };
}

/** The layers in a member's row of numbers: {W [H D], b [H], H, D, act}. */
export function layersOf(row, { sizes, starts, activation }) {
  return sizes.slice(1).map((H, l) => {
    const D = sizes[l];
    const at = starts[2 * l];
    const end = starts[2 * l + 1];
    return {
      H,
      D,
      W: Float64Array.from(row.subarray(at, at + H * D)),
      b: Float64Array.from(row.subarray(end, end + H)),
      act: l + 2 < sizes.length ? activation : 'identity',
    };
  });
}

/**
 * Of each layer what goes in (a), z and what comes out (h) for the rows x [B D]. masks: factors [B H] of hidden layers,
 * or none.
 */
export function forward(layers, x, B, masks = []) {
  let a = x;
  return layers.map(({ W, b, H, D, act }, l) => {
    const z = new Float64Array(B * H);
    const { f } = ACTIVATIONS[act];
    for (let r = 0; r < B; r++)
      for (let i = 0; i < H; i++) {
        let sum = 0;
        for (let k = 0; k < D; k++) sum += W[i * D + k] * a[r * D + k];
        z[r * H + i] = sum + b[i];
      }
    const pass = { a, z, mask: masks[l] ?? null };
    a = pass.h = z.map((v, at) => f(v) * (masks[l] ? masks[l][at] : 1));
    return pass;
  });
}

/** Into each pass d = ∂L/∂z; → the gradients {W, b} of each layer. slope: of the loss by the outputs. */
export function backward(layers, passes, slope, B) {
  let up = slope;
  const gradients = [];
  for (let l = layers.length - 1; l >= 0; l--) {
    const { W, H, D, act } = layers[l];
    const pass = passes[l];
    const by = ACTIVATIONS[act].slope;
    const d = up.map((v, at) => v * (pass.mask ? pass.mask[at] : 1) * by(pass.z[at]));
    pass.d = d;
    const down = new Float64Array(B * D);
    const gW = new Float64Array(H * D);
    const gb = new Float64Array(H);
    for (let r = 0; r < B; r++)
      for (let i = 0; i < H; i++) {
        const v = d[r * H + i];
        gb[i] += v;
        for (let k = 0; k < D; k++) {
          gW[i * D + k] += v * pass.a[r * D + k];
          down[r * D + k] += v * W[i * D + k];
        }
      }
    gradients[l] = { W: gW, b: gb };
    up = down;
  }
  return gradients;
}
