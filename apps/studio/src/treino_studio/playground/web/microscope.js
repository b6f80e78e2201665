/**
 * The microscope: the arithmetic of one weight's last update, from the rows of its batch to its new value, as
 * `treino explain` writes it (inspection/microscope), in double precision and checked by other computations.
 */

import { refuse } from '../../page/modules/connection.js';
import { whole } from '../../page/modules/numbers.js';
import { localised } from '../../page/modules/words.js';
import { ACTIVATIONS, backward, batchLoss, forward, layersOf, logSoftmax, PAIRS, softmax } from './arithmetic.js';
import {
  activated,
  derivative,
  formula,
  minus,
  op,
  over,
  plus,
  series,
  symbol,
  text,
  times,
  value,
} from './expressions.js';
import { layout, Population } from './lanes.js';
import { stagesShown } from './scene.js';
import { general, say } from './sentences.js';
import { batchSize, FAULTS, faulty, lossOf, sizesOf } from './training.js';

const SHOWN_ROWS = 8;
const LARGE = 100;
const EPS32 = 2 ** -23;
const EPS64 = 2 ** -52;
const LARGEST = 20_000_000; // numbers that are worked by hand: rows times widths
const GOLDEN = 0x9e3779b97f4a7c15n;

/**
 * What `explain` asks: the last update before the step in view. layer: its stage in the picture, from 1; input null:
 * the bias.
 */
export function explain(run, { layer = null, unit = 0, input = null }) {
  const { step } = run.inView();
  if (!step)
    refuse(
      'arithmetic_no_update',
      say('At step 0 no weight has been updated yet.'),
      say('Take a step, and look again.'),
    );
  if (run.settingsAt(step - 1).channels.length)
    refuse(
      'explain_net',
      say(
        'This network holds {kind}, and the arithmetic is written out for chains of Linear, activation and dropout.',
        { kind: 'Conv2d' },
      ),
      say('Train a plain network: treino train DATA [[hidden=16]], then explain that one.'),
    );
  const after = run.at(step);
  const reached = { params: after.loop.net.row(0).slice(), loss: after.loop.loss, n: after.loop.net.n };
  const { loop, settings } = run.at(step - 1);
  const { net, segment } = loop;
  const { batchOf, factorOf } = segment.plan;
  const hp = { ...settings, lr: settings.lr * factorOf(step - 1), clip: settings.clip ?? Infinity };
  const batch = batchOf(step - 1) ?? Array.from({ length: batchSize(run.prepared, settings) }, (_, row) => row);
  const update = {
    lanes: run.lanes,
    run: run.name,
    prepared: run.prepared,
    settings,
    hp,
    batch,
    before: net.state(0),
    after: reached.n === net.n ? reached.params : null,
    noted: reached.loss,
    drops: segment.settings.dropout > 0,
  };
  const stages = stagesShown(settings.hidden.length + 1);
  return explanation(update, layer === null ? null : { layer: (stages[layer] ?? 0) - 1, unit, input });
}

/**
 * update: {lanes, run (its name), prepared, settings, hp (settings with the schedule in lr), batch (numbers of its
 * training rows), before (a Population's state), after (parameters, or null), noted (the loss, or null)}. place: {layer
 * (from 0), unit, input}, or null: the weight of the first layer with the largest gradient.
 */
export function explanation(update, place = null) {
  const u = worked(update, place);
  const steps = [...rowsPart(u), ...forwardPart(u), ...lossPart(u), ...backwardPart(u)];
  const { steps: moving, weight } = updatePart(u, u.gradient);
  steps.push(
    ...moving.map((step) => ({ part: say('The update'), ...step })),
    ...(u.settings.optimizer === 'adamw' ? besidePart(u) : []),
  );
  const topic = u.settings.optimizer === 'sgd' && u.hp.momentum ? 'momentum' : u.settings.optimizer;
  const checks = checksOf(u, steps, weight);
  return {
    topic,
    title: say('{topic}: update {number:,} of {run}', { topic, number: whole(u.step + 1), run: u.run }),
    steps: steps.map(documented),
    checks,
    holds: checks.every((check) => check.holds),
    layer: nameOf(u, u.layer),
    unit: u.i,
    input: u.j,
  };
}

// ---- the numbers

function worked(update, place) {
  const { prepared, settings, before, batch, run } = update;
  const { step } = before;
  const [train] = prepared.parts;
  const D = prepared.features.length;
  const B = batch.length;
  const sizes = sizesOf(prepared, settings);
  const { starts } = layout(sizes);
  const layers = layersOf(before.params, { sizes, starts, activation: settings.activation });
  if (B * sizes.reduce((a, b) => a + b) > LARGEST)
    refuse(
      'explain_size',
      say('The batch has {rows:,} rows; in this network that is {n:,} numbers to work by hand.', {
        rows: whole(B),
        n: whole(B * sizes.reduce((a, b) => a + b)),
      }),
      say('Train with a smaller [[batch_size]], and explain that run.'),
    );
  const x = new Float64Array(B * D);
  const loss = lossOf(prepared, settings);
  const classes = loss === 'cross_entropy';
  const y = classes ? new Int32Array(B) : new Float64Array(B);
  batch.forEach((row, r) => {
    x.set(train.x.subarray(row * D, (row + 1) * D), r * D);
    y[r] = train.y[row];
  });
  const masks = masksOf(update, sizes, B);
  const softmaxFirst = faulty(settings, 'softmax_before_cross_entropy');
  const passes = forward(layers, x, B, masks);
  const outcome = batchLoss(loss, passes.at(-1).h, y, B, softmaxFirst);
  const gradients = backward(layers, passes, outcome.slope, B);
  if (!Number.isFinite(outcome.loss) || gradients.some(({ W, b }) => ![...W, ...b].every(Number.isFinite)))
    refuse(
      'explain_not_finite',
      say('After {step:,} updates the loss or a gradient of {run} is not finite any more.', { step: whole(step), run }),
      say('Look at an earlier update, e.g. [[step=0]].'),
    );
  const { layer, unit: i, input: j } = place ?? largest(gradients[0].W, D);
  const width = layers[layer]?.D;
  if (!(i < layers[layer]?.H && (j === null || j < width)))
    refuse(
      'weight_range',
      say('There is no weight {weight}.', { weight: [layer, i, j].filter((n) => n !== null).join() }),
      '',
    );
  const u = {
    ...update,
    step,
    loss,
    sizes,
    starts,
    layers,
    x,
    y,
    masks,
    softmaxFirst,
    passes,
    gradients,
    outcome,
    B,
    layer,
    i,
    j,
    classes,
    old: faulty(settings, 'missing_zero_grad') ? before.grads : null,
  };
  u.at = j === null ? starts[2 * layer + 1] + i : starts[2 * layer] + i * width + j;
  u.weight = before.params[u.at];
  u.gradient = gradientAt(u, gradients);
  const { d, a } = passes[layer];
  const { H } = layers[layer];
  u.shares = Float64Array.from({ length: B }, (_, r) => d[r * H + i] * (j === null ? 1 : a[r * width + j]));
  u.row = argmax(u.shares);
  u.units = unitsOf(u);
  return u;
}

const argmax = (list) => list.reduce((best, v, k) => (Math.abs(v) > Math.abs(list[best]) ? k : best), 0);
const largest = (W, D) => {
  const at = argmax(W);
  return { layer: 0, unit: Math.floor(at / D), input: at % D };
};
const gradientAt = ({ layer, layers, i, j }, gradients) =>
  j === null ? gradients[layer].b[i] : gradients[layer].W[i * layers[layer].D + j];
const sizeOf = ({ layers }, l) => layers[l].H;
const valuesOf = (u, l, name) => u.passes[l][name].subarray(u.row * sizeOf(u, l), (u.row + 1) * sizeOf(u, l));

/** In torch's Sequential each hidden layer is followed by its activation, and by dropout where there is any. */
const nameOf = ({ settings, drops = settings.dropout > 0 }, layer) => String(layer * (drops ? 3 : 2));

/** Which units were dropped in this update, as rng.py and the kernel draw them: factors 0 or 1 / (1 − rate). */
function masksOf({ settings, hp, before: { step } }, sizes, B) {
  if (!(hp.dropout > 0)) return [];
  const threshold = Math.min(Math.round(hp.dropout * 2 ** 32), 2 ** 32 - 1) - 2 ** 31;
  const hash = Int32Array.from({ length: B * Math.max(...sizes.slice(1, -1)) }, (_, e) =>
    Number(BigInt.asIntN(32, mix(BigInt(e) + 0x9e3779b9n))),
  );
  return sizes.slice(1, -1).map((H, layer) => {
    const key = mix(mix(mix(BigInt(settings.seed)) + BigInt(layer)) + BigInt(step));
    const a = Number(BigInt.asIntN(32, key | 1n));
    const b = Number(BigInt.asIntN(32, key >> 32n));
    return Float64Array.from({ length: B * H }, (_, e) =>
      ((Math.imul(hash[e], a) + b) | 0) >= threshold ? 1 / (1 - hp.dropout) : 0,
    );
  });
}

function mix(x) {
  x = BigInt.asUintN(64, x + GOLDEN);
  x = BigInt.asUintN(64, (x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n);
  x = BigInt.asUintN(64, (x ^ (x >> 27n)) * 0x94d049bb133111ebn);
  return x ^ (x >> 31n);
}

/** The unit that is shown of each layer: the weight's own, and elsewhere the one that counts most. */
function unitsOf(u) {
  const last = u.layers.length - 1;
  const units = u.layers.map((_, l) => argmax(valuesOf(u, l, 'h')));
  for (let l = u.layer + 1; l <= last; l++) units[l] = argmax(valuesOf(u, l, 'd'));
  if (u.classes && u.layer < last) units[last] = u.y[u.row];
  if (u.layer && u.j !== null) units[u.layer - 1] = u.j;
  units[u.layer] = u.i;
  return units;
}

// ---- the parts: rows, forward, loss, backward

const mark = (layer) => `(${layer})`;
const input = (layer, sub, number) => (layer ? symbol('h', number, sub, mark(layer - 1)) : symbol('x', number, sub));
const sourceRow = (u, r) => u.prepared.parts[0].rows[u.batch[r]];

function rowsPart(u) {
  const part = say('The rows of the batch');
  const {
    features,
    classes,
    parts: [train],
  } = u.prepared;
  const D = features.length;
  const shown = u.layer === 0 && u.j !== null;
  const target = (row) => (classes.length ? classes[train.y[row]] : train.y[row]);
  const headings = [
    say('row'),
    ...(shown ? [say('input {j}: {name}', { j: u.j, name: features[u.j] })] : []),
    say('target'),
  ];
  const rows = Array.from(u.batch.slice(0, SHOWN_ROWS), (row, r) => [
    sourceRow(u, r),
    ...(shown ? [u.x[r * D + u.j]] : []),
    target(row),
  ]);
  const place = { i: u.i, j: u.j, layer: u.layer, module: nameOf(u, u.layer) };
  const weight =
    u.j === null
      ? say('the bias of unit {i} in layer {layer} (module {module})', place)
      : say('the one from input {j} to unit {i} of layer {layer} (module {module})', place);
  const about = say(
    'Update {number:,} of {run}: {rows:,} rows. The weight is {weight}. Inputs are as the network gets them, prepared; layers, units and inputs are counted from 0.',
    { number: whole(u.step + 1), run: u.run, rows: whole(u.B), weight },
  );
  const notes = notesOf(u).map((note) => ({ part, title: say('In force'), text: note }));
  return [
    { part, title: say('What goes in'), text: about, table: { headings, rows, more: u.B - rows.length } },
    ...notes,
  ];
}

function notesOf({ settings, hp }) {
  const notes = [];
  const number = (v) => localised(general(v));
  if ((settings.schedule ?? 'constant') !== 'constant' || settings.warmup)
    notes.push(
      say('The learning rate is {now:g} in this update: the {name} schedule, warm-up {warmup:,}.', {
        now: number(hp.lr),
        name: settings.schedule ?? 'constant',
        warmup: whole(settings.warmup ?? 0),
      }),
    );
  if (hp.dropout)
    notes.push(
      say('Dropout {rate:g}: the very units that the run dropped in this update are dropped here.', {
        rate: number(hp.dropout),
      }),
    );
  for (const name of FAULTS.filter((fault) => faulty(settings, fault)))
    notes.push(say('The fault {name}, on purpose.', { name }));
  return notes;
}

function forwardPart(u) {
  const part = say('Forward: row {row}, the one that adds most to this gradient', { row: sourceRow(u, u.row) });
  return u.layers.flatMap(({ W, b, D, act }, l) => {
    const unit = u.units[l];
    const { a, mask } = u.passes[l];
    const m = mark(l);
    const z = symbol('z', valuesOf(u, l, 'z')[unit], unit, m);
    const sum = series('j', '', D, (sub, k) =>
      times(symbol('W', W[unit * D + k], `${unit},${sub}`, m), input(l, sub, a[u.row * D + k])),
    );
    const steps = [
      {
        part,
        title: say('Layer {layer}, unit {unit}', { layer: l, unit }),
        formula: formula(z, plus(sum, symbol('b', b[unit], unit, m))),
      },
    ];
    let right = act === 'identity' ? z : activated(act, z);
    if (mask) right = times(right, symbol('mask', mask[u.row * sizeOf(u, l) + unit]));
    if (act !== 'identity' || mask) {
      const note = mask ? say('dropout: 0 for a dropped unit, else 1 / (1 − rate)') : '';
      steps.push({
        part,
        title: say('What the unit gives on'),
        text: note,
        formula: formula(symbol('h', 0, unit, m), right),
      });
    }
    return steps;
  });
}

const TERMS = {
  // the loss of one pair and its slope: sentences, formulas
  mse: ['the error squared', 'twice the error', (a, y) => op('^', minus(a, y), 2), (a, y) => times(2, minus(a, y))],
  l1: [
    'the size of the error',
    'its sign: 1, −1, or 0 where there is no error',
    (a, y) => op('abs', minus(a, y)),
    (a, y) => op('sign', minus(a, y)),
  ],
  huber: [
    'half the square of a small error (at most 1), the size less ½ of a large one',
    'a small error itself, the sign of a large one',
    (a, y) =>
      Math.abs(a.number - y.number) <= 1 ? over(op('^', minus(a, y), 2), 2) : minus(op('abs', minus(a, y)), over(1, 2)),
    (a, y) => (Math.abs(a.number - y.number) <= 1 ? minus(a, y) : op('sign', minus(a, y))),
  ],
};

function lossPart(u) {
  const out = valuesOf(u, u.layers.length - 1, 'h');
  const steps = u.classes ? crossEntropy(u, out) : u.loss === 'bce' ? binary(u, out[0]) : pairs(u);
  return steps.map(([title, left, right]) => ({ part: say('The loss'), title, formula: formula(left, right) }));
}

const meanStep = (u) => [
  say('The mean over the rows of the batch'),
  symbol('L'),
  over(
    series('r', 'B', u.B, (sub, r) => symbol('ℓ', u.outcome.terms[r], sub)),
    symbol('B', u.B),
  ),
];

/** p_k = e^(z_k) / Σ e^(z_c); of large logits the largest is taken off first. */
function shareOf(name, z, k, named = 'p') {
  const most = Math.max(...z);
  const far = most - Math.min(...z) > LARGE || z.some((v) => Math.abs(v) > LARGE);
  const e = (sub, c) =>
    op('exp', far ? minus(symbol(name, z[c], sub), symbol('z', most, 'max')) : symbol(name, z[c], sub));
  return [symbol(named, 0, k), over(e(String(k), k), series('k', '', z.length, e))];
}

function crossEntropy(u, out) {
  const own = u.y[u.row];
  const k = u.layer === u.layers.length - 1 ? u.i : own;
  const steps = [];
  let z = [...out];
  let name = 'z';
  if (u.softmaxFirst) {
    steps.push([
      say('Softmax, as a layer of the network: not needed, and what the loss does anyway'),
      ...shareOf('z', z, own, 'q'),
    ]);
    z = softmax(z);
    name = 'q';
  }
  const p = softmax(z);
  const own_p = Math.exp(logSoftmax(z)[own]);
  const log_p = own_p > 0 ? op('ln', symbol('p', own_p, own)) : symbol('ln p', logSoftmax(z)[own], own);
  steps.push(
    [say('Softmax: the logit of class {k} as a probability', { k: own }), ...shareOf(name, z, own)],
    [say('Cross-entropy of the row: −ln of what its own class got'), symbol('ℓ'), op('neg', log_p)],
    meanStep(u),
  );
  const less = over(minus(symbol('p', p[k], k), symbol('t', +(k === own), k)), symbol('B', u.B));
  if (!u.softmaxFirst)
    return [...steps, [say('Its slope at logit {k}: what it got less what it should', { k }), symbol('δ', 0, k), less]];
  const d = p.map((v, c) => (v - Number(c === own)) / u.B);
  const through = series('k', '', z.length, (sub, c) => times(symbol('d', d[c], sub), symbol('q', z[c], sub)));
  return [
    ...steps,
    [say("The slope at q, softmax's output"), symbol('d', 0, k), less],
    [
      say('Back through the first softmax: q is small or near 1, and little comes through'),
      symbol('δ', 0, k),
      times(symbol('q', z[k], k), minus(symbol('d', d[k], k), through)),
    ],
  ];
}

function binary(u, output) {
  const z = symbol('z', output);
  const y = symbol('y', u.y[u.row]);
  const chance = op('σ', z);
  const p = symbol('p', value(chance));
  const steps = [[say('The logit as the probability of class 1'), symbol('p'), chance]];
  if (p.number > 0 && p.number < 1)
    steps.push([
      say("The row's loss: −ln of what its own class got"),
      symbol('ℓ'),
      op('neg', plus(times(y, op('ln', p)), times(minus(1, y), op('ln', minus(1, p))))),
    ]);
  const stable = plus(minus(op('ReLU', z), times(z, y)), op('ln', plus(1, op('exp', op('neg', op('abs', z))))));
  return [
    ...steps,
    [say('The same without ever rounding p to 0 or 1, as torch computes it'), symbol('ℓ'), stable],
    meanStep(u),
    [say('Its slope at the logit: what it got less what it should'), symbol('δ'), over(minus(p, y), symbol('B', u.B))],
  ];
}

function pairs(u) {
  const out = u.passes.at(-1).h;
  const [about, slopeAbout, term, slope] = TERMS[u.loss];
  const n = symbol('n', u.B);
  const pair = (sub, k) => [symbol('ŷ', out[k], sub), symbol('y', u.y[k], sub)];
  const own = String(u.row + 1);
  return [
    [say('One pair: {what}', { what: say(about) }), symbol('ℓ', 0, own), term(...pair(own, u.row))],
    [
      say('The mean of all'),
      symbol('L'),
      times(
        over(1, n),
        series('i', 'n', u.B, (sub, k) => term(...pair(sub, k))),
      ),
    ],
    [
      say('Its slope at that prediction: {what}, shared by n', { what: say(slopeAbout) }),
      symbol('∂L/∂ŷ', 0, own),
      over(slope(...pair(own, u.row)), n),
    ],
  ];
}

function backwardPart(u) {
  const part = say('Back to the weight');
  const { d, a } = u.passes[u.layer];
  const { H, D } = u.layers[u.layer];
  const steps = [];
  for (let l = u.layers.length - 2; l >= u.layer; l--) steps.push(delta(u, l));
  const share = (sub, r) => {
    const back = symbol('δ', d[r * H + u.i], `${u.i},${sub}`, mark(u.layer));
    return u.j === null ? back : times(back, input(u.layer, `${u.j},${sub}`, a[r * D + u.j]));
  };
  const all = {
    title: say('All rows together: the gradient of the weight'),
    formula: formula(symbol('g'), series('r', 'B', u.B, share)),
  };
  if (u.j !== null) {
    const order = [...u.shares.keys()]
      .sort((p, q) => Math.abs(u.shares[q]) - Math.abs(u.shares[p]))
      .slice(0, SHOWN_ROWS);
    all.text = say('The rows with the largest shares first.');
    all.table = {
      headings: [say('row'), 'δ', say('input'), say('δ · input')],
      rows: order.map((r) => [sourceRow(u, r), d[r * H + u.i], a[r * D + u.j], u.shares[r]]),
      more: u.B - order.length,
    };
  }
  return [...steps, all].map((step) => ({ part, ...step }));
}

function delta(u, l) {
  const { act } = u.layers[l];
  const { mask } = u.passes[l];
  const above = u.layers[l + 1];
  const d = valuesOf(u, l + 1, 'd');
  const unit = u.units[l];
  let right = series('k', '', above.H, (sub, k) =>
    times(symbol('W', above.W[k * above.D + unit], `${sub},${unit}`, mark(l + 1)), symbol('δ', d[k], sub, mark(l + 1))),
  );
  if (mask) right = times(symbol('mask', mask[u.row * sizeOf(u, l) + unit]), right);
  if (act !== 'identity') right = times(derivative(act, symbol('z', valuesOf(u, l, 'z')[unit], unit, mark(l))), right);
  return {
    title: say('Layer {layer}, unit {unit}: what comes back to it, row {row}', {
      layer: l,
      unit,
      row: sourceRow(u, u.row),
    }),
    formula: formula(symbol('δ', 0, unit, mark(l)), right),
  };
}

// ---- the update

/** → its steps and the new weight. gradient: of this batch; a wrong one shows how much its last digits matter. */
function updatePart(u, gradient) {
  const { hp, settings, before, at } = u;
  const steps = [];
  const add = (title, left, right) => {
    steps.push({ title, formula: formula(left, right) });
    return value(right);
  };
  const eta = symbol('η', hp.lr);
  const decay = symbol('λ', hp.weight_decay);
  const clip = hp.clip ?? Infinity;
  const decoupled = settings.optimizer === 'adamw';
  let g = gradient;
  let w = u.weight;
  let primes = Number.isFinite(clip) ? '′' : '';
  let prime = '';
  if (u.old)
    g = add(
      say('missing_zero_grad, on purpose: the gradients of all past updates are still there'),
      symbol('g'),
      plus(symbol('g', u.old[at], '1…t−1'), symbol('g', g, 't')),
    );
  if (Number.isFinite(clip)) {
    const flat = wholeGradient(u);
    const squares = op(
      'sqrt',
      series('i', 'n', flat.length, (sub, k) => op('^', symbol('g', flat[k], sub), 2)),
    );
    const norm = add(
      say('The length of the whole gradient, over all {n:,} parameters', { n: whole(flat.length) }),
      symbol('‖g‖'),
      squares,
    );
    const share = op('min', 1, over(symbol('clip', clip), plus(symbol('‖g‖', norm), 1e-6)));
    g = add(
      say('Clipping: a longer one is scaled down, its direction stays'),
      symbol('g', 0, '', '′'),
      times(share, symbol('g', g)),
    );
  }
  if (hp.weight_decay && decoupled) {
    w = add(
      say('Decoupled decay: the weight shrinks by itself'),
      symbol('w', 0, 't', '′'),
      times(symbol('w', w, 't'), minus(1, times(eta, decay))),
    );
    prime = '′';
  } else if (hp.weight_decay) {
    g = add(
      say('L2 decay: λ times the weight goes into the gradient'),
      symbol('g', 0, 't', `${primes}′`),
      plus(symbol('g', g, 't', primes), times(decay, symbol('w', w, 't'))),
    );
    primes += '′';
  }
  const weight = symbol('w', w, 't', prime);
  const slope = symbol('g', g, 't', primes);
  const becomes = (right) => add(say('The new weight'), symbol('w', 0, 't+1'), right);
  if (settings.optimizer === 'sgd') {
    if (!hp.momentum) return { weight: becomes(minus(weight, times(eta, slope))), steps };
    const v = add(
      say('The velocity: the old one, slowed down, and the new gradient'),
      symbol('v', 0, 't'),
      plus(times(symbol('μ', hp.momentum), symbol('v', before.moments[0][at], 't−1')), slope),
    );
    if (!settings.nesterov) return { weight: becomes(minus(weight, times(eta, symbol('v', v, 't')))), steps };
    const ahead = add(
      say('Nesterov: one slowed-down velocity further'),
      symbol('d', 0, 't'),
      plus(slope, times(symbol('μ', hp.momentum), symbol('v', v, 't'))),
    );
    return { weight: becomes(minus(weight, times(eta, symbol('d', ahead, 't')))), steps };
  }
  const b1 = symbol('β', hp.beta1, '1');
  const b2 = symbol('β', hp.beta2, '2');
  const t = symbol('t', before.optimizerStep + 1);
  const [m0, v0] = before.moments;
  const m = add(
    say('The running mean of the gradient'),
    symbol('m', 0, 't'),
    plus(times(b1, symbol('m', m0[at], 't−1')), times(minus(1, b1), slope)),
  );
  const v = add(
    say('The running mean of its square: the gradient squared, no second derivative'),
    symbol('v', 0, 't'),
    plus(times(b2, symbol('v', v0[at], 't−1')), times(minus(1, b2), op('^', slope, 2))),
  );
  const m1 = add(
    say('Both began at 0, so the first ones are too small; dividing corrects it'),
    symbol('m', 0, 't', '', true),
    over(symbol('m', m, 't'), minus(1, op('^', b1, t))),
  );
  const v1 = add(
    say('The same for the square. The corrected values are used once and not kept'),
    symbol('v', 0, 't', '', true),
    over(symbol('v', v, 't'), minus(1, op('^', b2, t))),
  );
  const step = over(
    times(eta, symbol('m', m1, 't', '', true)),
    plus(op('sqrt', symbol('v', v1, 't', '', true)), symbol('ε', hp.eps)),
  );
  return { weight: becomes(minus(weight, step)), steps };
}

function besidePart(u) {
  const part = say('Beside it: Adam with the same decay as an L2 penalty');
  const { steps } = updatePart({ ...u, settings: { ...u.settings, optimizer: 'adam' } }, u.gradient);
  const about = say('The same gradient, state and decay {decay:g}; here λ times the weight goes through Adam.', {
    decay: localised(general(u.hp.weight_decay)),
  });
  return [{ part, title: say('What would differ'), text: about }, ...steps.map((step) => ({ part, ...step }))];
}

/** All parameters' gradients in torch's order, W and b of each layer, with those that were never cleared. */
function wholeGradient({ gradients, starts, old }) {
  return gradients.flatMap(({ W, b }, l) => [
    ...Array.from(W, (g, k) => g + (old ? old[starts[2 * l] + k] : 0)),
    ...Array.from(b, (g, k) => g + (old ? old[starts[2 * l + 1] + k] : 0)),
  ]);
}

// ---- checks

function checksOf(u, steps, weight) {
  const of = (name) =>
    value(steps.find(({ formula: f }) => f?.left.name === name && !f.left.sub && !f.left.sup).formula.right);
  const L = of('L');
  const g = of('g');
  const checks = [];
  const check = (name, ours, reference, within) =>
    checks.push({
      name,
      ours,
      reference,
      difference: ours - reference,
      within,
      holds: Math.abs(ours - reference) <= within,
    });
  if (u.noted != null) check(say('L: what the run noted, float32'), L, u.noted, 1e-5 * Math.max(1e-3, Math.abs(L)));
  const kernel = kernelGradient(u);
  const sum = u.shares.reduce((a, v) => a + Math.abs(v), 0);
  const most = Math.max(...u.gradients.flatMap(({ W, b }) => [...W, ...b]).map(Math.abs));
  check(say('g: the kernel lanes, float32'), g, kernel[u.at], 2e-5 * (sum + most));
  const difference = centralDifference(u);
  if (difference) check(say('g: central finite difference'), g, ...difference);
  if (u.after) {
    const l = u.layer;
    const ours = u.j === null ? u.gradients[l].b : u.gradients[l].W;
    const start = u.starts[2 * l + Number(u.j === null)];
    const old = u.old ? Math.max(...ours.map((_, k) => Math.abs(u.old[start + k]))) : 0;
    const wrong =
      8 * Math.max(...ours.map((v, k) => Math.abs(kernel[start + k] - v))) +
      4 * EPS32 * (Math.max(...ours.map(Math.abs)) + old);
    const matters = Math.max(...[-wrong, wrong].map((by) => Math.abs(updatePart(u, u.gradient + by).weight - weight)));
    const moved = Math.abs(weight - u.weight);
    check(
      say("w: the run's own weight after this update, float32"),
      weight,
      u.after[u.at],
      4 * EPS32 * Math.max(Math.abs(weight), Math.abs(u.weight), moved) + 1e-5 * moved + matters,
    );
  }
  return checks;
}

/** The batch's gradient by the kernel: a step of 0 by a trainer that keeps what it adds up. */
function kernelGradient({ lanes, settings, loss, hp, sizes, before, x, y, B, step, softmaxFirst }) {
  const one = new Population(lanes, {
    sizes,
    activation: settings.activation,
    loss,
    optimizer: 'sgd',
    batch: B,
    dropout: hp.dropout > 0,
    summed: true,
    softmaxFirst,
  });
  one.row(0).set(before.params);
  one.set('lr', 0);
  one.set('dropout', hp.dropout);
  one.setSeed(settings.seed, 0);
  one.setRows(Float32Array.from(x), y);
  one.step = step;
  one.train(1);
  const gradient = one.row(0, 'grads').slice();
  one.close();
  return gradient;
}

/** (L(w + h) − L(w − h)) / 2h and how far it may be off; null where a number is at a kink. */
function centralDifference(u) {
  const passesAt = (by) => {
    const layers = [...u.layers];
    const layer = { ...u.layers[u.layer] };
    layers[u.layer] = layer;
    const name = u.j === null ? 'b' : 'W';
    layer[name] = layer[name].slice();
    layer[name][u.j === null ? u.i : u.i * layer.D + u.j] += by;
    return forward(layers, u.x, u.B, u.masks);
  };
  const slope = (h) => {
    const [up, down] = [h, -h].map((by) => batchLoss(u.loss, passesAt(by).at(-1).h, u.y, u.B, u.softmaxFirst).loss);
    return (up - down) / (2 * h);
  };
  const sides = (by) => {
    const passes = passesAt(by);
    const found = passes.flatMap(({ z }, l) =>
      (ACTIVATIONS[u.layers[l].act].kinks ?? []).flatMap((kink) => Array.from(z, (v) => Math.sign(v - kink))),
    );
    const errors = passes.at(-1).h.map((v, k) => v - u.y[k]);
    return [
      ...found,
      ...(PAIRS[u.loss]?.kinks ?? []).flatMap((kink) => Array.from(errors, (e) => Math.sign(e - kink))),
    ].join();
  };
  const scale = Math.max(1, Math.abs(u.weight));
  for (const h of [1e-5, 1e-6, 1e-7].map((v) => v * scale)) {
    if (new Set([-2 * h, -h, 0, h, 2 * h].map(sides)).size > 1) continue;
    const near = slope(h);
    const far = slope(2 * h);
    return [
      near,
      1e-6 * Math.abs(near) + (200 * EPS64 * Math.max(1, Math.abs(u.outcome.loss))) / h + 2 * Math.abs(near - far),
    ];
  }
  return null;
}

function documented({ part, title, formula: f, text: about = '', table }) {
  return {
    part,
    title,
    symbols: f ? `${text(f.left)} = ${text(f.right)}` : '',
    numbers: f ? text(f.right, true) : '',
    value: f ? value(f.right) : null,
    text: about,
    wrong: false,
    ...(table && { table }),
  };
}
