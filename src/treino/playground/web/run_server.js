/**
 * What stands in the place of the studio's server for runs that train in this tab (docs/studio-protocol.md): each
 * answers the commands of its page, trains in slices between them, and sends what the page shows.
 */

import { Refusal } from '../../studio/page/modules/connection.js';
import { t } from '../../studio/page/modules/words.js';
import { commandOf } from './command.js';
import { Fan } from './fan.js';
import { findings } from './findings.js';
import { unread } from './growth.js';
import { ThinnedCurve } from './history.js';
import { ACTIVATIONS, LOSSES, OPTIMIZERS } from './lanes.js';
import { explain } from './microscope.js';
import { prepare } from './problems.js';
import { VERSION, nearest, numberOf, readCommand, readSettings, refuse } from './protocol.js';
import { Run } from './run.js';
import { TAKES, take } from './saving.js';
import { picture, scene } from './scene.js';
import { say } from './sentences.js';
import { pointsOf, sightOf } from './sight.js';
import { SCHEDULES, sizesOf } from './training.js';

const SLICE = 8; // milliseconds of training between two looks at what the page says
const FRAMES = 2; // on their way to the page, at most
const APART = 33, PAINTING = 0.08; // at full speed: milliseconds between two frames, at least, and their share of the time
const TOLD = 150; // milliseconds between two states and curves while it trains
const LOOKED = 1000; // between two looks for faults
const BEHIND = 0.25; // seconds of steps that are caught up at most: what a busy machine has missed beyond is left out
const RETURN = 1000; // milliseconds in which a page may come back
const LETTERS = 'ABCD';
const DRAWN = ['plane', 'surface', 'line']; // kinds of pictures that are drawn of futures
const BATCHES = [1, 4, 8, 16, 32, 64, 100, 128, 256, 512, 1024];
const OF_LOSS = { cross_entropy: ['cross_entropy'], bce: ['bce'], mse: ['mse', 'l1', 'huber'], l1: ['mse', 'l1', 'huber'], huber: ['mse', 'l1', 'huber'] };

const servers = new Map(); // by the names of their runs

/** Make a run. step: to train it up to; actions: [[step, verb, fields]], done on the way (state.replay of another run). */
export function create(lanes, { name, problem, settings = {}, step = 0, actions = [] }) {
  const prepared = prepare(problem);
  forget(name);
  servers.set(name, new RunServer(new Run(lanes, { name, problem: { data_seed: 0, ...problem }, prepared, settings: readSettings(settings) }), { step, actions }));
}

/** Answer what comes from a page; a newer page of the same run takes the place of an older one. */
export function serve(port, name) {
  const server = servers.get(name);
  if (server) server.serve(port);
  else port.onmessage = ({ data }) => { if (data.id) port.postMessage({ reply: data.id, error: { rule: 'no_address', message: say('There is nothing at this address.'), hint: '' } }); };
}

/** Nobody looks at a run any more. */
export function forget(name) {
  servers.get(name)?.close();
  servers.delete(name);
  for (const other of servers.values()) other.beside.delete(name);
}

class RunServer {
  constructor(run, { step, actions }) {
    Object.assign(this, { run, port: null, flying: 0, frame: 0, playing: false, until: null, speed: null, paced: null, pace: 0.05 });
    Object.assign(this, { beside: new Map(), curves: new Map(), fan: null, fans: 0, sight: null, found: [], looked: 0, told: 0, next: 0, said: '', due: true, closed: false });
    this.road = step || actions.length ? { to: Math.max(step, ...actions.map(([at]) => at)), actions: [...actions] } : null; // to where a link leads
    Object.assign(this, { turning: false, soon: makeTurns(() => this.turn()) });
  }

  serve(port) {
    this.port?.close();
    Object.assign(this, { port, flying: 0, greeted: false });
    port.onmessage = ({ data }) => { if (port === this.port) this.receive(data); };
  }

  close() {
    this.closed = true;
    this.port?.close();
    this.port = null;
    this.fan?.close();
    this.sight?.scratch.close();
    this.run.close();
  }

  // ---- what the page says

  receive(message) {
    if (message?.closed) return this.left();
    if (message?.hidden !== undefined) return this.hidden(message.hidden);
    if (message && Object.keys(message).join() === 'ack') {
      this.flying = message.ack >= this.frame ? 0 : Math.max(0, this.flying - 1);
      return this.go();
    }
    try {
      const command = readCommand(message);
      if (!this.greeted && command.do !== 'hello') refuse('hello_first', say('The first message is hello.'), say('See docs/studio-protocol.md for what it holds.'));
      this.send({ reply: command.id, ...(this[`do_${command.do}`](command) ?? {}) });
      if (command.do === 'hello') this.greet();
      else if (!READS.includes(command.do)) this.tell(true);
    } catch (error) {
      this.send({ reply: numberOf(message), error: documentOf(error) });
    }
    this.go();
  }

  /** What nobody looks at rests, unless a page comes back at once, as in another language. */
  left() {
    this.port = null;
    setTimeout(() => { if (!this.port) Object.assign(this, { playing: false, until: null }); }, RETURN);
  }

  /** A tab in the background pauses, and says so. */
  hidden(now) {
    if (!now || !this.playing) return;
    this.playing = false;
    this.tell(true);
    this.send({ notice: { kind: 'info', text: t('paused_in_background') } });
  }

  do_hello({ protocol }) {
    if (protocol !== VERSION) refuse('protocol_version', say('This page speaks version {page} of the protocol, and the studio version {ours}.', { page: protocol, ours: VERSION }), say('Reload the page.'));
    return { protocol: VERSION, steers: true };
  }
  greet() {
    Object.assign(this, { greeted: true, flying: 0, said: '', curves: new Map() });
    this.tell(true);
    if (this.sight) this.send({ points: pointsOf(this.run, this.sight) });
    this.due = true;
  }

  do_steer() {}
  do_play() { this.drive('play'); }
  do_pause() {
    this.road = null;
    if (this.run.view.step === null) this.drive('pause');
  }
  do_step({ count = 1 }) { this.drive('step', count); }
  do_epoch({ count = 1 }) { this.drive('epoch', count); }
  do_speed({ steps_per_second: speed }) { Object.assign(this, { speed, paced: null }); }

  /** Play, pause, or take some steps or epochs; from a past step, or after the end, in a new segment. */
  drive(verb, count) {
    const { run } = this;
    if (verb !== 'pause' && (run.view.step !== null || run.over)) this.goOn({});
    if (verb !== 'play') this.road = null;
    const { plan: { count: epochs } } = run.segment, { step } = run;
    this.until = verb === 'step' ? step + count : verb === 'epoch' ? epochs.endOf(epochs.ended(step) + count) : null;
    Object.assign(this, { playing: verb !== 'pause', paced: null });
  }

  /** A segment from the step in view; a training that is over is given as many steps again. */
  goOn(changes) {
    const { run } = this, step = run.stepInView, { plan } = run.at(step).segment;
    if (step >= plan.steps && !('steps' in changes) && step > 0) changes = { ...changes, steps: 2 * step };
    this.check(changes);
    this.closeFan();
    this.road = null;
    run.rewind(step, changes);
    this.due = true;
  }

  do_stop() {
    const { run } = this;
    this.road = null;
    this.closeFan();
    if (!run.over) run.end();
    run.view = { ...run.view, step: null };
    Object.assign(this, { playing: false, until: null, due: true });
  }

  do_set({ name, value }) {
    const { run } = this;
    if (run.view.step !== null || run.over) return this.change({ [name]: value });
    const live = this.live();
    if (!live.includes(name)) {
      if (name === 'dropout' || name === 'ema') return this.change({ [name]: value }); // whose place in the network isn't there yet
      refuse('setting_unread', say('{name} is nothing that {optimizer} reads.', { name, optimizer: run.segment.settings.optimizer }), nearest(name, live));
    }
    this.road = null;
    run.set(name, value);
    this.due = true;
  }

  do_segment({ changes = {}, step = null }) {
    if (step !== null) this.run.view = { ...this.run.view, step };
    this.change(readSettings(changes, (epochs) => this.run.segment.plan.count.endOf(epochs)));
  }
  /** A segment that plays on where the newest step is in view, and else waits. */
  change(changes) {
    const past = this.run.view.step !== null;
    this.goOn(changes);
    if (past) Object.assign(this, { playing: false, until: null });
  }

  /** Refuse what a training can't change on its way. */
  check(changes) {
    const { run } = this, { settings } = run.segment;
    if (!('loss' in changes) || OF_LOSS[settings.loss].includes(changes.loss)) return;
    refuse('branch_outputs', say('{loss} needs another network than {run} has.', { loss: changes.loss, run: run.name }), say('Keep the loss, or train a new run with it.'));
  }

  do_branch({ changes = {}, step = null }) {
    const read = readSettings(changes, (epochs) => this.run.segment.plan.count.endOf(epochs));
    return { run: this.branch(step ?? this.run.stepInView, read) };
  }
  branch(step, changes) {
    const { run } = this, at = Math.min(step, run.step);
    this.check(changes);
    const longer = at > 0 && at >= run.at(at).segment.plan.steps && !('steps' in changes) ? { ...changes, steps: 2 * at } : changes;
    const name = newName(run.name), other = new RunServer(run.branch(name, at, longer), { step: 0, actions: [] });
    other.speed = this.speed;
    servers.set(name, other);
    if (this.beside.size < LETTERS.length - 1) this.show(name);
    return name;
  }

  do_look({ step = null, axes = null, unit = null }) {
    const { run } = this, now = run.view;
    if (axes) checkAxes(axes, run.prepared);
    run.view = { step: step !== null && step >= run.step ? null : step, axes, unit };
    if (String(axes) !== String(now.axes)) this.forgetSight();
    this.due = true;
  }

  do_beside({ run: name, shown }) {
    if (!shown) return void this.beside.delete(name);
    if (this.beside.has(name) || name === this.run.name) return;
    if (!servers.has(name)) refuse('no_run', say('There is no run {name}.', { name }), nearest(name, [...servers.keys()]));
    if (this.beside.size >= LETTERS.length - 1) refuse('beside_full', say('{n} runs are shown already.', { n: this.beside.size + 1 }), say('Take one of them away first.'));
    this.show(name);
  }
  /** Show another run beside this one; one that is read off another problem has no boundary here. */
  show(name) {
    const used = [...this.beside.values()].map(({ letter }) => letter), { parent } = servers.get(name).run;
    this.beside.set(name, { letter: [...LETTERS.slice(1)].find((letter) => !used.includes(letter)), step: parent?.run === this.run.name ? parent.step : null });
    this.due = true;
  }

  do_fan({ kind, count, steps }) {
    if (!count) return this.closeFan();
    const { run } = this, sight = this.sightNow(run.inView()), { small } = sight;
    const drawing = DRAWN.includes(sight.shows) ? { shows: sight.shows, x: small.x, shape: sight.shows === 'line' ? [small.wide] : [small.high, small.wide] } : null;
    const fan = new Fan(run, { number: this.fans + 1, kind, count, steps, picture: drawing });
    this.fan?.close();
    Object.assign(this, { fan, fans: this.fans + 1 });
  }
  closeFan() {
    if (!this.fan) return;
    this.fan.close();
    this.fan = null;
    this.due = true;
    this.send({ fan: null });
  }

  do_adopt({ future, as }) {
    const { fan, run } = this;
    if (!fan?.futures[future]) refuse('future_missing', say('There is no future {n} in view.', { n: future }), say('Fan out first, and choose one of those that are shown.'));
    const { changes } = fan.futures[future], { step } = fan;
    this.closeFan();
    if (as === 'branch') return { run: this.branch(step, changes) };
    run.view = { ...run.view, step };
    this.change(changes);
    return { run: run.name };
  }

  do_explain({ layer = null, unit = null, input = null }) { return explain(this.run, { layer, unit: unit ?? 0, input }); }

  do_take({ form }) {
    if (!TAKES.includes(form)) refuse('form_unknown', say("This page can't be asked to do {verb}.", { verb: form }), nearest(form, TAKES));
    return take(this.run, form);
  }

  // ---- turns of training

  go() {
    if (this.turning || this.closed) return;
    this.turning = true;
    this.soon();
  }

  /** One slice. What can't go on, as without memory, rests and says why. */
  turn() {
    this.turning = false;
    if (this.closed) return;
    try {
      this.slice();
    } catch (error) {
      Object.assign(this, { playing: false, until: null, road: null, due: false });
      this.closeFan();
      this.send({ notice: { kind: 'warning', text: error.message } });
      this.tell(true);
      if (!error.rule) throw error;
    }
  }

  /** Train, work on futures, show. */
  slice() {
    const end = performance.now() + SLICE;
    if (this.fan && !this.fan.over) for (const message of this.fan.advance(SLICE)) this.send(message);
    if (this.road) this.follow(end);
    else if (this.playing) this.train(end);
    const full = this.road || (this.playing && !this.speed);
    if (this.due && this.flying < FRAMES && this.port && this.greeted && !this.fan && (!full || performance.now() >= this.next)) this.showFrame();
    this.tell();
    if (full || (this.fan && !this.fan.over)) this.go();
    else if (this.playing) setTimeout(() => this.go(), 4);
  }

  /** Steps until the slice ends, as many as the speed allows. */
  train(end) {
    const { run } = this;
    let allowed = Infinity;
    if (this.speed) {
      const now = performance.now();
      this.paced ??= { since: now, steps: -1 }; // the first one at once
      allowed = Math.floor(((now - this.paced.since) / 1000) * this.speed) - this.paced.steps;
      if (allowed > 1 + BEHIND * this.speed) this.paced = { since: now, steps: 0 }, allowed = Math.ceil(BEHIND * this.speed);
    }
    const stop = Math.min(this.until ?? Infinity, run.step + allowed), taken = this.advance(stop, end);
    if (this.paced) this.paced.steps += taken;
    if (run.over || (this.until !== null && run.step >= this.until)) this.rest();
  }
  rest() {
    Object.assign(this, { playing: false, until: null });
    this.tell(true);
  }

  /** Towards the step where a link leads, with what it does on its way. */
  follow(end) {
    const { run, road } = this;
    while (road.actions.length && road.actions[0][0] <= run.step) {
      const [, verb, fields] = road.actions.shift();
      try {
        act(run, verb, fields);
      } catch (error) { // of a link that was written by hand
        this.send({ notice: { kind: 'warning', text: [error.message, error.hint].filter(Boolean).join(' ') } });
      }
    }
    this.advance(Math.min(road.to, road.actions[0]?.[0] ?? Infinity), end);
    if (run.over || (run.step >= road.to && !road.actions.length)) {
      this.road = null;
      this.tell(true);
    }
  }

  /** → how many steps were taken. */
  advance(stop, end) {
    const { run } = this, first = run.step;
    while (run.step < stop && !run.over) {
      const began = performance.now(), left = end - began;
      if (left <= 0 && run.step > first) break;
      const done = run.advance(Math.min(stop - run.step, Math.max(1, Math.floor(left / this.pace), 1)));
      this.pace = 0.7 * this.pace + 0.3 * Math.max((performance.now() - began) / Math.max(done, 1), 1e-4);
      if (!done) break;
      this.due = true;
    }
    return run.step - first;
  }

  // ---- what the page is told

  send(message) { if (this.port) this.port.postMessage(message, moved(message)); }

  sightNow(moment) {
    if (!this.sight) {
      this.sight = sightOf(this.run.lanes, moment, this.run.view.axes);
      this.send({ points: pointsOf(this.run, this.sight) });
    }
    return this.sight;
  }
  forgetSight() {
    this.sight?.scratch.close();
    this.sight = null;
  }

  showFrame() {
    const began = performance.now();
    this.due = false;
    const { run } = this, moment = run.inView(), { step, segment, settings, loop } = moment, { plan } = segment;
    const sight = this.sightNow(moment), [header, parts] = scene(moment, sight, run.view.unit, run.over);
    const [gradient, ratio] = run.over && step === run.step ? [null, null] : loop.nextUpdate(), rate = settings.lr * plan.factorOf(step);
    run.records.addVitals({ step, gradient_norm: gradient, update_ratio: ratio, lr: rate });
    const beside = sight.shows === 'plane' ? this.boundaryBeside(step, sight) : null;
    this.flying++;
    this.send({
      frame: ++this.frame, run: run.name, segment: segment.number, step, epoch: plan.count.passes(step), live: run.view.step === null, time: Date.now() / 1000,
      loss: Number.isFinite(moment.loss) ? moment.loss : null, gradient_norm: gradient, update_ratio: ratio, lr: rate, ...header, beside: beside && { run: beside.run, step: beside.step }, parts: { ...parts, ...beside?.parts },
    });
    const now = performance.now();
    this.next = now + Math.max(APART, (now - began) / PAINTING);
  }

  /** What the first run beside this one says, at the same step or its last one. */
  boundaryBeside(step, sight) {
    const [name] = this.beside.keys(), other = servers.get(name)?.run;
    if (!other || other.prepared !== this.run.prepared) return null;
    const moment = other.at(Math.min(step, other.step)), { winner, margin } = picture(moment.loop.net, sight, other.prepared);
    return { run: name, step: moment.step, parts: { 'beside.winner': winner, 'beside.margin': margin } };
  }

  /** State and curves: at once, or now and then while it trains. */
  tell(now = false) {
    const time = performance.now();
    if (!this.port || !this.greeted || (!now && time - this.told < TOLD)) return;
    this.told = time;
    const state = this.state(), said = JSON.stringify(state);
    if (said !== this.said) this.send({ state });
    this.said = said;
    this.tellCurves(this.run, this.run.records.listed());
    for (const name of this.beside.keys()) this.tellCurves(servers.get(name).run, { epochs: servers.get(name).run.records.listed().epochs, vitals: [] });
  }
  tellCurves(run, records) {
    if (!this.curves.has(run.name)) this.curves.set(run.name, new ThinnedCurve());
    const curve = this.curves.get(run.name), key = [run.losses.length, records.epochs.length, records.vitals.length, run.segment.number].join();
    if (curve.key === key) return;
    curve.key = key;
    this.send({ curves: { run: run.name, ...curve.more(run.losses), ...records } });
  }

  live() {
    const { optimizer, dropout, ema } = this.run.segment.settings, none = unread(optimizer);
    const read = ['momentum', 'beta1', 'beta2'].filter((name) => !none.includes(name));
    return ['lr', 'weight_decay', 'clip', ...read, ...(dropout ? ['dropout'] : []), ...(ema ? ['ema'] : [])];
  }

  state() {
    const { run, playing, speed } = this, { prepared, segment } = run, settings = run.settingsAt(run.stepInView), sizes = sizesOf(prepared, settings), rows = prepared.parts[0].rows.length;
    return {
      kind: 'run', name: run.name, path: '', status: run.status, steers: true, can_steer: true, viewers: 1, playing, steps_per_second: speed, segment: segment.number,
      last_step: run.step, planned_steps: segment.plan.steps, letter: 'A', steps_per_epoch: segment.plan.each, view: run.view,
      data: {
        name: prepared.name, kind: 'table', task: prepared.task, features: prepared.columns, axes: prepared.axes ?? prepared.columns, classes: prepared.classes, target: prepared.target,
        rows: { train: rows, validation: prepared.parts[1].rows.length, test: prepared.parts[2].rows.length }, decisions: prepared.notes,
      },
      settings,
      choices: {
        optimizer: OPTIMIZERS, activation: ACTIVATIONS, schedule: Object.keys(SCHEDULES), batch_size: [...BATCHES.filter((size) => size < rows), 'full'],
        loss: LOSSES.filter((name) => OF_LOSS[settings.loss].includes(name)), live: this.live(),
      },
      network: { parameters: sizes.slice(1).reduce((all, n, l) => all + n * (sizes[l] + 1), 0), hidden: settings.hidden, fixed: null },
      segments: run.segments.map(({ number, origin, text }) => ({ number, origin, text })), marks: run.marks, findings: this.findings(),
      beside: [...this.beside].map(([name, { letter, step }]) => ({ run: name, letter, step, status: servers.get(name).run.status })),
      metrics: run.metrics, command: commandOf(run), unseen: run.over || !prepared.parts[2].rows.length ? [] : ['test'], replay: run.replay, takes: TAKES,
    };
  }
  findings() {
    const time = performance.now();
    if (time - this.looked > LOOKED || !(this.playing || this.road)) Object.assign(this, { looked: time, found: findings(this.run) });
    return this.found;
  }
}

const READS = ['explain', 'take'];

/** → a function after which act is called once, when what else waits has had its turn; setTimeout would wait 4 ms. */
function makeTurns(act) {
  if (globalThis.setImmediate) return () => setImmediate(act); // of Node, whose ports let nobody else in
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = act;
  return () => port2.postMessage(0);
}

/** Do to a run what was done to another one at this step. */
function act(run, verb, fields) {
  readCommand({ id: 1, do: verb, ...fields });
  if (verb === 'set') run.set(fields.name, fields.value);
  else if (verb === 'segment') run.rewind(run.step, readSettings(fields.changes ?? {}));
}

function checkAxes(axes, { task, columns }) {
  if (task === 'regression' || columns.length < 2) refuse('axes_meaningless', say('Axes {axes} were asked for, but the picture of this run has none to choose.', { axes: axes.join(', ') }), say('Only a classifier with two inputs or more is drawn over two of them; leave the axes out.'));
  for (const name of axes) if (!columns.includes(name)) refuse('axes_unknown', say("There is no feature '{name}' to use as an axis.", { name }), nearest(name, columns));
  if (axes[0] === axes[1]) refuse('axes_two', say('The picture has two axes, but got: {axes}.', { axes: axes.join(', ') }), say('Name two different features, for example {a},{b}.', { a: columns[0], b: columns[1] }));
}

/** moons-1 → moons-2, or the next that is free. */
function newName(name) {
  const [, stem, number] = /^(.*?)(?:-(\d+))?$/.exec(name);
  let n = Number(number ?? 1) + 1;
  while (servers.has(`${stem}-${n}`)) n++;
  return `${stem}-${n}`;
}

function documentOf(error) {
  if (error instanceof Refusal || error.rule) return { rule: error.rule, message: error.message, hint: error.hint ?? '' };
  throw error;
}

/** The memory of a frame's arrays goes over to the page: nothing is copied. */
const moved = ({ parts }) => (parts ? [...new Set(Object.values(parts).map(({ data }) => data.buffer))] : []);
