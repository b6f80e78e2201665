/** What a page is shown of a run: frames as it draws them, rows, curves and state, through a message port. */

import { ThinnedCurve } from './history.js';
import { SPLITS } from './run.js';
import { picture, scene } from './scene.js';
import { agreementOn, faithfulColumns, pointsOf, sightOf } from './sight.js';

const FRAMES = 2; // on their way to the page, at most
const APART = 33; // at full speed: milliseconds between two frames, at least
const PAINTING = 0.08; // the frames' share of the time
const CLOSE = 0.6; // a plane that agrees with the network on fewer rows shows little of it
const TOLD = 150; // milliseconds between two states and curves while it trains

/** due: whether what is in view has changed since the last frame. greeted: whether the page has said hello. */
export class RunView {
  constructor(run) {
    this.run = run;
    this.port = null;
    this.greeted = false;
    this.flying = 0;
    this.frame = 0;
    this.due = true;
    this.next = 0;
    this.sight = null;
    this.auto = null;
    this.chosenAt = '';
    this.curves = new Map();
    this.said = '';
    this.told = 0;
  }

  connect(port, receive) {
    this.leave();
    Object.assign(this, { port, greeted: false });
    port.onmessage = ({ data }) => {
      if (port === this.port) receive(data);
    };
  }
  leave() {
    this.port?.close();
    this.port = null;
  }
  close() {
    this.leave();
    this.forgetSight();
  }

  /** A page that has nothing yet. */
  greet() {
    Object.assign(this, { greeted: true, flying: 0, due: true, said: '', curves: new Map() });
    if (this.sight) this.send({ points: pointsOf(this.run, this.sight) });
  }

  send(message) {
    if (this.port) this.port.postMessage(message, moved(message));
  }

  acknowledged(frame) {
    this.flying = frame >= this.frame ? 0 : Math.max(0, this.flying - 1);
  }

  /** Whether a frame is due, and may go. full: while as many steps are taken as can be. */
  ready(full) {
    return this.due && this.port && this.greeted && this.flying < FRAMES && (!full || performance.now() >= this.next);
  }

  // ---- frames

  sightNow(moment) {
    if (!this.sight) {
      const { lanes, prepared, view } = this.run;
      this.sight = sightOf(lanes, moment, view.axes ?? this.auto ?? prepared.axes.slice(0, 2), Boolean(view.axes));
      this.send({ points: pointsOf(this.run, this.sight) });
    }
    return this.sight;
  }
  forgetSight() {
    this.sight?.scratch.close();
    this.sight = null;
  }
  axesChanged() {
    Object.assign(this, { auto: null, better: null, chosenAt: '' });
    this.forgetSight();
  }
  /** The columns of the picture by the network where its training rests; until then those that separate best. */
  choose({ loop: { net }, segment, step, run: { prepared, view } }) {
    const at = [segment.number, step, view.axes].join();
    if (at === this.chosenAt || prepared.task !== 'classification' || prepared.picture || prepared.columns.length < 3)
      return;
    this.chosenAt = at;
    this.better = null;
    const found = faithfulColumns(net, prepared, view.axes ? null : this.auto);
    if (view.axes) this.better = { axes: found, at };
    else if (String(found) !== String(this.auto ?? prepared.axes.slice(0, 2))) {
      this.auto = found;
      this.forgetSight();
    }
    this.due = true;
  }
  /**
   * Where the picture of columns that the reader chose shows little, others that show more; only of a training that
   * rests.
   */
  offer(header, { loop: { net }, segment, step, run: { prepared, view } }, over) {
    const { agreement } = header;
    const { axes, at } = this.better ?? {};
    if (!(agreement?.share < CLOSE) || at !== [segment.number, step, view.axes].join()) return;
    const share = agreementOn(
      net,
      prepared,
      this.sight.drawn.filter(({ split }) => over || split !== 'test'),
      axes,
    );
    if (share > agreement.share) agreement.better = { axes, share };
  }

  /** Send a frame of what is in view. other: the first run beside this one. */
  show(other) {
    const began = performance.now();
    const { run } = this;
    const moment = run.inView();
    const { step, segment, settings, loop } = moment;
    const { plan } = segment;
    const sight = this.sightNow(moment);
    const [header, parts] = scene(moment, sight, run.view.unit, run.over, run.prepared.picture && this.seen());
    this.offer(header, moment, run.over);
    const [gradient, ratio] = run.over && step === run.step ? [null, null] : loop.nextUpdate();
    const figures = { gradient_norm: gradient, update_ratio: ratio, lr: settings.lr * plan.factorOf(step) };
    run.records.addVitals({ step, ...figures, train: header.evaluation.train });
    const beside =
      other && other.prepared === run.prepared && sight.shows === 'plane' ? boundary(other, step, sight) : null;
    this.send({
      frame: ++this.frame,
      run: run.name,
      segment: segment.number,
      step,
      epoch: plan.count.passes(step),
      live: run.view.step === null,
      time: Date.now() / 1000,
      loss: Number.isFinite(moment.loss) ? moment.loss : null,
      ...figures,
      ...header,
      beside: beside && { run: other.name, step: beside.step },
      parts: { ...parts, ...beside?.parts },
    });
    const now = performance.now();
    Object.assign(this, { due: false, flying: this.flying + 1, next: now + Math.max(APART, (now - began) / PAINTING) });
  }

  /** The picture in view: one's own, a row, or the first validation row. */
  seen() {
    const {
      view: { picture },
      prepared: { parts },
      drawn,
    } = this.run;
    if (picture === 'drawn' && drawn) return { raw: drawn };
    if (Array.isArray(picture)) return { part: SPLITS.indexOf(picture[0]), place: picture[1] };
    return { part: parts[1].rows.length ? 1 : 0, place: 0 };
  }

  // ---- state and curves

  /** At once, or now and then. state(): as it is now. others: the runs beside this one. */
  tell(state, others, now) {
    const time = performance.now();
    if (!this.port || !this.greeted || (!now && time - this.told < TOLD)) return;
    this.told = time;
    const document = state();
    const said = JSON.stringify(document);
    if (said !== this.said) this.send({ state: document });
    this.said = said;
    this.tellCurves(this.run, this.run.records.listed());
    for (const way of this.run.ways) this.tellLeft(way);
    for (const run of others) this.tellCurves(run, { ...run.records.listed(), vitals: [] });
  }

  /** The losses of a way that was left since the run last began anew. */
  tellLeft({ path, losses }) {
    const left = path.at(-1).segment.number;
    const name = `${this.run.name}/${left}`;
    if (path[0].segment !== this.run.path[0].segment || this.curves.get(name) === losses.length) return;
    this.curves.set(name, losses.length);
    this.send({ curves: { run: name, left, ...new ThinnedCurve().more(losses) } });
  }

  tellCurves(run, records) {
    if (this.curves.get(run.name)?.segment !== run.segment.number)
      this.curves.set(run.name, Object.assign(new ThinnedCurve(), { segment: run.segment.number }));
    const curve = this.curves.get(run.name);
    const key = [run.losses.length, records.epochs.length, records.vitals.length, run.segment.number].join();
    if (curve.key === key) return;
    curve.key = key;
    this.send({ curves: { run: run.name, segment: run.segment.number, ...curve.more(run.losses), ...records } });
  }
}

/** What another run says on the same plane, at the same step or its last one. */
function boundary(other, step, sight) {
  const moment = other.at(Math.min(step, other.step));
  const { winner, margin } = picture(moment.loop.net, sight, other.prepared);
  return { step: moment.step, parts: { 'beside.winner': winner, 'beside.margin': margin } };
}

/** The memory of a frame's arrays goes over to the page: nothing is copied. */
const moved = ({ parts }) => (parts ? [...new Set(Object.values(parts).map(({ data }) => data.buffer))] : []);
