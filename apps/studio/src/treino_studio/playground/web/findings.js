/**
 * What is found wrong in a run on its curves: the doctor's rules that can hold here (treino_doctor/rules), judged by
 * the same figures (training/run_log.py). Where the loss is bad, the first steps are trained again, apart from the run.
 */

import { whole } from '../../page/modules/numbers.js';
import { localised } from '../../page/modules/words.js';
import { ACTIVATIONS, backward, batchLoss, forward, layersOf } from './arithmetic.js';
import { KERNEL } from './lanes.js';
import { bestConstant, HOPELESS, winner } from './metrics.js';
import { general, percent, say } from './sentences.js';
import { batchSize, FAULTS, faulty, lossOf } from './training.js';

const LEAST = 12; // steps that a rule can judge, at least
const WATCHED = 48; // first steps that are looked at
const SETTLED = 500; // steps after which the loss is judged, whatever an epoch
const AFTER = 64; // steps that a script would go on with NaN, where a run ends
const NEWEST = 24;
const BATCHES = 5;
const MOST_ROWS = 2000;
const EVEN = 1e-3;
const USUAL_LR = 0.003;
const RISEN = 0.25; // of the best constant's loss, by which the validation loss rises where a network overfits
const FALLEN = 0.5;
const NEWEST_VALIDATIONS = 3;
const LEAST_VALIDATIONS = 6;
const DROPOUT = 0.3; // with as much, no more is advised
const NEVER_LEARNS = ['missing_zero_grad'];

const watched = new WeakMap();

/** → [{rule, severity, certain, message, why, fix, step}] of a run as it is now, in the reader's language. */
export function findings(run) {
  if (!watched.has(run)) watched.set(run, new Watch(run));
  return watched.get(run).look();
}

/** What was measured of a run, and the step at which each finding appeared. */
class Watch {
  constructor(run) {
    this.run = run;
    this.seen = new Map();
    this.begin = null;
  }

  look() {
    const { run } = this;
    const course = courseOf(run);
    if (!run.step) return [];
    const settled = course.steps >= Math.max(WATCHED, Math.min(course.perEpoch, SETTLED)) || run.over;
    const facts = { ...course, ...(settled && worthMeasuring(course) ? this.#measured(course) : UNMEASURED) };
    const held = RULES.filter(({ early }) => early || settled)
      .map((rule) => ({ rule, numbers: rule.decide(facts) }))
      .filter(({ numbers }) => numbers);
    const names = held.map(({ rule: { rule } }) => rule);
    const order = ['wrong', 'risk', 'waste'];
    const told = held
      .filter(({ rule: { unless } }) => !unless.some((rule) => names.includes(rule)))
      .map(({ rule, numbers }) => document(rule, numbers, facts));
    told.sort((a, b) => Number(b.certain) - Number(a.certain) || order.indexOf(a.severity) - order.indexOf(b.severity));
    const documents = [...told, ...overfitting(facts), ...(settled ? divergence(facts) : [])];
    this.seen = new Map(
      documents.map(({ rule, step = run.step }) => [
        rule,
        Math.min(step, this.seen.get(rule) <= run.step ? this.seen.get(rule) : step),
      ]),
    );
    return documents.map((each) => ({ ...each, step: this.seen.get(each.rule) }));
  }

  #measured(course) {
    const key = [course.segment.number, course.first].join();
    const steps = Math.min(WATCHED, Math.max(8, Math.floor(course.steps / 20)), course.steps);
    if (this.begin?.key !== key || this.begin.ratios.length < steps) this.begin = { key, ...firstSteps(course, steps) };
    return measures(course, this.begin);
  }
}

// ---- the course: the newest part of the training, since its settings last changed

function courseOf(run) {
  const { segment, first: begun } = run.path.at(-1);
  const { step, prepared, losses } = run;
  const moment = run.at(step);
  const {
    settings,
    loop: { net },
  } = moment;
  const first = Math.max(begun, ...segment.sets.map((set) => set.step).filter((at) => step - at >= LEAST));
  const tail = run.status === 'diverged' ? endOf(run) : [];
  const steps = step - first + tail.length;
  const diverged = run.status === 'diverged';
  const mean = (from, to) => {
    // over steps of the course, the tail among them
    const known = Math.min(to, step - first);
    const more = tail.slice(Math.max(0, from - known), Math.max(0, to - known)).reduce((a, b) => a + b, 0);
    return ((from < known ? losses.mean(first + from, first + known) * (known - from) : 0) + more) / (to - from);
  };
  const eighth = Math.max(1, Math.min(8, Math.floor(steps / 4)));
  const quarter = Math.max(1, Math.floor(steps / 4));
  const constant = bestConstant(prepared, settings);
  const values = lossesOf(losses, first);
  const course = {
    run,
    segment,
    settings,
    prepared,
    first,
    steps,
    diverged,
    tail,
    params: net.row(0).slice(),
    net,
    constant,
    mean,
    perEpoch: segment.plan.each,
    quarter,
    taken: steps + (diverged ? AFTER : 0), // by the optimizer, of a script
    firstLoss: mean(0, eighth),
    lastLoss: mean(steps - Math.max(1, Math.min(64, Math.floor(steps / 4))), steps),
    highest: Math.max(values.most, ...tail.filter(Number.isFinite)),
    loss: lossOf(prepared, settings),
  };
  course.floor = constant > 0 ? constant : Math.min(...[0, 1, 2].filter((s) => s < steps).map((s) => mean(s, s + 1)));
  course.stuck = (share) => steps >= LEAST && course.floor > 0 && !(course.lastLoss < share * course.floor);
  course.exploded =
    tail.length > 0 &&
    !Number.isFinite(tail.at(-1)) &&
    Math.max(values.later, ...tail.filter(Number.isFinite), 0) > 10 * Math.abs(values.start);
  course.faultySteps = step - faultyFrom(run);
  return course;
}

/** Of the recorded losses from a step on: the first, the largest of all, the largest of those after the first. */
function lossesOf({ mean_P: means, width, points }, first) {
  const from = Math.ceil(first / width);
  let most = -Infinity;
  let later = 0;
  for (let p = from; p < points; p++) {
    if (means[p] > most) most = means[p];
    if (p > from && Math.abs(means[p]) > later) later = Math.abs(means[p]);
  }
  return { start: means[from], most, later };
}

/**
 * A run that diverged goes no further than its last finite weights: the losses after them, up to the first that is no
 * number.
 */
function endOf(run) {
  const { loop } = run;
  const {
    net,
    segment: { plan },
  } = loop;
  const state = loop.save();
  const found = [];
  while (found.length < AFTER && (found.length ? Number.isFinite(found.at(-1)) : true))
    found.push(net.train(1, plan.batchOf, plan.factorOf)[0]);
  loop.load(state);
  return Number.isFinite(found.at(-1)) ? [] : found;
}

function faultyFrom({ path }) {
  const key = ({ segment: { settings } }) => FAULTS.map((fault) => faulty(settings, fault)).join();
  const last = path.findLastIndex((link) => key(link) !== key(path.at(-1)));
  return last < 0 ? 0 : path[last + 1].first;
}

/** The weights of each layer, of a convolution its filters. */
const weightsIn = (course, row) => [
  ...course.net.convolutions.map(({ inputs, outputs }, l) =>
    Float64Array.from(row.subarray(course.net.filters[l][0]).subarray(0, KERNEL ** 2 * inputs * outputs)),
  ),
  ...layersIn(course, row).map(({ W }) => W),
];
const layersIn = ({ net, settings }, row) =>
  layersOf(row, { sizes: net.sizes, starts: net.starts, activation: settings.activation });
const length = (...lists) => Math.sqrt(lists.reduce((sum, list) => sum + list.reduce((all, v) => all + v * v, 0), 0));
const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};
const finite = (list) => list.every(Number.isFinite);
const alike = ({ W, H, D }) => {
  const most = W.reduce((largest, w) => Math.max(largest, Math.abs(w)), 1e-30);
  return H > 1 && W.every((w, at) => Math.abs(w - W[at % D]) <= EVEN * most);
};

// ---- measurements of a course with a bad loss

const UNMEASURED = { ratios: [], norms: [], decays: [], movement: NaN, clips: [], depths: [], dying: [], alike: null };

function worthMeasuring(course) {
  const { steps, mean, quarter, constant } = course;
  const first = mean(0, quarter);
  const last = mean(steps - Math.min(64, quarter), steps);
  return !(last < 0.7 * constant && last <= 0.9 * first) || layersIn(course, course.params).some(alike);
}

/** The first steps once more: the weights before them, and how much each update moves them. */
function firstSteps(course, steps) {
  const { run, first } = course;
  const { loop } = run.at(first, true);
  const row = () => loop.net.row(0).slice();
  const weights = (params) => weightsIn(course, params);
  const start = row();
  const ratios = [];
  const norms = [];
  let before = weights(start);
  for (let s = 0; s < steps; s++) {
    loop.advance(loop.step + 1);
    const now = weights(row());
    if (!now.every(finite)) break;
    const size = length(...before);
    const moved = length(...now.map((W, l) => W.map((w, k) => w - before[l][k])));
    if (size > 0) {
      ratios.push(moved / size);
      norms.push(size);
    }
    before = now;
  }
  return { start, after: before, ratios, norms, looks: loop.step - first };
}

function measures(course, { start, after, ratios, norms, looks }) {
  const { settings, prepared, params, steps, loss, net } = course;
  const begin = layersIn(course, start);
  const end = layersIn(course, params);
  const [{ x, y, rows }] = prepared.parts;
  const found = {
    ...UNMEASURED,
    ratios,
    norms: [...norms],
    decays: [],
    clips: [],
    depths: [],
    dying: [],
    start: begin,
  };
  const [first, last] = [start, params].map((row) => weightsIn(course, row));
  const sizes = [length(...first), length(...last)];
  if (last.every(finite) && sizes[0] > 0) {
    found.movement = length(...last.map((W, l) => W.map((w, k) => w - first[l][k]))) / sizes[0];
    found.norms = [...norms.slice(0, Math.min(steps, WATCHED) - 1), sizes[1]];
  }
  found.alike = end.find((layer, l) => alike(layer) && alike({ ...layer, W: after[l + net.convolutions.length] }))
    ? {
        layers: end.filter((layer, l) => alike(layer) && alike({ ...layer, W: after[l + net.convolutions.length] })),
        of: end.filter(({ H }) => H > 1).length,
        looks,
      }
    : null;
  if (net.convolutions.length) return found; // what follows is worked by hand, for chains of layers
  found.dying = dyingLayers(course, end);
  const batch = Math.min(MOST_ROWS, batchSize(prepared, settings));
  const D = prepared.features.length;
  for (const layers of [begin, end])
    for (let part = 0; part < BATCHES; part++) {
      const taken = Array.from({ length: batch }, (_, r) => (part * batch + r) % rows.length);
      const input = new Float64Array(batch * D);
      taken.forEach((row, r) => input.set(x.subarray(row * D, (row + 1) * D), r * D));
      const passes = forward(layers, input, batch);
      const { slope } = batchLoss(
        loss,
        passes.at(-1).h,
        taken.map((row) => y[row]),
        batch,
        faulty(settings, FAULTS[1]),
      );
      const gradients = backward(layers, passes, slope, batch);
      const norm = length(...gradients.flatMap(({ W, b }) => [W, b]));
      if (!Number.isFinite(norm) || norm === 0) continue;
      found.decays.push((settings.weight_decay * length(...layers.map(({ W }) => W))) / norm);
      if (settings.clip) found.clips.push(Math.min(1, settings.clip / norm));
      const [ours, last] = [gradients[0], gradients.at(-1)].map(({ W }) =>
        Math.sqrt(W.reduce((sum, g) => sum + g * g, 0) / W.length),
      );
      if (last > 0) found.depths.push(ours / last);
    }
  return found;
}

/**
 * Of each layer of an activation that is 0 below 0: its units that are 0 for all rows, and whether all rows get the
 * same.
 */
function dyingLayers({ settings, prepared }, layers) {
  if (!ACTIVATIONS[settings.activation].dies) return [];
  const D = prepared.features.length;
  const x = prepared.parts[0].x.subarray(0, MOST_ROWS * D);
  const B = x.length / D;
  return forward(layers, x, B)
    .slice(0, -1)
    .map(({ h }, l) => {
      const { H } = layers[l];
      const alive = new Set();
      h.forEach((v, at) => {
        if (v > 0) alive.add(at % H);
      });
      return { units: H, dead: H - alive.size, constant: h.every((v, at) => v === h[at % H]) };
    })
    .reverse();
}

// ---- the rules

const by = (...names) => [...NEVER_LEARNS, ...names];
const largest = ({ ratios }) => (ratios.length ? Math.max(...ratios) : NaN);
const heldDown = (f) =>
  f.settings.weight_decay > 0 && median(f.decays.length ? f.decays : [0]) > 0.5 && shrunk(f) < 0.75 && f.stuck(0.5);
const shrunk = ({ norms }) => {
  const sizes = norms.filter((v) => v > 0);
  return sizes.length ? sizes.at(-1) / sizes[0] : 1;
};

/** decide(facts) → the numbers of its sentences, or null; in the order of the doctor's groups. */
/**
 * decide(facts): the numbers in its sentences, or something false.
 *
 * @typedef {{
 *   rule: string, severity: string, certain: boolean, early?: boolean, unless: string[], decide: (facts: any) => any,
 *   message: string, why: string, fix: (settings: any, numbers: any) => any,
 * }} Rule
 *
 * @type {Rule[]}
 */
const RULES = [
  {
    rule: 'missing_zero_grad',
    severity: 'wrong',
    certain: true,
    early: true,
    unless: [],
    decide: (f) =>
      faulty(f.settings, FAULTS[0]) &&
      Math.min(f.faultySteps, WATCHED) > 2 && {
        summed: Math.min(f.faultySteps, WATCHED) - 1,
        steps: Math.min(f.faultySteps, WATCHED),
        optimizer: f.settings.optimizer,
      },
    message: '{summed} of {steps} steps looked at ({optimizer}) used the gradients of earlier steps again.',
    why: 'backward adds to .grad, and nothing cleared it after the step, so that each step follows the sum of all past gradients. The step size grows with the number of steps, and old batches never stop pulling. A second step with no backward in between follows the same gradients once more.',
    fix: () => say('Train without [[fault=missing_zero_grad]] or [[as_taught=True]].'),
  },
  {
    rule: 'non_finite_loss',
    severity: 'wrong',
    certain: true,
    early: true,
    unless: NEVER_LEARNS,
    decide: (f) => f.tail.length && { first: f.first + f.steps, operation: say('not known') },
    message: 'The loss was NaN or infinite at step {first}, and the training ended there.',
    why: 'One such step makes every weight NaN, and nothing can be learned after it. It came from: {operation}.',
    fix: ({ lr }) =>
      say('Train with a lower rate ({lr}), or bound its steps: {clip}.', { lr: `lr ${lowerRate(lr)}`, clip: 'clip 1' }),
  },
  {
    rule: 'clip_too_small',
    severity: 'wrong',
    certain: false,
    unless: [],
    decide(f) {
      const { clips, taken, movement, ratios, settings, mean, steps, quarter } = f;
      const share = clips.length && median(clips);
      if (clips.length < 10 || !(share < 0.05) || taken < 10 || (settings.optimizer !== 'sgd' && settings.clip >= 1e-6))
        return null;
      const still = movement < 0.02 || (ratios.length && median(ratios) < 1e-3);
      const stuck = mean(steps - quarter, steps) > 0.9 * mean(0, quarter);
      return still && stuck && { limit: settings.clip, share, movement };
    },
    message:
      'Gradients are clipped to {limit}, typically {share} times their size, and the weights moved by {movement} in all.',
    why: 'A clip is meant for rare outliers. This one cuts every gradient, so that the step is lr times the clip: too little to learn anything in the steps that were taken.',
    fix: () => say("Leave [[clip]] out, or raise it to the gradients' usual norm."),
  },
  {
    rule: 'vanishing_gradient',
    severity: 'wrong',
    certain: false,
    unless: by(
      'symmetric_init',
      'dead_relu',
      'unscaled_inputs',
      'lr_too_high',
      'clip_too_small',
      'weight_decay_too_high',
    ),
    decide(f) {
      if (f.depths.length < 8 || f.steps < 100) return null;
      const sorted = [...f.depths].sort((a, b) => a - b);
      const layers = f.settings.hidden.length + 1;
      const saturating = ACTIVATIONS[f.settings.activation].saturates ? layers - 1 : 0;
      const most = Math.max(sorted[Math.floor(0.7 * sorted.length)], f.depths.slice(0, 3).sort((a, b) => a - b)[1]);
      return (
        sorted.at(-1) > 0 &&
        (most < 1e-4 || (saturating >= 4 && most < 3e-3)) &&
        f.stuck(0.8) && { layers, ratio: sorted[sorted.length >> 1] }
      );
    },
    message:
      "The gradient of the first of {layers} weights is {ratio} of the last one's, and the loss stays at chance.",
    why: 'Each saturating activation or tiny weight shrinks the gradient on its way back. The first layers get nearly none and keep their random values, so that the rest learns from noise.',
    fix: () => say('Use [[activation=relu]], [[init=kaiming]], or fewer layers.'),
  },
  {
    rule: 'softmax_before_cross_entropy',
    severity: 'wrong',
    certain: true,
    early: true,
    unless: [],
    decide(f) {
      const looked = Math.min(NEWEST, f.faultySteps, f.prepared.parts[0].rows.length);
      return (
        faulty(f.settings, FAULTS[1]) &&
        f.loss === 'cross_entropy' &&
        looked > 0 && {
          kind: 'softmax',
          calls: looked,
          looked,
          classes: f.prepared.classes.length,
          floor: Math.log(1 + (f.prepared.classes.length - 1) / Math.E),
        }
      );
    },
    message: 'The input of cross_entropy is already a {kind} ({calls} of {looked} {looked:call|calls} looked at).',
    why: "cross_entropy applies log-softmax itself, so the probabilities are squashed a second time: with {classes} classes the loss can't fall below {floor}, and gradients are small. The network learns slowly and looks stuck.",
    fix: () => say('Train without [[fault=softmax_before_cross_entropy]] or [[as_taught=True]].'),
  },
  {
    rule: 'class_imbalance',
    severity: 'risk',
    certain: false,
    unless: by(
      'softmax_before_cross_entropy',
      'weight_decay_too_high',
      'lr_too_high',
      'lr_too_low',
      'clip_too_small',
      'dead_relu',
      'vanishing_gradient',
      'symmetric_init',
    ),
    decide: imbalance,
    message:
      "Class '{name}' is {share:.1%} of the rows, and the net finds {found} of {there} of them in its newest batches.",
    why: 'Saying the common class always is nearly right on average, so the loss hardly rewards finding the rare one. A high accuracy hides that it is never found.',
    fix: () => say('Weight the classes: [[class_weights=balanced]]; and look at f1_macro.'),
  },
  {
    rule: 'unscaled_inputs',
    severity: 'wrong',
    certain: false,
    unless: NEVER_LEARNS,
    decide(f) {
      if (!(f.constant > 0) || (!Number.isFinite(f.firstLoss) && f.steps === f.tail.length) || f.taken < LEAST)
        return null;
      const { most, spread, middle } = scales(f);
      const uneven = (most > 100 && spread > 50) || most > 1000;
      const hurts =
        (most > 1e4 && spread > 1e3 && f.stuck(0.5)) ||
        (uneven && f.stuck(0.8)) ||
        (most > 100 && middle > 20 && f.stuck(0.95));
      return hurts && { largest: most, spread, loss: f.lastLoss, constant: f.constant };
    },
    message:
      'Inputs reach {largest} and their columns differ {spread} times in scale; the loss ends at {loss}, a constant gets {constant}.',
    why: 'The largest column decides the output and the gradient, and the others hardly count. A rate that suits one column is wildly wrong for another.',
    fix: () => say('Bring the columns to one scale: leave [[normalise=False]] out.'),
  },
  {
    rule: 'symmetric_init',
    severity: 'wrong',
    certain: true,
    unless: [],
    decide(f) {
      const found =
        f.alike?.looks >= 3 ? [...f.alike.layers].sort((a, b) => a.W.every((w) => !w) - b.W.every((w) => !w)) : [];
      const layer = found.find(({ W }) => W.some((w) => w) || found.length >= f.alike.of);
      return layer && { units: layer.H, layer: 'Linear', when: say('also after several steps') };
    },
    message: 'All {units} units of a {layer} layer have the same weights, {when}.',
    why: 'Units with equal weights get equal gradients, so that they stay equal for ever: the layer is as good as a single unit.',
    fix: () => say('Start from random weights: leave [[init=zeros]] out.'),
  },
  {
    rule: 'dead_relu',
    severity: 'wrong',
    certain: false,
    unless: by('symmetric_init', 'unscaled_inputs', 'lr_too_high', 'weight_decay_too_high', 'non_finite_loss'),
    decide(f) {
      const layer = [...f.dying]
        .sort((a, b) => b.dead / b.units - a.dead / a.units)
        .find(
          ({ units, dead, constant }) =>
            dead >= 0.9 * units && (f.stuck(0.9) || (constant && f.lastLoss > 0.1 * f.firstLoss)),
        );
      return (
        layer && {
          what: say('{dead} of {units} units of a ReLU layer are zero for every row', layer),
          loss: f.lastLoss,
        }
      );
    },
    message: 'Zero where it should not be: {what}; the loss ends at {loss}.',
    why: "Where its input is below zero for all rows a ReLU passes neither values nor gradients, so that the unit can't recover.",
    fix: ({ lr }) =>
      say('Lower the rate ({lr}), or use {activation} or gelu.', {
        lr: `lr ${lowerRate(lr)}`,
        activation: 'activation leaky_relu',
      }),
  },
  {
    rule: 'lr_too_high',
    severity: 'wrong',
    certain: false,
    unless: by('unscaled_inputs', 'symmetric_init'),
    decide(f) {
      const step = largest(f);
      const rose = step > 1 ? 1.2 : 1.5;
      const tooLarge = step >= 0.15 && (f.exploded || (f.stuck(0.9) && f.highest > rose * f.floor));
      const known = f.constant > 0;
      const beside = say(known ? 'A constant gets {of}.' : 'It began at {of}.', {
        of: localised(general(known ? f.constant : f.mean(0, 1), 4)),
      });
      return f.taken >= LEAST && tooLarge && !heldDown(f) && { lr: f.settings.lr, step, loss: f.lastLoss, beside };
    },
    message:
      'lr {lr} moves the weights by up to {step} times their size in one step; the loss ends at {loss}. {beside}',
    why: 'Each step jumps over what the last one reached, so that the loss climbs or swings instead of falling. Units may die on the way and never come back.',
    fix: ({ lr }) => say('Train with a lower rate: {lr}.', { lr: `lr ${lowerRate(lr)}` }),
  },
  {
    rule: 'lr_too_low',
    severity: 'wrong',
    certain: false,
    unless: by(
      'vanishing_gradient',
      'symmetric_init',
      'clip_too_small',
      'weight_decay_too_high',
      'dead_relu',
      'softmax_before_cross_entropy',
    ),
    decide(f) {
      const typical = f.ratios.length ? median(f.ratios) : NaN;
      const still = f.movement > 0 && f.movement < 0.05 && typical > 0 && typical < 1e-4;
      return (
        f.taken >= 20 &&
        still &&
        f.stuck(0.7) &&
        f.lastLoss > 0.8 * f.firstLoss && { lr: f.settings.lr, movement: f.movement, steps: f.taken, loss: f.lastLoss }
      );
    },
    message:
      'With lr {lr} the weights moved by {movement} times their size in {steps} {steps:step|steps}, and the loss is still {loss}.',
    why: 'The gradients are there, but the steps are so small that the net stays at its random start. More epochs would be needed by the hundred.',
    fix: ({ lr }) => say('Train with ten times the rate, until the loss falls: {lr}.', { lr: `lr ${typed(lr * 10)}` }),
  },
  {
    rule: 'weight_decay_too_high',
    severity: 'wrong',
    certain: false,
    unless: by('lr_too_high'),
    decide: (f) =>
      f.taken >= LEAST && heldDown(f) && { weight_decay: f.settings.weight_decay, shrunk: shrunk(f), loss: f.lastLoss },
    message: 'weight_decay {weight_decay} shrank the weights to {shrunk} times their size; the loss ends at {loss}.',
    why: 'Each step pulls all weights to zero more strongly than the loss pulls them anywhere. With weights near zero the net says the same for every row.',
    fix: ({ weight_decay: decay }) =>
      say('Train with {decay} or less.', { decay: `weight_decay ${typed(decay / 100)}` }),
  },
];

/** A class is rare, and the answers on the training rows never find it. */
function imbalance({ prepared, settings, steps, stuck, constant, params, net }) {
  const {
    classes,
    parts: [{ x, y }],
  } = prepared;
  const C = classes.length;
  const rows = sampled(y);
  if (net.convolutions.length || C < 2 || C > 20 || rows.length < 100 || Math.min(NEWEST, steps, rows.length) < 20)
    return null;
  const there = new Array(C).fill(0);
  const found = new Array(C).fill(0);
  for (const row of rows) there[y[row]]++;
  if (Math.max(...there) < 0.75 * rows.length || (C === 2 && constant > 0 && !stuck(0.85))) return null;
  const D = prepared.features.length;
  const { h, C: outputs } = answers(params, net, settings, x, D);
  for (const row of rows) found[y[row]] += Number(winner(h, row, outputs) === y[row]);
  const label = [...there.keys()]
    .sort((a, b) => there[a] - there[b])
    .find((c) => there[c] > 0 && there[c] < (0.3 / C) * rows.length && there[c] >= 4 && found[c] < 0.1 * there[c]);
  return (
    label !== undefined && {
      name: classes[label],
      share: percent(there[label] / rows.length),
      found: found[label],
      there: there[label],
    }
  );
}

/** Rows evenly over the classes, at most MOST_ROWS. */
function sampled(y) {
  const order = [...y.keys()].sort((a, b) => y[a] - y[b] || a - b);
  const some = Math.min(MOST_ROWS, order.length);
  return Array.from(
    { length: some },
    (_, k) => order[Math.floor(some > 1 ? (k * (order.length - 1)) / (some - 1) : 0)],
  );
}

function answers(params, { sizes, starts }, { activation }, x, D) {
  return { h: forward(layersOf(params, { sizes, starts, activation }), x, x.length / D).at(-1).h, C: sizes.at(-1) };
}

/** Of the inputs: the largest number, how far their deviations are apart, and the one in the middle. */
function scales({
  prepared: {
    features: { length: D },
    parts: [{ x }],
  },
}) {
  const rows = Math.min(MOST_ROWS, x.length / D);
  const deviations = Array.from({ length: D }, (_, j) => {
    const column = Array.from({ length: rows }, (_r, r) => x[r * D + j]);
    const mean = column.reduce((a, b) => a + b) / rows;
    return Math.sqrt(column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / rows);
  }).filter((v) => v > 0);
  const moving = deviations.length ? deviations : [1];
  return {
    most: x.reduce((most, v) => Math.max(most, Math.abs(v)), 0),
    spread: Math.max(...moving) / Math.min(...moving),
    middle: median(moving),
  };
}

/** If the validation loss has risen far since its lowest, while the training loss has halved. */
function overfitting({ run, first, constant, settings }) {
  const epochs = run.epochs.filter(({ step, validation }) => step > first && Number.isFinite(validation?.loss));
  const losses = epochs.map(({ validation }) => validation.loss);
  const best = losses.indexOf(Math.min(...losses));
  const last = losses.at(-1);
  const risen = Math.min(last, median(losses.slice(-NEWEST_VALIDATIONS))) - losses[best];
  if (losses.length < LEAST_VALIDATIONS || !(constant > 0) || risen <= RISEN * constant) return [];
  const [before, now] = [epochs[best], run.epochs.at(-1)].map(({ train }) => train.loss);
  if (!(now < FALLEN * before)) return [];
  const numbers = Object.entries({ best: losses[best], last, before, now });
  const texts = Object.fromEntries(numbers.map(([name, value]) => [name, localised(general(value, 4))]));
  const kept = settings.keep !== 'last';
  const advice = [
    !kept && say('Keep the best epoch: [[keep=best]].'),
    !settings.patience && say('Stop earlier, with [[patience=20]].'),
    say('More rows or fewer units leave less to learn by heart.'),
    (settings.dropout ?? 0) < DROPOUT && say('So does [[dropout=0.3]].'),
  ];
  return [
    {
      rule: 'overfitting',
      severity: 'risk',
      certain: false,
      message: say(
        'The validation loss was lowest at epoch {epoch:,}: {best}. At epoch {end:,} it is {last}, while the training loss fell from {before} to {now}.',
        { epoch: whole(epochs[best].epoch), end: whole(epochs.at(-1).epoch), ...texts },
      ),
      why: kept
        ? say(
            'The later epochs learnt the training rows by heart. The run keeps the weights of its best epoch, and these answer.',
          )
        : say('The network learns its training rows by heart, and answers other rows worse and worse.'),
      fix: advice.filter(Boolean).join(' '),
    },
  ];
}

/** If the training, ended now, would count as diverged. */
function divergence({ run: { epochs }, constant, settings: { lr } }) {
  const threshold = constant > 1e-12 ? HOPELESS * constant : Infinity;
  const good = epochs.findLastIndex(({ train: { loss } }) => loss !== null && loss <= threshold);
  if (good === epochs.length - 1) return [];
  return [
    {
      rule: 'diverged',
      severity: 'wrong',
      certain: true,
      step: epochs[good + 1].step,
      message: say("The last epoch's mean loss is {loss}, more than {factor} times what the best constant gets.", {
        loss: localised(general(epochs.at(-1).train.loss ?? NaN, 4)),
        factor: HOPELESS,
      }),
      why: say('A training that ends so counts as diverged.'),
      fix: say('Train with a lower rate: {lr}.', { lr: `lr ${lowerRate(lr)}` }),
    },
  ];
}

// ---- sentences

function document({ rule, severity, certain, message, why, fix }, numbers, { settings }) {
  const counts = ['summed', 'steps', 'calls', 'looked', 'layers', 'units', 'found', 'there', 'first'];
  const texts = Object.fromEntries(
    Object.entries(numbers).map(([name, v]) => [
      name,
      typeof v !== 'number' || counts.includes(name) ? v : localised(general(v, 4)),
    ]),
  );
  return { rule, severity, certain, message: say(message, texts), why: say(why, texts), fix: fix(settings) };
}

/** A number of three digits as Python types it: 0.003, 1e-05, 3.0. */
function typed(number) {
  const text = general(number, 3);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const lowerRate = (lr) => typed(lr <= 100 * USUAL_LR ? lr / 10 : USUAL_LR);
