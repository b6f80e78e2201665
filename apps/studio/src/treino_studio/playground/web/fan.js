/**
 * A fan: futures of the step in view, trained side by side, each with its own learning rate, order of rows, or batch
 * size (training/futures.py, studio/fan.py). A future has the bits of the segment that `adopt` makes of it.
 */

import { refuse } from '../../page/modules/connection.js';
import { bestConstant, HOPELESS, softmax } from './metrics.js';
import { general, say } from './sentences.js';
import { extension } from './steps.js';
import { batchSize } from './training.js';

const DECADES = 1; // to either side of the learning rate in force
const LAST_EVALUATIONS = 3; // whose mean scores a future: one alone may be luck
const CURVE = 60; // values of a curve in a message, at most

/** At most `count` changes of settings. settings: those in force. */
function usualFutures(kind, count, settings, prepared) {
  return { lr: rates, seed: seeds, batch_size: batchSizes }[kind](count, settings, prepared);
}

function rates(count, { lr }) {
  if (!lr)
    refuse(
      'futures_lr',
      say('The learning rate is 0, and no multiple of it is another one.'),
      say('Set one first, e.g. {lr}.', { lr: 'lr 0.001' }),
    );
  const middle = Math.floor(count / 2);
  return Array.from({ length: count }, (_, i) => ({
    lr: i === middle ? lr : Number((lr * 10 ** ((DECADES * (i - middle)) / middle)).toPrecision(3)),
  }));
}

/** Of the order of the rows. */
const seeds = (count, { data_seed: seed }) =>
  Array.from({ length: count }, (_, i) => (i ? { data_seed: seed + i } : {}));

/** Powers of two, the present size, and all rows: those nearest to the present one. */
function batchSizes(count, settings, prepared) {
  const rows = prepared.parts[0].rows.length;
  const now = batchSize(prepared, settings);
  const sizes = new Set([now, rows]);
  for (let size = 1; size < rows; size *= 2) sizes.add(size);
  const far = (size) => Math.abs(Math.log(size / now));
  const nearest = [...sizes].sort((a, b) => far(a) - far(b) || a - b).slice(0, count);
  return nearest.sort((a, b) => a - b).map((size) => ({ batch_size: size === rows ? 'full' : size }));
}

export class Fan {
  /** number: of the fan, on its page. picture: the grid of the boundaries {shows, x [M D], shape}, or null. */
  constructor(run, { number, kind, count, steps, picture = null }) {
    const moment = run.inView();
    const {
      step,
      settings,
      segment: { plan },
    } = moment;
    const { prepared } = run;
    const longer = extension(plan, step);
    const planned = longer.steps ?? plan.steps;
    const changes = usualFutures(kind, count, settings, prepared).map((each) => ({ ...longer, ...each }));
    const split = prepared.parts[1].rows.length ? 'validation' : 'train';
    this.prepared = prepared;
    this.settings = settings;
    this.picture = picture;
    this.step = step;
    this.stop = Math.min(step + steps, planned);
    this.planned = planned;
    this.head = { number, kind, step, steps, metric: 'loss', split };
    this.futures = changes.map((each, future) => ({
      future,
      text: textOf(settings, each),
      changes: each,
      status: 'running',
      worth: null,
      step: [],
      loss: [],
    }));
    const constant = bestConstant(prepared, settings);
    this.hopeless = constant > 1e-12 ? HOPELESS * constant : Infinity;
    this.groups = [];
    try {
      // of one order of rows, all are one population, told apart by their numbers
      if (kind === 'lr') this.#add(run.future(moment, changes[0], count), this.futures);
      else for (const future of this.futures) this.#add(run.future(moment, future.changes), [future]);
    } catch (error) {
      this.close(); // there is not memory enough for all of them
      throw error;
    }
  }

  #add(loop, futures) {
    futures.forEach(({ changes }, p) => {
      if ('lr' in changes) loop.set('lr', changes.lr, p);
    });
    const group = { loop, futures, over: false, epoch: futures.map(() => ({ sum: 0, steps: 0, last: NaN })) };
    this.groups.push(group);
    if (loop.rows) this.#note(group, loop.step, this.#measured(loop));
  }

  /** A look at the validation rows that the training knows nothing of. */
  #measured(loop) {
    const { evaluated, best } = loop;
    const { figures } = loop.evaluate();
    Object.assign(loop, { evaluated, best });
    return figures.map(({ loss }) => loss);
  }

  #note({ futures }, step, losses) {
    futures.forEach((future, p) => {
      if (Number.isFinite(losses[p])) {
        future.step.push(step);
        future.loss.push(losses[p]);
      }
    });
  }

  get over() {
    return this.groups.every(({ over }) => over);
  }

  /**
   * Train for about so many milliseconds. → messages: {fan}, and at the end the frame of the boundaries, where there is
   * a picture.
   */
  advance(milliseconds) {
    if (this.over) return [];
    const going = this.groups.filter(({ over }) => !over);
    for (const group of going) this.#trained(group, performance.now() + milliseconds / going.length);
    const messages = [this.message()];
    if (this.over && this.picture) messages.push(this.#boundaries());
    return messages;
  }

  #trained(group, end) {
    const { loop } = group;
    const first = loop.step;
    const sums = group.futures.map(() => 0);
    for (let count = 8; loop.step < this.stop && (loop.step === first || performance.now() < end); count *= 2) {
      const { losses, evaluation } = loop.advance(Math.min(this.stop, loop.step + count));
      this.#counted(group, losses, sums);
      if (evaluation)
        this.#note(
          group,
          evaluation.step,
          evaluation.figures.map(({ loss }) => loss),
        );
    }
    if (!loop.rows)
      this.#note(
        group,
        loop.step,
        sums.map((sum) => sum / (loop.step - first)),
      );
    if (loop.step >= this.stop) this.#ended(group);
  }

  /** Each future's mean loss in the last epoch that it completed; one whose loss is no number has diverged. */
  #counted({ loop, futures, epoch }, losses, sums) {
    const P = futures.length;
    const { count } = loop.segment.plan;
    const from = loop.step - losses.length / P;
    for (let s = 0; s < losses.length / P; s++) {
      const ends = count.endOf(count.epochOf(from + s + 1)) === from + s + 1;
      epoch.forEach((of, p) => {
        const loss = losses[s * P + p];
        if (!Number.isFinite(loss)) futures[p].status = 'diverged';
        sums[p] += loss;
        of.sum += loss;
        of.steps++;
        if (ends) Object.assign(of, { last: of.sum / of.steps, sum: 0, steps: 0 });
      });
    }
  }

  #ended(group) {
    const { loop, futures, epoch } = group;
    // the branch would go on
    if (loop.rows && loop.evaluated < loop.step) this.#note(group, loop.step, this.#measured(loop));
    futures.forEach((future, p) => {
      if (epoch[p].last > this.hopeless) future.status = 'diverged';
      if (future.status === 'running' && loop.step >= this.planned) future.status = 'finished';
      const last = future.status === 'diverged' || !loop.rows ? [] : future.loss.slice(1).slice(-LAST_EVALUATIONS);
      future.worth = last.length ? last.reduce((a, b) => a + b) / last.length : null;
    });
    if (this.picture) group.outputs = loop.net.predict(this.picture.x);
    group.params = futures.map((_, p) => loop.net.row(p).slice());
    group.over = true;
    loop.close();
  }

  message() {
    const ends = this.over ? this.futures.filter(({ worth }) => worth !== null).sort((a, b) => a.worth - b.worth) : [];
    const done = Math.min(...this.groups.map(({ loop, over }) => (over ? this.head.steps : loop.step - this.step)));
    return { fan: { ...this.head, done, best: ends[0]?.future ?? null, futures: this.futures.map(thinned) } };
  }

  /** The weights with which a future ended. */
  params(future) {
    const group = this.groups.find(({ futures }) => futures.includes(this.futures[future]));
    return group.params[group.futures.indexOf(this.futures[future])];
  }

  #boundaries() {
    const { shows, shape, x } = this.picture;
    const { prepared, futures } = this;
    const M = x.length / prepared.features.length;
    const C = this.groups[0].outputs.length / this.groups[0].futures.length / M;
    const outputs = this.groups.flatMap(({ outputs: all, futures: own }) =>
      own.map((_, p) => all.subarray(p * M * C, (p + 1) * M * C)),
    );
    const parts = shows === 'plane' ? planes(outputs, M, C) : { value: values(outputs, M, C, prepared) };
    const last = shows === 'line' ? [prepared.classes.length || 1] : [];
    return {
      fan: this.head.number,
      shows,
      parts: Object.fromEntries(
        Object.entries(parts).map(([name, data]) => [name, { data, shape: [futures.length, ...shape, ...last] }]),
      ),
    };
  }

  close() {
    for (const { loop, over } of this.groups) if (!over) loop.close();
    this.groups = [];
  }
}

/** What a future differs by; unchanged, the setting in force. */
function textOf(settings, changes) {
  const { steps: _longer, ...own } = changes;
  const [[name, value]] = Object.entries(Object.keys(own).length ? own : { data_seed: settings.data_seed });
  return `${name} ${typeof value === 'number' ? general(value) : value}`;
}

function thinned({ step, loss, ...future }) {
  const apart = Math.ceil(step.length / CURVE) || 1;
  const places = [...step.keys()].filter((i) => i % apart === 0 || i === step.length - 1).slice(-CURVE);
  return { ...future, step: places.map((i) => step[i]), loss: places.map((i) => loss[i]) };
}

const probabilities = (z, i, C) =>
  C > 1 ? softmax(z, i, C) : [1 - 1 / (1 + Math.exp(-z[i])), 1 / (1 + Math.exp(-z[i]))];

/** Of each future the winning class at each place (255: none), and 255 times the root of its lead. */
function planes(outputs, M, C) {
  const winner = new Uint8Array(outputs.length * M);
  const margin = new Uint8Array(outputs.length * M);
  outputs.forEach((z, f) => {
    for (let i = 0; i < M; i++) {
      const p = probabilities(z, i, C);
      let best = 0;
      let second = -1;
      for (let c = 1; c < p.length; c++)
        if (p[c] > p[best]) {
          second = best;
          best = c;
        } else if (second < 0 || p[c] > p[second]) second = c;
      const known = Number.isFinite(p[best]);
      winner[f * M + i] = known ? best : 255;
      margin[f * M + i] = known ? Math.round(255 * Math.sqrt(p[best] - p[second])) : 0;
    }
  });
  return { winner, margin };
}

/** Probabilities, or values in the target's own units. */
function values(outputs, M, C, { classes, targetMean, targetScale }) {
  if (!classes.length)
    return Float32Array.from(outputs.flatMap((z) => Array.from(z, (v) => v * targetScale + targetMean)));
  return Float32Array.from(
    outputs.flatMap((z) => Array.from({ length: M }, (_, i) => [...probabilities(z, i, C)]).flat()),
  );
}
