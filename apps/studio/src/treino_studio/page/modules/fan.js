/** Futures of one step: their validation losses as a fan of curves, and where each ends as a small picture. */

import { makeChart } from './chart.js';
import { $, el, makeButton, setText, svg } from './dom.js';
import { num, whole } from './numbers.js';
import { makePixels, marginOf, paintClasses, paintRange } from './pixels.js';
import { makeRemedies, verdict } from './remedies.js';
import { look } from './theme.js';
import { head, hideTip, pair, showTip, soft } from './tip.js';
import { t } from './words.js';

const COUNT = 64;
const STEPS = 200;
/** @type {FanCommand['kind'][]} */
const KINDS = ['lr', 'batch_size', 'seed'];
const LIGHT = ['#3b2a78', '#355f9e', '#1f8a8c', '#2aa876', '#8dbb2a', '#e0a500', '#e0701a', '#c0262d'];
const DARK = ['#8f7fe0', '#6aa3ea', '#4cc2c0', '#58d39b', '#b4d94c', '#f2c230', '#f7934a', '#ff6b6b'];

/**
 * @import { FanCommand } from '../protocol.d.ts'
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeFan(page) {
  const canvas = $('#fan-canvas');
  const panel = $('#fanout');
  const grid = $('#fan-grid');
  let cells = [];
  let hot = null;
  let shown = '';
  let painted = null;
  let wanted = false;
  let opened = 0; // how often futures were asked for
  let left = null; // the number of the fan that was left last
  const inView = (store) => (store.fan?.number === left ? null : store.fan);

  $('#fan-kind').addEventListener('change', (event) => start(event.target.value));
  $('#fan-close').addEventListener('click', close);
  const chart = makeChart(canvas, {
    tell(place) {
      setHot(place?.line?.k ?? null);
      return place?.line && tipOf(page.store.fan, page.store.fan.futures[place.line.k]);
    },
    pick: ({ line }) => {
      if (line && page.store.state.steers) choose(line.k);
    },
  });
  $('#fan-loss').after(chart.tools);
  makeRemedies(page, start);

  function relabel() {
    const now = $('#fan-kind').value;
    $('#fan-kind').replaceChildren(...KINDS.map((kind) => el('option', { value: kind }, t(`fan_of_${kind}`))));
    $('#fan-kind').value = now || KINDS[0];
    $('#fan-as').replaceChildren(...['branch', 'segment'].map((as) => el('option', { value: as }, t(`adopt_${as}`))));
    shown = '';
  }

  function toggle() {
    if (panel.hidden) start($('#fan-kind').value || KINDS[0]);
    else close();
  }
  async function start(kind, more = { count: COUNT, steps: STEPS }) {
    opened += 1;
    shown = '';
    show(true);
    if (!(await page.command('fan', { kind, ...more }))) show(false);
  }
  function close() {
    if (panel.hidden) return false;
    leave();
    if (page.store.state.steers) page.command('fan', { kind: KINDS[0], count: 0, steps: STEPS });
    $('#fan').focus();
    return true;
  }
  function leave() {
    left = page.store.fan?.number ?? left;
    show(false);
  }
  function show(on) {
    wanted = on;
    panel.hidden = !on;
    $('#network').hidden = $('#picture').hidden = on;
    document.body.classList.toggle('fanning', on);
    page.invalidate();
  }
  function setHot(future, event = null) {
    if (future == null) hideTip();
    else if (event) showTip(event, tipOf(page.store.fan, page.store.fan.futures[future]));
    if (future === hot) return;
    hot = future;
    cells.forEach(({ button }, k) => button.classList.toggle('hot', k === hot));
    page.invalidate();
  }
  async function choose(k) {
    const as = $('#fan-as').value || 'branch';
    const before = opened;
    const { step, futures } = page.store.fan;
    const { future, text } = futures[k];
    const reply = await page.command('adopt', { future, as });
    if (!reply) return;
    if (before === opened) leave(); // else others are asked for already
    if (reply.run && as === 'branch')
      page.say(t('went_on', { run: reply.run, step: whole(step), what: text }), 'info', page.toOpen(reply.run));
  }

  /** A viewer who watches sees the fan that somebody else has opened. */
  function update(store) {
    if (inView(store) && !wanted && !store.state.steers) show(true);
    if (!store.fan) left = null;
    if (!store.fan && wanted && shown) show(false);
  }

  function draw(store) {
    const fan = inView(store);
    if (panel.hidden) return;
    setText($('#fan-title'), fan ? t('futures_of', { n: fan.futures.length, step: whole(fan.step) }) : t('fan'));
    setText($('#fan-about'), fan ? aboutOf(fan) : t('working'));
    $('.pair', panel).hidden = !fan;
    if (!fan) return;
    build(fan, store.state.steers);
    setText($('#fan-loss'), t(ofTraining(fan) ? 'training_loss' : 'validation_loss'));
    $('#fan-kind').hidden = !KINDS.includes(fan.kind);
    if (KINDS.includes(fan.kind)) $('#fan-kind').value = fan.kind;
    const pictures = store.fanFrame?.fan === fan.number;
    const box = chart.draw({
      panes: [{ lines: linesOf(fan, hot) }],
      x: { name: t('steps_after', { step: whole(fan.step) }), end: fan.steps },
      more: (context, at) => drawEnds(context, at, fan),
    });
    grid.classList.toggle('bare', !pictures);
    fan.futures.forEach((future, k) => {
      const { button, curve } = cells[k];
      button.className = [
        'future',
        future.status === 'diverged' && 'dead',
        future.future === bestOf(fan) && 'best',
        future.future === lowestOf(fan) && 'lowest',
        k === hot && 'hot',
      ]
        .filter(Boolean)
        .join(' ');
      button.disabled = !store.state.steers;
      button.setAttribute(
        'aria-label',
        t('go_on_with', {
          what: future.text,
          loss: future.status === 'diverged' ? t('status_diverged') : num(future.loss.at(-1), 3),
        }),
      );
      if (pictures) return;
      if (box) curve.setAttribute('d', pathOf(box, fan, future));
    });
    if (pictures && painted !== store.fanFrame) {
      painted = store.fanFrame;
      paintCells(painted);
    }
  }

  /** What is known so far; at the end which future is best, by which rule, and how the others ended. */
  function aboutOf(fan) {
    const best = fan.futures.find((f) => f.future === bestOf(fan));
    const lowest = fan.futures.find((f) => f.future === lowestOf(fan));
    const tried = !KINDS.includes(fan.kind);
    if (fan.done < fan.steps || (tried && fan.comparison === undefined))
      return t('fan_progress', { done: whole(fan.done), steps: whole(fan.steps) });
    if (tried) return verdict(fan);
    return [
      best && t('fan_best', { what: best.text, loss: num(best.worth, 3) }),
      lowest && lowest !== best && t('fan_lowest', { what: lowest.text, loss: num(lowest.loss.at(-1), 3) }),
      t('fan_click'),
    ]
      .filter(Boolean)
      .join(' ');
  }

  function build(fan, steers) {
    const key = [fan.number, fan.futures.length, look.version, steers, document.documentElement.lang].join();
    if (key === shown) return;
    shown = key;
    painted = null;
    const labels = labelsOf(fan);
    grid.style.setProperty('--columns', Math.min(8, Math.ceil(Math.sqrt(fan.futures.length))));
    cells = fan.futures.map((_future, k) => {
      const picture = el('canvas', { width: 48, height: 48, 'aria-hidden': 'true' });
      const curve = svg('path', { class: 'spark' });
      const button = makeButton(
        () => choose(k),
        {
          class: 'future',
          onpointermove: (event) => setHot(k, event),
          onmouseleave: () => setHot(null),
          onfocus: () => setHot(k),
          onblur: () => setHot(null),
        },
        picture,
        svg('svg', { viewBox: '0 0 60 40', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, curve),
        el('span', { 'aria-hidden': 'true' }, labels[k]),
      );
      button.style.setProperty('--colour', colourOf(k, fan.futures.length));
      return { button, picture, curve };
    });
    grid.replaceChildren(...cells.map((cell) => cell.button));
  }

  function paintCells(frame) {
    const picture = frame.parts.winner ?? frame.parts.value;
    if (!picture) return;
    const [count, rows, columns] = picture.shape;
    const size = rows * columns;
    const pixels = makePixels(columns, rows);
    const values = frame.parts.value?.data;
    const margin = marginOf(frame);
    let low = Infinity;
    let high = -Infinity;
    if (values) for (const v of values) if (Number.isFinite(v)) [low, high] = [Math.min(low, v), Math.max(high, v)];
    for (let k = 0; k < Math.min(count, cells.length); k++) {
      const from = k * size;
      const to = from + size;
      if (values) paintRange(pixels, values.subarray(from, to), low, high);
      else paintClasses(pixels, picture.data.subarray(from, to), margin.subarray(from, to));
      cells[k].picture.getContext('2d').drawImage(pixels.canvas, 0, 0, 48, 48);
    }
  }
  return { toggle, close, update, draw, relabel };
}

const ofTraining = (fan) => fan.split === 'train';
const bestOf = (fan) => (fan.done >= fan.steps ? fan.best : null);

/** The future whose last loss is the lowest; null before all have ended. */
function lowestOf({ futures, done, steps, kind }) {
  const alive = futures.filter((f) => f.status !== 'diverged' && f.loss.at(-1) != null);
  if (done < steps || !alive.length || !KINDS.includes(kind)) return null;
  return alive.reduce((a, b) => (b.loss.at(-1) < a.loss.at(-1) ? b : a)).future;
}

function tipOf(fan, future) {
  const diverged = future.status === 'diverged';
  return [
    head(future.text),
    diverged
      ? soft(t('status_diverged'))
      : pair(t(ofTraining(fan) ? 'training_loss' : 'validation_loss'), num(future.loss.at(-1))),
    future.worth != null && pair(t('last_three'), num(future.worth)),
  ];
}

/** What a tile is called: its one value, with as many digits as tell it from the others. */
function labelsOf({ futures, kind }) {
  if (!KINDS.includes(kind)) return futures.map(({ text }) => text);
  const values = futures.map(({ changes, text }) => {
    const { epochs: _longer, steps: _too, ...own } = changes ?? {};
    const [value, ...rest] = Object.values(own); // all go on as long
    return rest.length ? text : (value ?? text.split(' ').at(-1));
  });
  const distinct = new Set(values).size;
  const written = (digits) => values.map((value) => (typeof value === 'number' ? num(value, digits) : String(value)));
  for (let digits = 2; digits < 9; digits++) if (new Set(written(digits)).size === distinct) return written(digits);
  return values.map(String);
}

/** A future's curve in a tile of 60 × 40, as it lies in the chart. */
function pathOf({ l, r, X, panes: [{ t: top, b, Y }] }, { step: begin }, { step, loss }) {
  const at = loss
    .map(
      (v, i) =>
        v != null &&
        `${((60 * (X(step[i] - begin) - l)) / (r - l)).toFixed(1)} ${(1 + (38 * (Y(v) - top)) / (b - top)).toFixed(1)}`,
    )
    .filter(Boolean);
  return at.length > 1 ? `M${at.join('L')}` : '';
}

/** Dark to light over the futures' order; each end is told from the ground in both themes. */
function colourOf(k, count) {
  return (look.dark ? DARK : LIGHT)[Math.min(7, Math.floor((k * 8) / count))];
}

/** A line of each future, over the steps since the one that they share. */
function linesOf(fan, hot) {
  return fan.futures.map(({ step, loss }, k) => ({
    x: step.map((at) => at - fan.step),
    y: loss,
    colour: colourOf(k, fan.futures.length),
    k,
    strong: k === hot,
    alpha: hot == null || k === hot ? 1 : 0.3,
  }));
}

/** A disc and a ring where the best one and the lowest one end. */
function drawEnds(context, { X, span, panes: [{ Y }] }, fan) {
  const best = bestOf(fan);
  const lowest = lowestOf(fan);
  context.strokeStyle = look.ink;
  fan.futures.forEach((future, k) => {
    const { step, loss } = future;
    const [at, y] = [step.at(-1) - fan.step, Y(loss.at(-1))];
    const x = X(at);
    const marked = [best, lowest].includes(future.future);
    if (loss.at(-1) == null || at > span[1] || at < span[0] || !marked) return;
    context.beginPath();
    context.lineWidth = 2;
    context.arc(x, y, 6, 0, 7);
    context.fillStyle = future.future === best ? colourOf(k, fan.futures.length) : look.panel;
    context.fill();
    context.stroke();
  });
}
