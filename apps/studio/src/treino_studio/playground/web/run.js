/**
 * One run: a network in training, its segments, and every step of its past.
 *
 * A run, which the server and its tools (fan.js, microscope.js, findings.js, saving.js) read:
 *
 *   lanes, name, problem, prepared (problems.js)
 *   status         'running', 'finished' or 'diverged'; metrics: {train, validation, test} of the kept weights, once it
 *                  is over; lost: it ended because the next update has a loss or weights that aren't finite
 *   step, loop     updates done; the TrainingLoop that is there (loop.net is the Population)
 *   segments       all of them: {number, origin: [segment, step] | null, settings, changes, text, plan, sets,
 *                  optimizerFrom} settings: all of `treino train` at its first step, beta1 and beta2 for betas;
 *                  changes: from the one before; sets: [{step, name, value}] changed while it trains, from the update
 *                  after `step` on; plan: see steps.js; optimizerFrom: the step at which the optimizer's moments were 0
 *   path           [{segment, first, stop}]: the steps from `first` updates on, to `stop` (null: the last), of the
 *                  newest segment
 *   losses         history.js: .length, .mean(from, to), .curve(most)
 *   epochs         [{epoch, step, train: {loss}, validation: {loss, accuracy | rmse} | {}}]
 *   marks, replay  [{segment, step, text}]; [[step, verb, fields]], what makes the path again
 *   view           {step (null: the newest), axes, unit}, as `look` has it
 *
 *   at(step)       → {segment, step, settings (in force for the next update), loop, loss}: the run after so many
 *                  updates. loop.net has the weights, loop.segment.plan the batches; both are good until the next at().
 *                  Leave the loop as it is (loop.save() and loop.load(state) bring it back).
 *   inView()       the same of the step in view; settingsAt(step): only those
 *   future(moment, changes, copies = 1)
 *                  → a TrainingLoop of a new segment with these changes from that moment on, which nothing else knows:
 *                  set each copy's numbers by .set(name, value, copy), .advance(stop), read .net, and .close() it.
 *   ways, history, go(segment, step)   what rewinds have left; all its stretches; coming back to one
 *   rewind(step, changes)   the next segment, from a step on (what `adopt` as segment does); one from step 0 begins
 *                           anew
 */

import { asRead, carryOver, unread } from './growth.js';
import { Keyframes, Losses, Records } from './history.js';
import { bestConstant, HOPELESS, measure } from './metrics.js';
import { planOf } from './steps.js';
import { isScheduled, lossOf, stepsPerEpoch } from './training.js';
import { finite, TrainingLoop } from './training_loop.js';

const WAYS = 8; // that were left and can be come back to, at most

export const SPLITS = ['train', 'validation', 'test'];

/** What settings are where nobody says: those of `treino train` on a table, but for the length. */
const DEFAULTS = {
  channels: [],
  hidden: [64, 32],
  activation: 'relu',
  loss: null,
  optimizer: 'adam',
  lr: 3e-3,
  weight_decay: 0,
  momentum: 0,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  clip: null,
  dropout: 0,
  batch_size: 32,
  schedule: 'constant',
  steps: 100000,
  fault: [],
  seed: 0,
  data_seed: null,
};

export class Run {
  /** settings: those that are not as usual. */
  constructor(lanes, { name, problem, prepared, settings = {} }) {
    const all = { ...DEFAULTS, ...settings };
    all.loss = lossOf(prepared, { loss: all.loss ?? undefined });
    all.channels ??= [];
    all.data_seed ??= problem.data_seed ?? null; // null: the seed is that of the order, too
    const axes =
      prepared.task === 'classification' && problem.axes?.every((column) => prepared.columns.includes(column))
        ? problem.axes
        : null;
    const plan = planOf(lanes, prepared, all, { orderSeed: all.data_seed ?? all.seed });
    const first = {
      number: 0,
      origin: null,
      settings: asRead(all),
      changes: {},
      text: '',
      plan,
      sets: [],
      optimizerFrom: 0,
    };
    this.lanes = lanes;
    this.name = name;
    this.problem = problem;
    this.prepared = prepared;
    this.status = 'running';
    this.metrics = null;
    this.kept = null;
    this.lost = false;
    this.segments = [first];
    this.path = [{ segment: first, first: 0, stop: null }];
    this.losses = new Losses();
    this.records = new Records();
    this.keyframes = new Keyframes();
    this.replay = [];
    this.parent = null; // {run, step}, of a branch
    this.view = { step: null, axes, unit: null };
    this.played = null;
    this.ways = [];
    this.loop = new TrainingLoop(lanes, prepared, first);
    this.keyframes.add(0, this.loop.save(), true);
  }

  get step() {
    return this.loop.step;
  }
  get segment() {
    return this.path.at(-1).segment;
  }
  get epochs() {
    return this.records.epochs;
  }
  get over() {
    return this.status !== 'running';
  }
  get stepInView() {
    return this.view.step === null ? this.step : Math.min(this.view.step, this.step);
  }
  /** Changes of settings along the path; those of one step together. */
  get marks() {
    return this.#changes()
      .map(({ segment, step, changes }) => ({ segment: segment.number, step, text: textOf(changes, segment.settings) }))
      .filter(({ text }) => text);
  }

  #changes(path = this.path) {
    const at = new Map();
    const add = (segment, step, changes) =>
      at.set(step, { segment, step, changes: { ...at.get(step)?.changes, ...changes } });
    for (const { segment, first, stop } of path) {
      if (segment.origin) add(segment, first, this.#begins(segment));
      for (const { step, name, value } of segment.sets)
        if (step >= first && (stop === null || step <= stop)) add(segment, step, { [name]: value });
    }
    return [...at.values()];
  }
  /**
   * What a segment begins with: its own changes, and those of the segments before it that begin at the same step, of
   * which a path has the last one alone.
   */
  #begins({ origin, changes }) {
    if (!origin) return {};
    const [number, step] = origin;
    const before = this.segments.find((one) => one.number === number);
    if ((before.origin?.[1] ?? 0) !== step) return changes;
    return {
      ...this.#begins(before),
      ...Object.fromEntries(before.sets.filter((set) => set.step === step).map(({ name, value }) => [name, value])),
      ...changes,
    };
  }
  /**
   * Of the updates up to a step: what made them others than those of the first settings alone, [{step, name, value}].
   */
  changesBefore(last) {
    let now = this.settingsAt(0);
    return this.#changes()
      .filter(({ step }) => step > 0 && step < last)
      .flatMap(({ step, changes }) => {
        const before = now;
        const matters = (name) =>
          String(now[name]) !== String(before[name]) && name !== 'keep' && (name !== 'steps' || isScheduled(now));
        now = asRead({ ...now, ...changes });
        return Object.keys(now)
          .filter(matters)
          .map((name) => ({ step, name, value: now[name] }));
      });
  }

  // ---- going on

  /** Take steps, at most so many: up to the next evaluation, state to keep, or the planned end. → how many. */
  advance(count) {
    const {
      loop,
      segment: { plan },
    } = this;
    const first = this.step;
    const { losses, evaluation } = loop.advance(Math.min(first + count, this.keyframes.next, plan.steps));
    const good = goodSteps(losses);
    if (good < losses.length || !finiteWeights(loop.net)) return this.#diverged(first, first + good);
    this.losses.add(losses);
    for (let epoch = plan.count.ended(first) + 1; epoch <= plan.count.ended(this.step); epoch++)
      this.#ended(epoch, evaluation);
    if (this.step === this.keyframes.next) this.keyframes.add(this.segment.number, loop.save());
    if (this.step >= plan.steps) this.end();
    return losses.length;
  }

  #ended(epoch, evaluation) {
    const { count } = this.segment.plan;
    const step = count.endOf(epoch);
    const validation =
      evaluation?.step === step
        ? Object.fromEntries(Object.entries(evaluation.figures[0]).map(([name, value]) => [name, finite(value)]))
        : {};
    this.records.addEpoch({
      epoch,
      step,
      train: { loss: finite(this.losses.mean(count.endOf(epoch - 1), step)) },
      validation,
    });
  }

  /** Go back to the last update that left finite weights, no later than `latest`, and end there. */
  #diverged(first, latest) {
    const { loop } = this.at(first, true);
    let state = loop.save();
    while (loop.step < latest) {
      const { losses } = loop.advance(loop.step + 1);
      if (!finiteWeights(loop.net)) break;
      this.losses.add(losses);
      state = loop.save();
    }
    this.loop.load(state);
    this.end('diverged');
    this.lost = true;
    return state.step - first;
  }

  /** The end, here: the test rows are judged, once, with the weights of the best validation loss. */
  end(status = 'finished') {
    const {
      loop,
      prepared,
      segment: { settings, plan },
    } = this;
    const state = loop.save();
    if (loop.rows && loop.evaluated < loop.step && status === 'finished') loop.evaluate();
    const { best } = loop;
    const kept =
      settings.keep !== 'last' && best.params
        ? best
        : { step: state.step, params: loop.net.row(0, loop.net.averages ? 'average' : 'params').slice() };
    const epochs = plan.count.ended(this.step);
    const from = this.step > plan.count.endOf(epochs) ? plan.count.endOf(epochs) : plan.count.endOf(epochs - 1);
    const last = this.step ? this.losses.mean(from, this.step) : NaN;
    Object.assign(this, { kept, lost: false });
    this.status = last > HOPELESS * Math.max(bestConstant(prepared, settings), 1e-12) ? 'diverged' : status;
    this.metrics = Object.fromEntries(
      SPLITS.map((split, part) => [split, this.#measured(prepared.parts[part], kept.params)]),
    );
    loop.load(state);
  }

  /** The end where it stands, as a reader wants it. */
  stop() {
    this.end();
    this.replay = [...this.replay, [this.step, 'stop', {}]];
  }

  #measured({ x, y }, params) {
    if (!y.length) return null;
    const { net } = this.loop;
    net.row(0).set(params);
    if (net.averages) net.row(0, 'average').set(params);
    const figures = measure(net.predict(x), y, this.prepared, this.segment.settings);
    return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, finite(value)]));
  }

  /** Change a number from the next update on. */
  set(name, value) {
    const { sets } = this.segment;
    const step = this.step;
    const same = (entry) => entry.step === step && entry.name === name;
    this.segment.sets = [...sets.filter((entry) => !same(entry)), { step, name, value }];
    this.loop.set(name, value);
    this.replay = [
      ...this.replay.filter(([at, verb, fields]) => !(at === step && verb === 'set' && fields.name === name)),
      [step, 'set', { name, value }],
    ];
    this.dropPlayed();
  }

  /** The next segment, from a step on; what came after it is left behind. */
  rewind(step, changes = {}) {
    const moment = this.at(step);
    const segment = this.#next(moment, changes);
    const loop = this.#begun(segment, moment, 1);
    if (this.step > step) this.ways = [...this.ways, this.#way()].slice(-WAYS);
    this.loop.close();
    this.dropPlayed();
    const last = this.path.findLastIndex(({ first }) => first <= step);
    const before = this.path[last];
    const path = this.path.slice(0, last);
    if (before.first < step) path.push({ ...before, stop: step });
    Object.assign(this, {
      loop,
      status: 'running',
      metrics: null,
      kept: null,
      lost: false,
      segments: [...this.segments, segment],
      path: [...path, { segment, first: step, stop: null }],
    });
    this.losses.cut(step);
    this.records.cut(step);
    this.keyframes.cut(step);
    this.keyframes.add(segment.number, loop.save(), true);
    this.replay = [
      ...this.replay.filter(([at, verb]) => at <= step && verb !== 'stop'),
      ...(Object.keys(changes).length ? [[step, 'segment', { changes }]] : []),
    ];
    this.view = { ...this.view, step: null };
  }

  /** All that makes the present way: what a rewind leaves, and go() comes back to. */
  #way() {
    const { path, status, metrics, kept, lost, replay } = this;
    return {
      path,
      status,
      metrics,
      kept,
      lost,
      replay,
      losses: this.losses.copy(),
      records: this.records.copy(),
      keyframes: this.keyframes.copy(),
      state: this.loop.save(),
    };
  }

  /** Come back to a way that was left, which has so many steps of this segment; the present one is left. */
  go(segment, step) {
    const way = this.ways.find(({ path, state }) =>
      path.some((link) => link.segment.number === segment && link.first <= step && (link.stop ?? state.step) >= step),
    );
    if (!way) return;
    const { state, ...parts } = way;
    const ways = [...this.ways.filter((other) => other !== way), this.#way()];
    this.loop.close();
    this.dropPlayed();
    Object.assign(this, parts, { ways, loop: new TrainingLoop(this.lanes, this.prepared, way.path.at(-1).segment) });
    this.loop.load(state);
  }

  /**
   * The stretches between two changes, or between a change and where another way begins, as the studio's run_history.py
   * has them.
   */
  get history() {
    const pieces = new Map();
    const own = { path: this.path, records: this.records, last: this.step, left: false };
    for (const { path, records, last, left } of [
      ...this.ways.map((way) => ({ ...way, last: way.state.step, left: true })),
      own,
    ]) {
      const changes = new Map(this.#changes(path).map((each) => [each.step, each.changes]));
      for (const { segment, first, stop } of path) {
        const end = stop ?? last;
        const forks = this.segments.flatMap(({ origin }) => (origin?.[0] === segment.number ? [origin[1]] : []));
        const starts = [...new Set([first, ...changes.keys(), ...forks])]
          .filter((at) => at === first || (at > first && at < end))
          .sort((a, b) => a - b);
        starts.forEach((at, k) => {
          const until = starts[k + 1] ?? end;
          const { step: measured = null, validation: { loss, accuracy, rmse } = {} } =
            records.epochs.findLast(({ step, validation }) => step > at && step <= until && validation.loss != null) ??
            {};
          const figures = Object.fromEntries(
            Object.entries({ loss, accuracy, rmse }).filter(([, value]) => value != null),
          );
          if (until > at || !left)
            pieces.set(`${segment.number} ${at}`, {
              segment: segment.number,
              first: at,
              last: until,
              text: textOf(changes.get(at) ?? {}, segment.settings),
              figures,
              measured,
              left,
            });
        });
      }
    }
    return [...pieces.values()].sort((a, b) => a.segment - b.segment || a.first - b.first);
  }

  /** Another run with the same past up to a step, and from there on these changes. */
  branch(name, step, changes) {
    const {
      lanes,
      problem,
      prepared,
      segments: [{ settings }],
    } = this;
    const one = new Run(lanes, { name, problem, prepared, settings });
    const copies = new Map(this.segments.map((segment) => [segment, { ...segment, sets: [...segment.sets] }]));
    one.segments = [...copies.values()];
    one.path = this.path.map((link) => ({ ...link, segment: copies.get(link.segment) }));
    for (const part of ['losses', 'records', 'keyframes']) one[part] = this[part].copy();
    one.replay = [...this.replay];
    one.parent = { run: this.name, step };
    one.loop.close();
    one.loop = new TrainingLoop(lanes, prepared, one.linkAt(step).segment); // which rewind sets out from
    one.loop.load(this.at(step).loop.save());
    one.rewind(step, changes);
    return one;
  }

  // ---- the past, and futures

  linkAt(step) {
    return this.path.find(({ first, stop }) => step >= first && (stop === null || step < stop));
  }

  /** apart: not the live loop itself, also where it stands at this step. */
  at(step, apart = false) {
    const { segment } = this.linkAt(step);
    const live = !apart && step === this.step && segment === this.segment;
    const loop = live ? this.loop : this.#played(segment, step);
    return { run: this, segment, step, settings: this.settingsAt(step), loop, loss: loop.loss };
  }
  /** Those in force for the update after so many. */
  settingsAt(step) {
    const { settings, sets } = this.linkAt(step).segment;
    return {
      ...settings,
      ...Object.fromEntries(sets.filter((set) => set.step <= step).map(({ name, value }) => [name, value])),
    };
  }
  inView() {
    return this.at(this.stepInView);
  }

  /** A loop that is played to this step of a segment from the nearest state before it. */
  #played(segment, step) {
    if (this.played?.segment !== segment) {
      this.dropPlayed();
      this.played = new TrainingLoop(this.lanes, this.prepared, segment);
      this.played.load(this.keyframes.before(segment.number, step).state);
    }
    const loop = this.played;
    const { state } = this.keyframes.before(segment.number, step);
    if (loop.step > step || loop.step < state.step) loop.load(state);
    while (loop.step < step) loop.advance(Math.min(step, loop.step + 256));
    return loop;
  }
  dropPlayed() {
    this.played?.close();
    this.played = null;
  }

  future(moment, changes, copies = 1) {
    return this.#begun(this.#next(moment, changes), moment, copies);
  }

  /** From step 0 on it begins as any training does: nothing is learnt yet that could be carried over. */
  #begun(segment, { settings, loop }, copies) {
    const begun = new TrainingLoop(this.lanes, this.prepared, segment, copies);
    begun.load(loop.step ? carryOver(loop.save(), settings, segment.settings, this.prepared) : begun.save());
    return begun;
  }

  /** A segment after the moment. A changed batch size or order begins a new epoch at its first step. */
  #next({ segment: before, step, settings: now }, changes) {
    const settings = asRead({ ...now, ...changes });
    const { prepared } = this;
    const seed = changes.data_seed ?? (settings.data_seed === null ? changes.seed : undefined) ?? before.plan.orderSeed;
    const each = stepsPerEpoch(prepared, settings);
    const other = String(settings.batch_size) !== String(now.batch_size) || seed !== before.plan.orderSeed;
    const plan = planOf(this.lanes, prepared, settings, {
      count: other ? before.plan.count.restarted(step, each) : before.plan.count,
      orderSeed: seed,
    });
    const anew = settings.optimizer !== now.optimizer || settings.hidden.length !== now.hidden.length;
    const optimizerFrom = anew ? step : before.optimizerFrom;
    const number = Math.max(...this.segments.map((one) => one.number)) + 1;
    return {
      number,
      origin: [before.number, step],
      settings,
      changes,
      text: textOf(changes, settings),
      plan,
      sets: [],
      optimizerFrom,
    };
  }

  close() {
    this.dropPlayed();
    this.loop.close();
  }
}

/** Changes as a short text: `lr 0.01 · batch_size 64 · hidden 8,6`, without those that the optimizer doesn't read. */
export function textOf(changes, { optimizer }) {
  const meaningless = unread(optimizer);
  return Object.entries(changes)
    .filter(([name]) => !meaningless.includes(name))
    .map(([name, value]) => `${name} ${typed(value)}`)
    .join(' · ');
}

const typed = (value) => (Array.isArray(value) ? value.join(',') || 'none' : (value ?? 'none'));

/** How many of these losses, from the first on, are finite. */
function goodSteps(losses) {
  const bad = losses.findIndex((loss) => !Number.isFinite(loss));
  return bad < 0 ? losses.length : bad;
}

function finiteWeights(net) {
  let none = 0; // 0 times what is not finite is NaN
  const row = net.row(0);
  for (let i = 0; i < row.length; i++) none += row[i] * 0;
  return none === 0;
}
