/** Futures of one step: their validation losses as a fan of curves, and where each ends as a small picture. */

import { $, cleared, el, pointIn, setText } from './dom.js';
import { logTicks, num, ticks, whole } from './numbers.js';
import { makePixels, marginOf, paintClasses, paintRange } from './pixels.js';
import { look } from './theme.js';
import { t } from './words.js';

const COUNT = 64, STEPS = 200;
const KINDS = ['lr', 'batch_size', 'seed'];
const LIGHT = ['#3b2a78', '#355f9e', '#1f8a8c', '#2aa876', '#8dbb2a', '#e0a500', '#e0701a', '#c0262d'];
const DARK = ['#8f7fe0', '#6aa3ea', '#4cc2c0', '#58d39b', '#b4d94c', '#f2c230', '#f7934a', '#ff6b6b'];

export function makeFan(page) {
  const canvas = $('#fan-canvas'), panel = $('#fanout'), grid = $('#fan-grid');
  let cells = [], hot = null, shown = '', painted = null, wanted = false;
  let opened = 0, left = null; // how often futures were asked for; the number of the fan that was left last
  const inView = (store) => (store.fan?.number === left ? null : store.fan);

  $('#fan-kind').addEventListener('change', (event) => start(event.target.value));
  $('#fan-close').addEventListener('click', close);
  canvas.addEventListener('pointermove', (event) => setHot(nearestFuture(page.store.fan, canvas, ...pointIn(event))));
  canvas.addEventListener('pointerleave', () => setHot(null));
  canvas.addEventListener('click', () => { if (hot != null) choose(hot); });

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
  async function start(kind) {
    opened += 1;
    shown = '';
    show(true);
    if (!(await page.command('fan', { kind, count: COUNT, steps: STEPS }))) show(false);
  }
  function close() {
    if (panel.hidden) return false;
    leave();
    if (page.store.state.steers) page.command('fan', { kind: $('#fan-kind').value, count: 0, steps: STEPS });
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
  function setHot(future) {
    if (future === hot) return;
    hot = future;
    cells.forEach(({ button }, k) => button.classList.toggle('hot', k === hot));
    page.invalidate();
  }
  async function choose(k) {
    const as = $('#fan-as').value || 'branch', before = opened;
    const reply = await page.command('adopt', { future: page.store.fan.futures[k].future, as });
    if (!reply) return;
    if (before === opened) leave(); // else others are asked for already
    if (reply.run && as === 'branch') page.say(t('went_on', { run: reply.run }));
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
    if (!fan) return;
    build(fan, store.state.steers);
    const best = fan.futures.find((f) => f.future === fan.best), done = fan.done >= fan.steps;
    setText($('#fan-about'), done && best ? t('fan_best', { loss: num(best.worth, 3), what: best.text }) : t('fan_progress', { done: whole(fan.done), steps: whole(fan.steps) }));
    $('#fan-kind').value = fan.kind;
    fan.futures.forEach((future, k) => {
      const { button } = cells[k];
      button.classList.toggle('dead', future.status === 'diverged');
      button.classList.toggle('best', done && future.future === fan.best);
      button.disabled = !store.state.steers;
      const loss = future.status === 'diverged' ? t('status_diverged') : num(future.worth ?? future.loss.at(-1), 3);
      button.setAttribute('aria-label', t('go_on_with', { what: future.text, loss }));
    });
    if (store.fanFrame && painted !== store.fanFrame) paintCells(store, (painted = store.fanFrame));
    drawFan(canvas, fan, hot);
  }

  function build(fan, steers) {
    const key = [fan.number, fan.futures.length, look.version, steers, document.documentElement.lang].join();
    if (key === shown) return;
    shown = key;
    painted = null;
    cells = fan.futures.map((future, k) => {
      const picture = el('canvas', { width: 48, height: 48, 'aria-hidden': 'true' }), swatch = el('i', { class: 'swatch' });
      swatch.style.background = colourOf(k, fan.futures.length);
      const button = el('button', { class: 'future', type: 'button', title: future.text, onclick: () => choose(k), onmouseenter: () => setHot(k), onmouseleave: () => setHot(null), onfocus: () => setHot(k), onblur: () => setHot(null) }, picture, swatch, el('span', { 'aria-hidden': 'true' }, shortText(future)));
      return { button, picture };
    });
    grid.replaceChildren(...cells.map((cell) => cell.button));
  }

  function paintCells(store, frame) {
    const picture = frame.parts.winner ?? frame.parts.value;
    if (!picture) return;
    const [count, rows, columns] = picture.shape, size = rows * columns, pixels = makePixels(columns, rows);
    const values = frame.parts.value?.data, margin = marginOf(frame);
    let low = Infinity, high = -Infinity;
    if (values) for (const v of values) if (Number.isFinite(v)) [low, high] = [Math.min(low, v), Math.max(high, v)];
    for (let k = 0; k < Math.min(count, cells.length); k++) {
      const from = k * size, to = from + size;
      if (values) paintRange(pixels, values.subarray(from, to), low, high);
      else paintClasses(pixels, picture.data.subarray(from, to), margin.subarray(from, to));
      cells[k].picture.getContext('2d').drawImage(pixels.canvas, 0, 0, 48, 48);
    }
  }
  return { toggle, close, update, draw, relabel };
}

const shortText = ({ changes, text }) => {
  const values = Object.values(changes ?? {});
  return values.length === 1 ? (typeof values[0] === 'number' ? num(values[0], 2) : String(values[0])) : text;
};

/** Dark to light over the futures' order; each end is told from the ground in both themes. */
function colourOf(k, count) {
  return (look.dark ? DARK : LIGHT)[Math.min(7, Math.floor((k * 8) / count))];
}

const inFan = new WeakMap(); // the canvas's box and places, for the pointer

function drawFan(canvas, fan, hot) {
  if (!canvas.clientWidth) return;
  const { context, width, height } = cleared(canvas), l = 46, r = width - 26, t0 = 10, b = height - 40;
  const alive = fan.futures.filter((f) => f.status !== 'diverged'), firsts = fan.futures.map((f) => f.loss[0]).filter((v) => v > 0);
  const first = firsts.length ? Math.max(...firsts) : 1, lasts = alive.flatMap((f) => f.loss).filter((v) => v > 0);
  const sorted = [...lasts].sort((a, q) => a - q), most = sorted[Math.floor(sorted.length * 0.97)] ?? first; // wild rates leave the picture
  const top = Math.max(first * 1.04, Math.min(most * 1.04, first * 2.5)), low = Math.max(first / 1e4, Math.min(first * 0.8, ...lasts) * 0.92);
  const X = (step) => l + ((step - fan.step) / fan.steps) * (r - l), Y = (v) => b - (Math.log(Math.min(Math.max(v, low), top * 1.2) / low) / Math.log(top / low)) * (b - t0);
  context.font = `12px ${look.font}`;
  context.fillStyle = look.soft;
  context.strokeStyle = look.line;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const v of logTicks(low, top)) {
    context.beginPath();
    context.moveTo(l, Y(v));
    context.lineTo(r, Y(v));
    context.stroke();
    context.fillText(num(v), l - 8, Y(v));
  }
  context.textBaseline = 'top';
  context.textAlign = 'center';
  for (const v of ticks(0, fan.steps, 4)) context.fillText('+' + whole(v), X(fan.step + v), b + 7);
  context.fillStyle = look.ink;
  context.font = `13px ${look.font}`;
  context.textBaseline = 'bottom';
  context.fillText(t('steps_after', { step: whole(fan.step) }), (l + r) / 2, height - 1);
  context.save();
  context.beginPath();
  context.rect(l, t0, r - l + 3, b - t0 + 3);
  context.clip();
  context.lineJoin = 'round';
  const order = fan.futures.map((_, k) => k).sort((a, q) => (a === hot) - (q === hot));
  for (const k of order) {
    const { step, loss } = fan.futures[k];
    context.beginPath();
    loss.forEach((v, i) => { if (v != null) context.lineTo(X(step[i]), Y(v)); });
    if (k === hot) {
      context.strokeStyle = look.panel;
      context.lineWidth = 7;
      context.stroke();
    }
    context.strokeStyle = colourOf(k, fan.futures.length);
    context.lineWidth = k === hot ? 3.5 : 1.4;
    context.globalAlpha = k === hot ? 1 : hot != null ? 0.18 : 0.75;
    context.stroke();
    context.globalAlpha = 1;
  }
  context.restore();
  inFan.set(canvas, { X, Y });
}

/** The future whose curve passes nearest, within a dozen pixels. */
function nearestFuture(fan, canvas, x, y) {
  const places = inFan.get(canvas);
  let found = null, least = 12;
  if (fan && places)
    fan.futures.forEach(({ step, loss }, k) => loss.forEach((v, i) => {
      const away = v == null ? Infinity : Math.hypot((places.X(step[i]) - x) / 3, places.Y(v) - y);
      if (away < least) [least, found] = [away, k];
    }));
  return found;
}

