/**
 * What stands in the place of the studio's server for runs that train in this tab
 * (apps/studio/docs/studio-protocol.md): each answers the commands of its page, trains in slices between them, and
 * sends what the page shows.
 */

import { Refusal, refusalText, refuse } from '../../page/modules/connection.js';
import { whole } from '../../page/modules/numbers.js';
import { t } from '../../page/modules/words.js';
import { usualOf } from './defaults.js';
import { Fan } from './fan.js';
import { findings } from './findings.js';
import { pixelScale, rawOf } from './image_scene.js';
import { LOSSES } from './lanes.js';
import { explain } from './microscope.js';
import { prepare } from './problems.js';
import { nearest, numberOf, readCommand, readSettings, VERSION } from './protocol.js';
import { Run, SPLITS, textOf } from './run.js';
import { liveSettings, otherLosses, stateOf } from './run_state.js';
import { RunView } from './run_view.js';
import { TAKES, take } from './saving.js';
import { say } from './sentences.js';
import { extension } from './steps.js';
import { convolutionsOf } from './training.js';

const SLICE = 8; // milliseconds of training between two looks at what the page says
const LOOKED = 1000; // milliseconds between two looks for faults, at least
const LOOKING = 0.02; // their share of the time
const BEHIND = 0.25; // seconds of steps that are caught up at most: what a busy machine has missed beyond is left out
const RETURN = 1000; // milliseconds in which a page may come back
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'; // of runs, the same on every page
const SHOWN = 4; // runs on one page, at most
const DRAWN = ['plane', 'surface', 'line']; // kinds of pictures that are drawn of futures

const servers = new Map(); // by the names of their runs

/**
 * @import { PageSettings } from '../../page/modules/store.js'
 */

/**
 * Make a run. step: to train it up to; actions: [[step, verb, fields]], done on the way (state.replay of another run).
 *
 * @param {{
 *   name: string, problem: any, settings?: PageSettings, step?: number, actions?: [number, string, any][],
 * }} wanted
 */
export function create(lanes, wanted) {
  const { name, problem, settings = {}, step = 0, actions = [] } = wanted;
  const prepared = prepare(problem);
  const known =
    prepared.classes.length === 2
      ? ['cross_entropy', 'bce']
      : otherLosses(prepared.classes.length ? 'cross_entropy' : 'mse');
  if (settings.loss && LOSSES.includes(settings.loss) && !known.includes(settings.loss))
    refuse(
      'loss_choice',
      say("{name} can't be {value}.", { name: 'loss', value: `'${settings.loss}'` }),
      nearest('', known),
    );
  forget(name);
  servers.set(
    name,
    new RunServer(
      new Run(lanes, { name, problem: { data_seed: 0, ...problem }, prepared, settings: readSettings(settings) }),
      { step, actions },
    ),
  );
}

/** Answer what comes from a page; a newer page of the same run takes the place of an older one. */
export function serve(port, name) {
  const server = servers.get(name);
  if (server) server.serve(port);
  else
    port.onmessage = ({ data }) => {
      if (data.id)
        port.postMessage({
          reply: data.id,
          error: { rule: 'no_address', message: say('There is nothing at this address.'), hint: '' },
        });
    };
}

/** Nobody looks at a run any more. */
export function forget(name) {
  servers.get(name)?.close();
  servers.delete(name);
  for (const other of servers.values()) other.beside.delete(name);
}

class RunServer {
  /**
   * letter, family: A for a run that is no branch, then one for each branch of it and of theirs; the letters in use.
   * beside: of each run that is shown beside this one its letter, and the step at which it parted. road: to where a
   * link leads.
   */
  constructor(run, { step = 0, actions = [], family = [] } = {}) {
    this.letter = LETTERS[family.length % LETTERS.length];
    this.family = family;
    family.push(this.letter);
    this.run = run;
    this.page = new RunView(run);
    this.playing = false;
    this.until = null;
    this.speed = null;
    this.paced = null;
    this.pace = 0.05;
    this.beside = new Map();
    this.fan = null;
    this.fans = 0;
    this.found = [];
    this.nextLook = 0;
    this.turning = false;
    this.closed = false;
    this.soon = makeTurns(() => this.turn());
    this.road =
      step || actions.length ? { to: Math.max(step, ...actions.map(([at]) => at)), actions: [...actions] } : null;
  }

  serve(port) {
    this.page.connect(port, (message) => this.receive(message));
  }

  close() {
    this.closed = true;
    this.fan?.close();
    this.page.close();
    this.run.close();
  }

  // ---- what the page says

  receive(message) {
    if (message?.closed) return this.left();
    if (message?.hidden !== undefined) return this.hidden(message.hidden);
    if (message && Object.keys(message).join() === 'ack') {
      this.page.acknowledged(message.ack);
      return this.go();
    }
    const { page } = this;
    try {
      const command = readCommand(message);
      if (!page.greeted && command.do !== 'hello')
        refuse(
          'hello_first',
          say('The first message is hello.'),
          say('See apps/studio/docs/studio-protocol.md for what it holds.'),
        );
      page.send({ reply: command.id, ...(this[`do_${command.do}`](command) ?? {}) });
      if (command.do === 'hello') page.greet();
      if (!READS.includes(command.do)) this.tell(true);
    } catch (error) {
      page.send({ reply: numberOf(message), error: documentOf(error) });
    }
    this.go();
  }

  /** What nobody looks at rests, unless a page comes back at once, as in another language. */
  left() {
    this.page.leave();
    setTimeout(() => {
      if (!this.page.port) Object.assign(this, { playing: false, until: null });
    }, RETURN);
  }

  /** A tab in the background pauses, and says so. */
  hidden(now) {
    if (!now || !this.playing) return;
    this.playing = false;
    this.tell(true);
    this.page.send({ notice: { kind: 'info', text: t('paused_in_background') } });
  }

  do_hello({ protocol }) {
    if (protocol !== VERSION)
      refuse(
        'protocol_version',
        say('This page speaks version {page} of the protocol, and the studio version {ours}.', {
          page: protocol,
          ours: VERSION,
        }),
        say('Reload the page.'),
      );
    return { protocol: VERSION, steers: true };
  }

  do_steer() {}
  do_play() {
    this.drive('play');
  }
  do_pause() {
    this.road = null;
    if (this.run.view.step === null) this.drive('pause');
  }
  do_step({ count = 1 }) {
    this.drive('step', count);
  }
  do_epoch({ count = 1 }) {
    this.drive('epoch', count);
  }
  do_speed({ steps_per_second: speed }) {
    Object.assign(this, { speed, paced: null });
  }

  /** Play, pause, or take some steps or epochs; from a past step, or after the end, in a new segment. */
  drive(verb, count) {
    const { run } = this;
    if (verb !== 'pause' && (run.view.step !== null || run.over)) this.goOn({});
    if (verb !== 'play') this.road = null;
    const {
      plan: { count: epochs },
    } = run.segment;
    const { step } = run;
    this.until = verb === 'step' ? step + count : verb === 'epoch' ? epochs.endOf(epochs.ended(step) + count) : null;
    Object.assign(this, { playing: verb !== 'pause', paced: null });
  }

  /** A segment from the step in view. */
  goOn(asked) {
    const { run } = this;
    const step = run.stepInView;
    const changes = this.lasting(step, asked);
    this.closeFan();
    this.road = null;
    run.rewind(step, changes);
    this.page.due = true;
  }

  do_stop() {
    const { run } = this;
    this.road = null;
    this.closeFan();
    if (!run.over) run.stop();
    run.view = { ...run.view, step: null };
    Object.assign(this, { playing: false, until: null });
    this.page.due = true;
  }

  do_set({ name, value }) {
    const { run } = this;
    if (run.view.step !== null || run.over) return this.change({ [name]: value });
    const live = liveSettings(run.segment.settings);
    if (!live.includes(name)) {
      // whose place in the network isn't there yet
      if (name === 'dropout' || name === 'ema') return this.change({ [name]: value });
      refuse(
        'setting_unread',
        say('{name} is nothing that {optimizer} reads.', { name, optimizer: run.segment.settings.optimizer }),
        nearest(name, live),
      );
    }
    this.road = null;
    run.set(name, value);
    this.page.due = true;
  }

  do_segment({ changes = {}, step = null }) {
    const { run } = this;
    const { view } = run;
    const read = readSettings(changes, (epochs) => run.segment.plan.count.endOf(epochs));
    if (step !== null) run.view = { ...view, step };
    try {
      this.change(read);
    } catch (refused) {
      run.view = view;
      throw refused;
    }
  }
  /** A segment that plays on where the newest step is in view, and else waits. */
  change(changes) {
    const past = this.run.view.step !== null;
    this.goOn(changes);
    if (past) Object.assign(this, { playing: false, until: null });
  }

  /**
   * The changes, checked, with which it goes on from a step; a training that is over there goes on for as long again.
   */
  lasting(step, changes) {
    const { channels } = changes;
    const layers = channels
      ? {
          channels,
          ...Object.fromEntries(
            ['hidden', 'activation'].map((name) => [name, usualOf(name, this.run.problem, channels)]),
          ),
        }
      : {};
    const longer = { ...extension(this.run.linkAt(step).segment.plan, step), ...layers, ...changes };
    check(this.run, longer, step);
    return longer;
  }

  do_branch({ changes = {}, step = null }) {
    const read = readSettings(changes, (epochs) => this.run.segment.plan.count.endOf(epochs));
    return { run: this.branch(step ?? this.run.stepInView, read) };
  }
  branch(step, changes) {
    const { run } = this;
    const at = Math.min(step, run.step);
    const name = newName(run.name);
    const other = new RunServer(run.branch(name, at, this.lasting(at, changes)), { family: this.family });
    other.speed = this.speed;
    servers.set(name, other);
    if (this.beside.size < SHOWN - 1) this.show(name);
    return name;
  }

  do_look({ step = null, axes = null, unit = null, picture = null, segment = null }) {
    const { run } = this;
    const now = run.view;
    if (picture) checkPicture(picture, run);
    if (axes) checkAxes(axes, run.prepared);
    if (segment !== null) {
      Object.assign(this, { playing: false, until: null, road: null });
      this.closeFan();
      run.go(segment, step ?? 0);
    }
    run.view = {
      step: step !== null && step >= run.step ? null : step,
      axes,
      unit,
      ...(run.prepared.picture ? { picture } : {}),
    };
    if (String(axes) !== String(now.axes)) this.page.axesChanged();
    this.page.due = true;
  }

  /** From now on, a picture from the page goes through the network. */
  do_draw({ pixels }) {
    const { run } = this;
    const size = run.prepared.features.length;
    const bytes = Uint8Array.from(atob(pixels), (letter) => letter.charCodeAt(0));
    if (!run.prepared.picture)
      refuse(
        'picture_run',
        say('The rows of this run are no grey or colour pictures of at most 256 × 256 pixels.'),
        say('Choose one of its rows instead.'),
      );
    if (bytes.length !== size)
      refuse(
        'picture_length',
        say('There are {n} bytes of pixels, and a picture of this run has {count}.', { n: bytes.length, count: size }),
        say('Send channels × height × width bytes: {shape}.', { shape: [1, ...run.prepared.picture].join(' × ') }),
      );
    run.drawn = rawOf(bytes, pixelScale(run.prepared));
    run.view = { ...run.view, picture: 'drawn' };
    this.page.due = true;
  }

  do_beside({ run: name, shown }) {
    if (!shown) return void this.beside.delete(name);
    if (this.beside.has(name) || name === this.run.name) return;
    if (!servers.has(name))
      refuse('no_run', say('There is no run {name}.', { name }), nearest(name, [...servers.keys()]));
    if (this.beside.size >= SHOWN - 1)
      refuse(
        'beside_full',
        say('{n} runs are shown already.', { n: this.beside.size + 1 }),
        say('Take one of them away first.'),
      );
    this.show(name);
  }
  /** Show another run beside this one; one that is read off another problem has no boundary here. */
  show(name) {
    const used = [this.letter, ...[...this.beside.values()].map(({ letter }) => letter)];
    const {
      letter: own,
      run: { parent },
    } = servers.get(name);
    this.beside.set(name, {
      letter: [own, ...LETTERS].find((letter) => !used.includes(letter)),
      step: parent?.run === this.run.name ? parent.step : null,
    });
    this.page.due = true;
  }

  do_fan({ kind, count, steps }) {
    if (!count) return this.closeFan();
    const { run } = this;
    const sight = this.page.sightNow(run.inView());
    const { small } = sight;
    const drawing = DRAWN.includes(sight.shows)
      ? { shows: sight.shows, x: small.x, shape: sight.shows === 'line' ? [small.wide] : [small.high, small.wide] }
      : null;
    const fan = new Fan(run, { number: this.fans + 1, kind, count, steps, picture: drawing });
    this.fan?.close();
    Object.assign(this, { fan, fans: this.fans + 1 });
  }
  closeFan() {
    if (!this.fan) return;
    this.fan.close();
    this.fan = null;
    this.page.due = true;
    this.page.send({ fan: null });
  }

  do_adopt({ future, as }) {
    const { fan, run } = this;
    if (!fan?.futures[future])
      refuse(
        'future_missing',
        say('There is no future {n} in view.', { n: future }),
        say('Fan out first, and choose one of those that are shown.'),
      );
    const { changes } = fan.futures[future];
    const { step } = fan;
    this.closeFan();
    if (as === 'branch') return { run: this.branch(step, changes) };
    run.view = { ...run.view, step };
    this.change(changes);
    return { run: run.name };
  }

  do_explain({ layer = null, unit = null, input = null }) {
    return explain(this.run, { layer, unit: unit ?? 0, input });
  }

  do_take({ form }) {
    if (!TAKES.includes(form))
      refuse('form_unknown', say('This page has no command {verb}.', { verb: form }), nearest(form, TAKES));
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
      Object.assign(this, { playing: false, until: null, road: null });
      this.closeFan();
      this.page.due = false;
      this.page.send({ notice: { kind: 'warning', text: error.message } });
      this.tell(true);
      if (!error.rule) throw error;
    }
  }

  /** Train, work on futures, show. */
  slice() {
    const end = performance.now() + SLICE;
    if (this.fan && !this.fan.over) for (const message of this.fan.advance(SLICE)) this.page.send(message);
    if (this.road) this.follow(end);
    else if (this.playing) this.train(end);
    const full = this.road || (this.playing && !this.speed);
    if (!this.fan && !this.playing && !this.road && this.page.greeted && this.run.view.step === null && this.run.step)
      this.page.choose(this.run.inView());
    if (!this.fan && this.page.ready(full)) this.page.show(servers.get([...this.beside.keys()][0])?.run);
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
      if (allowed > 1 + BEHIND * this.speed) {
        this.paced = { since: now, steps: 0 };
        allowed = Math.ceil(BEHIND * this.speed);
      }
    }
    const stop = Math.min(this.until ?? Infinity, run.step + allowed);
    const taken = this.advance(stop, end);
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
      } catch (error) {
        // of a link that was written by hand
        this.page.send({ notice: { kind: 'warning', text: refusalText(error) } });
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
    const { run } = this;
    const first = run.step;
    while (run.step < stop && !run.over) {
      const began = performance.now();
      const left = end - began;
      if (left <= 0 && run.step > first) break;
      const done = run.advance(Math.min(stop - run.step, Math.max(1, Math.floor(left / this.pace))));
      this.pace = 0.7 * this.pace + 0.3 * Math.max((performance.now() - began) / Math.max(done, 1), 1e-4);
      this.page.due = true;
      if (!done) break; // it has diverged
    }
    return run.step - first;
  }

  // ---- what the page is told

  /** State and curves: at once, or now and then while it trains. */
  tell(now = false) {
    this.page.tell(
      () => this.state(),
      [...this.beside.keys()].map((name) => servers.get(name).run),
      now,
    );
  }
  state() {
    const own = this.run.segment.settings;
    const apart = (other) =>
      textOf(
        Object.fromEntries(
          Object.entries(other).filter(([name, value]) => name !== 'steps' && String(value) !== String(own[name])),
        ),
        other,
      );
    const beside = [...this.beside].map(([name, { letter, step }]) => {
      const { status, segment } = servers.get(name).run;
      return { run: name, letter, step, status, text: apart(segment.settings) };
    });
    return stateOf(this.run, {
      letter: this.letter,
      playing: this.playing,
      speed: this.speed,
      beside,
      findings: this.findings(),
    });
  }
  findings() {
    const began = performance.now();
    if (began < this.nextLook && (this.playing || this.road)) return this.found;
    this.found = findings(this.run);
    const now = performance.now();
    this.nextLook = now + Math.max(LOOKED, (now - began) / LOOKING);
    return this.found;
  }
}

const READS = ['explain', 'take'];

/** → a function after which act is called once, when what else waits has had its turn; setTimeout would wait 4 ms. */
function makeTurns(act) {
  const { setImmediate } = /** @type {{setImmediate?: (act: () => void) => void}} */ (globalThis);
  if (setImmediate) return () => setImmediate(act); // of Node, whose ports let nobody else in
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = act;
  return () => port2.postMessage(0);
}

/** Refuse what a training can't change on its way. */
function check(run, changes, step) {
  const {
    settings,
    plan: { count },
  } = run.segment;
  const now = run.settingsAt(step);
  const kept = now.channels.length ? ['channels', 'hidden', 'activation'] : ['channels'];
  convolutionsOf(run.prepared, { ...now, ...changes });
  if (step && kept.some((name) => name in changes && String(changes[name]) !== String(now[name])))
    refuse('network_kept', t('fixed_channels'), '');
  if (changes.steps <= step)
    refuse(
      'branch_over',
      say('The training is over at step {step:,}: {steps:,} are planned.', {
        step: whole(step),
        steps: whole(changes.steps),
      }),
      say('Give more epochs, e.g. epochs={n}.', { n: 2 * Math.max(1, count.epochOf(step)) }),
    );
  if (!('loss' in changes) || otherLosses(settings.loss).includes(changes.loss)) return;
  refuse(
    'branch_outputs',
    say('{loss} needs another network than {run} has.', { loss: changes.loss, run: run.name }),
    say('Keep the loss, or train a new run with it.'),
  );
}

/** Do to a run what was done to another one at this step. */
function act(run, verb, fields) {
  readCommand({ id: 1, do: verb, ...fields });
  if (verb === 'set') run.set(fields.name, fields.value);
  else if (verb === 'stop') run.stop();
  else if (verb === 'segment') {
    const changes = readSettings(fields.changes ?? {});
    check(run, changes, run.step);
    run.rewind(run.step, changes);
  }
}

/** Refuse a row that isn't there, or a test row before the end. */
function checkPicture(picture, { prepared: { parts }, over }) {
  if (picture === 'drawn') return;
  const [split, place] = picture;
  const count = parts[SPLITS.indexOf(split)].rows.length;
  if (split === 'test' && !over)
    refuse(
      'picture_unseen',
      say('Test rows are looked at only when the run is over.'),
      say('Choose a validation row.'),
    );
  if (place >= count)
    refuse(
      'picture_missing',
      say('There is no picture {n} among these rows: there are {count}.', { n: place, count }),
      say('Pictures are counted from 0.'),
    );
}

function checkAxes(axes, { task, columns }) {
  if (task === 'regression' || columns.length < 2)
    refuse(
      'axes_meaningless',
      say('Axes {axes} were asked for, but the picture of this run has none to choose.', { axes: axes.join(', ') }),
      say('Only a classifier with two inputs or more is drawn over two of them; leave the axes out.'),
    );
  for (const name of axes)
    if (!columns.includes(name))
      refuse('axes_unknown', say("There is no feature '{name}' to use as an axis.", { name }), nearest(name, columns));
  if (axes[0] === axes[1])
    refuse(
      'axes_two',
      say('The picture has two axes, but got: {axes}.', { axes: axes.join(', ') }),
      say('Name two different features, for example {a},{b}.', { a: columns[0], b: columns[1] }),
    );
}

/** moons-1 → moons-2, or the next that is free. */
function newName(name) {
  const [, stem, number] = /^(.*?)(?:-(\d+))?$/.exec(name);
  let n = Number(number ?? 1) + 1;
  while (servers.has(`${stem}-${n}`)) n++;
  return `${stem}-${n}`;
}

function documentOf(error) {
  if (error instanceof Refusal || error.rule)
    return { rule: error.rule, message: error.message, hint: error.hint ?? '' };
  throw error;
}
