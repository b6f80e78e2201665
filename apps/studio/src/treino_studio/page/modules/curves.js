/** Loss and accuracy (or error) over the steps: training and validation, of this run and those beside it. */

import { makeChart } from './chart.js';
import { $, setText } from './dom.js';
import { fixed, whole } from './numbers.js';
import { axisEnd, lastAt, viewStep } from './store.js';
import { look } from './theme.js';
import { t } from './words.js';

/** The figure beside the loss: accuracy where there are classes, else the root mean square error. */
export function metricOf(store) {
  const names = Object.keys(store.frame?.evaluation?.train ?? store.curves.get(store.name)?.epochs.at(-1)?.train ?? {});
  return ['accuracy', 'rmse', ...names].find((name) => names.includes(name) && name !== 'loss') ?? null;
}

/**
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeCurves(page) {
  const canvas = $('#curves-canvas');
  const chart = makeChart(canvas, { pick: ({ x }) => page.lookAt(Math.min(x, page.store.state.last_step)) });
  $('#now').before(chart.tools);

  function draw(store) {
    const { state } = store;
    if (!state) return;
    const runs = runsOf(store);
    const metric = metricOf(store);
    const step = viewStep(store);
    const now = figuresAt(store, metric, step);
    const narrow = canvas.clientWidth < 560;
    chart.draw({
      panes: [
        { lines: lossLines(runs, now), log: false, falls: true },
        metric && { lines: figureLines(runs, metric, now), ...boundsOf(runs, metric) },
      ].filter(Boolean),
      x: { name: t('word_step'), end: axisEnd(store) },
      marks: state.marks.map((mark) => ({ x: mark.step, text: mark.text })),
      at: step,
      hint: t('click_step'),
      margin: { left: 46, right: narrow ? 14 : 160 },
      more(context, box) {
        drawNumbers(context, box, narrow, metric, now);
        if (String(page.span) === String(box.span)) return;
        page.span = box.span; // the time machine lies under it, on the same scale
        page.invalidate();
      },
    });
    const values = { step: whole(step), train: fixed(now.loss[0]), validation: fixed(now.loss[1]) };
    const more = metric ? `; ${t(metric)} ${fixed(now.figure[0])}, ${fixed(now.figure[1])}` : '';
    canvas.setAttribute('aria-label', t('curves_at', values) + more);
    setText($('#curves-title'), metric ? t(metric === 'accuracy' ? 'loss_and_accuracy' : 'loss_and_error') : t('loss'));
  }
  return { draw };
}

/** This run last, so that it lies above; a run beside begins where it parts from this one. */
function runsOf(store) {
  const { state } = store;
  const own = { letter: state.letter ?? 'A', from: 0, own: true, curves: store.curves.get(store.name) };
  const runs = [
    ...state.beside.map((b) => ({ letter: b.letter, from: b.step ?? 0, own: false, curves: store.curves.get(b.run) })),
    own,
  ].filter((run) => run.curves);
  return runs.map((run) => ({
    ...run,
    tag: runs.length > 1 ? run.letter : null,
    how: { dash: run.letter !== 'A', ...(run.own ? {} : { alpha: 0.55 }) },
  }));
}

/** What was measured at a step: of [train, validation]. */
function figuresAt({ curves, name, frame }, metric, step) {
  const measured =
    frame?.step === step && frame.evaluation ? frame.evaluation : lastAt(curves.get(name)?.epochs ?? [], step);
  const pairOf = (figure) => ['train', 'validation'].map((split) => measured?.[split]?.[figure] ?? null);
  return { loss: pairOf('loss'), figure: metric ? pairOf(metric) : [] };
}

const named = (run, ...words) => [run.tag, words.join(', ')].filter(Boolean).join(' · ');

/** The losses of every step and of the validation rows, before what rewinds have left. */
function lossLines(runs, now) {
  const past = runs
    .flatMap(({ curves }) => curves.past ?? [])
    .map(({ step, loss }) => ({ x: step, y: loss, colour: look.ghost, width: 1.4, alpha: 0.8 }));
  return [
    ...past,
    ...runs.flatMap((run) => {
      const first = run.from ? run.curves.step.findIndex((step) => step > run.from) : 0;
      const begin = first < 0 ? run.curves.step.length : first;
      const every = {
        x: run.curves.step.slice(begin),
        y: run.curves.loss.slice(begin),
        colour: look.train,
        noisy: true,
        width: 2.4,
        name: named(run, t('batch_loss')),
        tag: run.tag,
        ring: run.from > 0,
        dot: run.own ? now.loss[0] : null,
      };
      return [
        { ...every, ...run.how },
        ...memberLines(run, 'loss'),
        lineOf(run, 'validation', 'loss', look.val, now.loss[1]),
      ];
    }),
  ];
}

/** Training rows are measured where somebody looks: beside the vital signs. */
const figureLines = (runs, metric, now) =>
  runs.flatMap((run) => [
    ...memberLines(run, metric),
    lineOf(run, 'train', metric, look.train, now.figure[0], run.curves.vitals),
    lineOf(run, 'validation', metric, look.val, now.figure[1]),
  ]);

/** Of an ensemble in hand, each network's figure on validation rows, thin; the answer's lies above them. */
function memberLines({ curves: { epochs, members = epochs.filter((epoch) => epoch.members?.loss) }, own }, figure) {
  return !own || !members.length
    ? []
    : members[0].members.loss.map((_, k) => ({
        x: members.map(({ step }) => step),
        y: members.map((epoch) => epoch.members[figure]?.[k] ?? null),
        colour: look.val,
        width: 1,
        alpha: 0.5,
      }));
}

/** A figure of each epoch, or where else it was measured. */
function lineOf(run, split, figure, colour, dot, entries = run.curves.epochs) {
  const known = entries.filter((entry) => entry.step >= run.from && entry[split]?.[figure] != null);
  return {
    x: known.map(({ step }) => step),
    y: known.map((entry) => entry[split][figure]),
    colour,
    name: named(run, t(figure), t(split)),
    dot: run.own ? dot : null,
    strong: split === 'validation' && Boolean(known.at(-1)?.members),
    looked: split === 'train',
    ...run.how,
  };
}

/** Accuracies stand between a round share below the lowest, at most a half, and 1; errors like losses. */
function boundsOf(runs, metric) {
  if (metric !== 'accuracy') return { log: false, falls: true };
  const all = runs.flatMap(({ curves }) =>
    [...curves.epochs, ...curves.vitals].flatMap(({ train, validation }) => [
      train?.accuracy ?? 1,
      validation?.accuracy ?? 1,
    ]),
  );
  return { log: null, low: Math.floor(10 * Math.min(0.5, ...all)) / 10, high: 1 };
}

function drawNumbers(context, box, narrow, metric, now) {
  const write = narrow ? inline : stacked;
  const [{ t: top }, below] = box.panes;
  write(context, box, narrow ? top + 2 : top, t('loss'), now.loss);
  if (metric) write(context, box, narrow ? box.b - 8 : below.t, t(metric), now.figure);
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
    const text = fixed(value);
    const wide = context.measureText(text).width;
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
  for (const [text, colour] of [
    [fixed(validation), look.val_text],
    [fixed(train), look.train_text],
    [title, look.ink],
  ]) {
    context.font = `600 14px ${look.font}`;
    context.strokeStyle = look.panel;
    context.lineWidth = 4;
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
    x -= context.measureText(text).width + 10;
  }
}
