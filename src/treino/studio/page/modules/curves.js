/** Loss and accuracy (or error) over the steps: training and validation, of this run and those beside it. */

import { $, cleared, pointIn, setText } from './dom.js';
import { clamp, fixed, num, roundEnd, ticks, whole } from './numbers.js';
import { lastAt, placeAt, viewStep } from './store.js';
import { look } from './theme.js';
import { head, hideTip, pair, showTip, soft } from './tip.js';
import { t } from './words.js';

/** The figure beside the loss: accuracy where there are classes, else the root mean square error. */
export function metricOf(store) {
  const names = Object.keys(store.frame?.evaluation?.train ?? store.curves.get(store.name)?.epochs.at(-1)?.train ?? {});
  return ['accuracy', 'rmse', ...names].find((name) => names.includes(name) && name !== 'loss') ?? null;
}

export function makeCurves(page) {
  const canvas = $('#curves-canvas');
  let marks = [], box = null, hover = null;

  function draw(store) {
    const { state } = store;
    if (!state || !canvas.clientWidth) return;
    const { context, width, height } = cleared(canvas), runs = runsOf(store), metric = metricOf(store);
    box = boxOf(width, height, store, metric, runs);
    drawFrame(context, box);
    drawRuns(context, box, runs, metric);
    marks = drawMarks(context, box, state.marks);
    const now = figuresAt(store, metric, viewStep(store));
    drawNow(context, box, now, viewStep(store));
    if (hover != null) dotted(context, box, box.X(hover));
    if (runs.length > 1) drawLetters(context, box, runs);
    drawNumbers(context, box, metric, now);
    const values = { step: whole(viewStep(store)), train: fixed(now.loss[0]), validation: fixed(now.loss[1]) };
    const more = metric ? `; ${t(metric)} ${fixed(now.metric[0])}, ${fixed(now.metric[1])}` : '';
    canvas.setAttribute('aria-label', t('curves_at', values) + more);
    setText($('#curves-title'), metric ? t(metric === 'accuracy' ? 'loss_and_accuracy' : 'loss_and_error') : t('loss'));
  }

  canvas.addEventListener('pointermove', (event) => {
    const { store } = page;
    if (!box || !store.state) return;
    const [x] = pointIn(event), metric = metricOf(store), step = Math.min(box.step(x), store.state.last_step);
    const mark = marks.find((m) => Math.abs(m.x - x) < 6), at = mark?.step ?? step, found = figuresAt(store, metric, at, true);
    hover = at;
    page.invalidate();
    const rows = store.state.data.rows;
    showTip(
      event,
      head(`${t('step_n', { step: whole(at) })}`),
      mark && soft(mark.text),
      pair(t('batch_loss'), fixed(found.batch, 4)),
      ['loss', metric].filter(Boolean).flatMap((name) => found.epoch && [
        pair(`${t(name)}, ${t('train')}`, fixed(found.epoch.train?.[name], 4)),
        pair(`${t(name)}, ${t('validation')}`, fixed(found.epoch.validation?.[name], 4)),
      ]),
      found.epoch && soft(t('measured_at', { step: whole(found.epoch.step), rows: whole(rows.validation ?? 0) })),
      soft(t('click_step')),
    );
  });
  canvas.addEventListener('pointerleave', () => {
    hover = null;
    hideTip();
    page.invalidate();
  });
  canvas.addEventListener('click', (event) => {
    if (box) page.lookAt(box.step(pointIn(event)[0]));
  });
  return { draw };
}

/** This run last, so that it lies above; a run beside begins where it parts from this one. */
function runsOf(store) {
  const { state } = store, own = { letter: state.letter ?? 'A', from: 0, own: true, curves: store.curves.get(store.name) };
  const beside = state.beside.map((b) => ({ letter: b.letter, from: b.step ?? 0, own: false, curves: store.curves.get(b.run) }));
  return [...beside, own].filter((run) => run.curves).map((run) => ({ ...run, dashed: run.letter !== 'A' }));
}

/** What was measured at a step. of [train, validation]; batch: the loss of the steps just before. */
function figuresAt(store, metric, step, measured = false) {
  const curves = store.curves.get(store.name), { frame } = store;
  const epoch = curves ? lastAt(curves.epochs, step) : null, place = curves ? placeAt(curves.step, step) : -1;
  const said = !measured && frame?.step === step && frame.evaluation ? frame.evaluation : epoch;
  const pairOf = (name) => [said?.train?.[name] ?? null, said?.validation?.[name] ?? null];
  return { loss: pairOf('loss'), metric: metric ? pairOf(metric) : [], batch: place >= 0 ? curves.loss[place] : null, epoch };
}

function boxOf(width, height, store, metric, runs) {
  const narrow = width < 560, l = 46, r = width - (narrow ? 14 : 160), t0 = 27, gap = 20, b = height - 22;
  const middle = metric ? t0 + (b - t0 - gap) * 0.62 : b, most = Math.max(store.state.last_step, ...runs.map((run) => run.curves.step.at(-1) ?? 0));
  const end = roundEnd(most), X = (step) => l + (step / end) * (r - l);
  const top = lossTop(runs), low = metric === 'accuracy' ? lowestAccuracy(runs, metric) : 0;
  const high = metric === 'accuracy' ? 1 : metricTop(runs, metric);
  return {
    l, r, t: t0, middle, t2: middle + gap, b, narrow, end, top, low, high, metric, X,
    step: (x) => clamp(Math.round(((x - l) / (r - l)) * end), 0, store.state.last_step),
    lossY: (v) => middle - (Math.min(v, top) / top) * (middle - t0),
    metricY: (v) => b - ((clamp(v, low, high) - low) / (high - low || 1)) * (b - middle - gap),
  };
}

/** What a wild rate throws far above the first losses is shown at the upper edge. */
function lossTop(runs) {
  let top = 0, first = 0;
  for (const { curves } of runs) {
    const begin = curves.loss.slice(0, 12).filter(Number.isFinite);
    first = Math.max(first, begin.reduce((sum, v) => sum + v, 0) / (begin.length || 1));
    for (const v of curves.loss) if (v > top) top = v;
    for (const epoch of curves.epochs) top = Math.max(top, epoch.validation?.loss ?? 0, epoch.train?.loss ?? 0);
  }
  return 1.06 * Math.max(1e-6, first > 0 ? Math.min(top, 2.5 * first) : top || 1);
}

function lowestAccuracy(runs, metric) {
  let low = 0.5;
  for (const { curves } of runs)
    for (const epoch of curves.epochs) low = Math.min(low, epoch.train?.[metric] ?? 1, epoch.validation?.[metric] ?? 1);
  return Math.max(0, Math.floor(low * 10) / 10);
}

function metricTop(runs, metric) {
  let top = 0;
  for (const { curves } of runs) {
    const first = curves.epochs[0]?.validation?.[metric] ?? curves.epochs[0]?.train?.[metric] ?? Infinity;
    for (const epoch of curves.epochs)
      top = Math.max(top, Math.min(2.5 * first, Math.max(epoch.train?.[metric] ?? 0, epoch.validation?.[metric] ?? 0)));
  }
  return 1.06 * top || 1;
}

function drawFrame(context, box) {
  const { l, r, b } = box;
  context.lineWidth = 1;
  context.strokeStyle = look.line;
  context.fillStyle = look.soft;
  context.font = `12px ${look.font}`;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  const rule = (value, y) => {
    context.beginPath();
    context.moveTo(l, y);
    context.lineTo(r, y);
    context.stroke();
    context.fillText(num(value), l - 8, y);
  };
  for (const v of ticks(0, box.top, 4)) rule(v, box.lossY(v));
  if (box.metric) for (const v of ticks(box.low, box.high, 2)) rule(v, box.metricY(v));
  context.textAlign = 'center';
  context.textBaseline = 'top';
  for (const v of ticks(0, box.end, box.narrow ? 4 : 8)) context.fillText(whole(v), box.X(v), b + 7);
}

function drawRuns(context, box, runs, metric) {
  context.save();
  context.beginPath();
  context.rect(box.l, box.t - 3, box.r - box.l + 2, box.b - box.t + 6);
  context.clip();
  context.lineJoin = 'round';
  for (const { curves } of runs)
    for (const past of curves.past ?? []) line(context, box, past.step, past.loss, box.lossY, look.ghost, 1.4, 0.8, []);
  for (const run of runs) {
    const { curves, dashed } = run, from = run.from ? placeAt(curves.step, run.from) + 1 : 0, alpha = run.own ? 1 : 0.55;
    const steps = curves.step.slice(from), losses = curves.loss.slice(from), near = Math.max(2, Math.round(curves.step.length * 0.012));
    band(context, box, steps, losses, near, alpha);
    const dash = dashed ? [7, 5] : [], epochs = curves.epochs.filter((epoch) => epoch.step >= run.from);
    line(context, box, steps, smooth(losses, near), box.lossY, look.train, 2.4, alpha, dash);
    const series = (split, name, Y, colour, width) => {
      const at = epochs.filter((epoch) => epoch[split]?.[name] != null);
      line(context, box, at.map((e) => e.step), at.map((e) => e[split][name]), Y, colour, width, alpha, dash);
    };
    series('validation', 'loss', box.lossY, look.val, 2.4);
    if (!metric) continue;
    series('train', metric, box.metricY, look.train, 2.2);
    series('validation', metric, box.metricY, look.val, 2.2);
  }
  context.restore();
}

function line(context, box, steps, values, Y, colour, width, alpha, dash) {
  const every = Math.max(1, Math.floor(values.length / Math.max(200, box.r - box.l)));
  context.setLineDash(dash);
  context.globalAlpha = alpha;
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  for (let i = 0; i < values.length; i += every) if (Number.isFinite(values[i])) context.lineTo(box.X(steps[i]), Y(values[i]));
  const last = values.length - 1;
  if (Number.isFinite(values[last])) context.lineTo(box.X(steps[last]), Y(values[last]));
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** The lowest and highest losses around each step, behind their mean. */
function band(context, box, steps, values, near, alpha) {
  const every = Math.max(1, Math.floor(values.length / Math.max(200, box.r - box.l))), up = [], down = [];
  for (let i = 0; i < values.length; i += every) {
    let low = Infinity, high = -Infinity;
    for (let k = Math.max(0, i - near); k <= Math.min(values.length - 1, i + near); k++)
      if (values[k] != null) {
        low = Math.min(low, values[k]);
        high = Math.max(high, values[k]);
      }
    if (high < low) continue;
    up.push([box.X(steps[i]), box.lossY(high)]);
    down.push([box.X(steps[i]), box.lossY(low)]);
  }
  context.globalAlpha = 0.16 * alpha;
  context.fillStyle = look.train;
  context.beginPath();
  for (const place of [...up, ...down.reverse()]) context.lineTo(...place);
  context.fill();
  context.globalAlpha = 1;
}

/** The mean over a few values on either side; gaps stay gaps. */
function smooth(values, near) {
  if (near < 2 && values.length < 60) return values;
  const sums = new Float64Array(values.length + 1), counts = new Uint32Array(values.length + 1);
  values.forEach((v, i) => {
    sums[i + 1] = sums[i] + (v ?? 0);
    counts[i + 1] = counts[i] + (v == null ? 0 : 1);
  });
  return values.map((v, i) => {
    const a = Math.max(0, i - near), b = Math.min(values.length, i + near + 1);
    return v == null ? null : (sums[b] - sums[a]) / (counts[b] - counts[a]);
  });
}

function drawLetters(context, box, runs) {
  context.font = `700 12px ${look.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const { curves, letter, from, own } of runs) {
    const last = curves.loss.findLastIndex((v) => v != null);
    if (last < 0) continue;
    const x = box.X(curves.step[last]), y = box.lossY(curves.loss[last]);
    if (from) {
      const at = Math.max(0, placeAt(curves.step, from));
      context.beginPath();
      context.arc(box.X(from), box.lossY(curves.loss[at] ?? 0), 5, 0, 7);
      context.fillStyle = look.panel;
      context.fill();
      context.lineWidth = 2;
      context.strokeStyle = look.ink;
      context.stroke();
    }
    context.beginPath();
    context.roundRect(x + 8, y - 9, 18, 18, 9);
    context.fillStyle = own ? look.ink : look.strong;
    context.fill();
    context.fillStyle = look.panel;
    context.fillText(letter, x + 17, y + 0.5);
  }
}

/** All that was changed at one step is one mark; → their places. */
function drawMarks(context, box, marks) {
  const joined = [];
  for (const mark of marks) {
    const last = joined.at(-1);
    if (last?.step === mark.step) last.text = [last.text, mark.text].filter(Boolean).join(' · ');
    else joined.push({ ...mark });
  }
  context.font = `600 12px ${look.font}`;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  let left = box.r + 10;
  for (const mark of joined.reverse()) {
    const x = (mark.x = box.X(mark.step)), wide = context.measureText(mark.text).width + 14;
    context.strokeStyle = context.fillStyle = look.mark;
    context.lineWidth = 1.2;
    context.globalAlpha = 0.8;
    context.setLineDash([4, 3]);
    context.beginPath();
    context.moveTo(x, box.t - 8);
    context.lineTo(x, box.b);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
    const at = clamp(x - wide / 2, box.l - 30, Math.max(box.l - 30, box.r - wide + 20));
    context.beginPath();
    if (mark.text && at + wide <= left - 4) {
      context.roundRect(at, 1, wide, 19, 9.5);
      context.fill();
      context.fillStyle = look.panel;
      context.fillText(mark.text, at + wide / 2, 11);
      left = at;
    } else {
      context.arc(x, box.t - 3, 3.5, 0, 7);
      context.fill();
    }
  }
  return joined;
}

/** The step in view, through both pictures. */
function drawNow(context, box, now, step) {
  const x = box.X(step);
  context.strokeStyle = look.ink;
  context.lineWidth = 1.5;
  context.globalAlpha = 0.85;
  context.beginPath();
  context.moveTo(x, box.t - 4);
  context.lineTo(x, box.b);
  context.stroke();
  context.globalAlpha = 1;
  for (const [values, Y, top] of [[now.loss, box.lossY, box.top], [now.metric, box.metricY, Infinity]])
    values.forEach((value, k) => {
      if (value == null) return;
      context.beginPath();
      if (value > top) {
        context.moveTo(x, box.t - 5);
        context.lineTo(x + 6, box.t + 5);
        context.lineTo(x - 6, box.t + 5);
        context.closePath();
      } else context.arc(x, Y(value), 4.5, 0, 7);
      context.fillStyle = k ? look.val : look.train;
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = look.panel;
      context.stroke();
    });
}

function dotted(context, box, x) {
  context.strokeStyle = look.soft;
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(x, box.t);
  context.lineTo(x, box.b);
  context.stroke();
  context.setLineDash([]);
}

function drawNumbers(context, box, metric, now) {
  const write = box.narrow ? inline : stacked;
  write(context, box, box.narrow ? box.t + 2 : box.t, t('loss'), now.loss);
  if (metric) write(context, box, box.narrow ? box.b - 8 : box.t2, t(metric), now.metric);
}

function stacked(context, box, y, title, values) {
  const x = box.r + 16;
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  context.font = `600 13px ${look.font}`;
  context.fillStyle = look.ink;
  context.fillText(title, x, y + 4);
  values.forEach((value, k) => {
    context.fillStyle = k ? look.val_text : look.train_text;
    context.font = `600 18px ${look.font}`;
    const text = fixed(value), wide = context.measureText(text).width;
    context.fillText(text, x, y + 26 + 24 * k);
    context.font = `12px ${look.font}`;
    context.fillText(t(k ? 'validation' : 'train'), x + wide + 8, y + 26 + 24 * k);
  });
}

/** On a narrow page in one line, in the corner that a falling (or a rising) curve leaves free. */
function inline(context, box, y, title, [train, validation]) {
  let x = box.r - 4;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  for (const [text, colour] of [[fixed(validation), look.val_text], [fixed(train), look.train_text], [title, look.ink]]) {
    context.font = `600 14px ${look.font}`;
    context.strokeStyle = look.panel;
    context.lineWidth = 4;
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
    x -= context.measureText(text).width + 10;
  }
}
