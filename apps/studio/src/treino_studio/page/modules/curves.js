/** Loss and accuracy (or error) over the steps: training and validation, of this run and those beside it. */

import { makeChart } from './chart.js';
import { $, el, setText } from './dom.js';
import { fixed, whole } from './numbers.js';
import { axisEnd, figureAt, partOf, viewStep } from './store.js';
import { look } from './theme.js';
import { t } from './words.js';

const SPLITS = ['train', 'validation'];

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
  const list = $('#figures');
  $('#now').before(chart.tools);

  function draw(store) {
    const { state } = store;
    if (!state) return;
    const runs = runsOf(store);
    const metric = metricOf(store);
    const step = viewStep(store);
    const now = figuresNow(store, ['loss', ...(metric ? [metric] : [])]);
    chart.draw({
      panes: [
        { lines: lossLines(runs, now.loss, step), falls: true },
        metric && {
          lines: figureLines(runs, metric, now[metric], step, partOf(store.frame, 'train')),
          ...boundsOf(runs, metric),
        },
      ].filter(Boolean),
      x: { name: t('word_step'), end: axisEnd(store) },
      marks: state.marks.map((mark) => ({ x: mark.step, text: mark.text })),
      at: step,
      hint: t('click_step'),
      margin: { left: 46, right: 14 },
      more(_context, box) {
        if (String(page.span) === String(box.span)) return;
        page.span = box.span; // the time machine lies under it, on the same scale
        page.invalidate();
      },
    });
    canvas.setAttribute('aria-label', `${t('step_n', { step: whole(step) })}: ${showFigures(list, now, step)}`);
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

/** The figures at the step in view, by name: each {split, value, step, rows}. */
const figuresNow = (store, names) =>
  Object.fromEntries(names.map((name) => [name, SPLITS.map((split) => ({ split, ...figureAt(store, split, name) }))]));

const someOf = ([n, total]) => t('some_of_rows', { n: whole(n), total: whole(total) });

/** Of which step or rows a figure is, where it isn't of all rows at the step in view. */
function originOf({ step, rows, epoch }, at) {
  const said = [];
  if (epoch) said.push(t('mean_of_epoch', { epoch: whole(epoch) }));
  else if (step != null && step !== at) said.push(t('step_n', { step: whole(step) }));
  if (rows) said.push(someOf(rows));
  return said.join(', ');
}

/** The figures above the curves, in the colours of their lines, written where they changed; → the same in words. */
function showFigures(list, now, at) {
  const groups = Object.entries(now).map(([name, figures]) => ({
    name: t(name),
    kind: name === 'loss' ? name : 'metric', // each in hues of its own
    figures: figures.map((figure) => ({
      split: figure.split,
      value: fixed(figure.value),
      origin: [t(figure.split), originOf(figure, at)],
    })),
  }));
  const said = groups.map(
    ({ name, figures }) =>
      `${name} ${figures.map(({ value, origin }) => [value, ...origin].filter(Boolean).join(' ')).join(', ')}`,
  );
  const text = said.join('; ');
  if (list.dataset.said === text) return text;
  list.dataset.said = text;
  list.replaceChildren(
    ...groups.map(({ name, kind, figures }) =>
      el(
        'div',
        { class: kind },
        el('dt', {}, name),
        figures.map(({ split, value, origin: [of, more] }) =>
          el('dd', { class: split }, el('b', {}, value), ` ${of}`, more && el('small', {}, ` ${more}`)),
        ),
      ),
    ),
  );
  return text;
}

/** Where a curve is at the step in view: its figure, if it is of this step. */
const dotOf = (figures, split, at) => {
  const { value, step, epoch } = figures?.find((figure) => figure.split === split) ?? {};
  return step === at && !epoch ? value : null;
};

const named = (run, ...words) => [run.tag, words.join(', ')].filter(Boolean).join(' · ');

/** What a point of the losses is: of a long run the mean of several steps. */
const batchLoss = ({ step, low }) =>
  low?.length ? t('batch_loss_mean', { n: whole(step[1] - step[0]) }) : t('batch_loss');

/** The losses of every step and of the validation rows, before what rewinds have left. */
function lossLines(runs, figures, at) {
  const past = runs
    .flatMap(({ curves }) => curves.past ?? [])
    .map(({ step, loss }) => ({ x: step, y: loss, colour: look.ghost, width: 1.4, alpha: 0.8, aside: true }));
  return [
    ...past,
    ...runs.flatMap((run) => {
      const first = run.from ? run.curves.step.findIndex((step) => step > run.from) : 0;
      const begin = first < 0 ? run.curves.step.length : first;
      const every = {
        x: run.curves.step.slice(begin),
        y: run.curves.loss.slice(begin),
        low: run.curves.low?.slice(begin),
        high: run.curves.high?.slice(begin),
        colour: look.train,
        noisy: true,
        width: 2.4,
        name: named(run, batchLoss(run.curves)),
        tag: run.tag,
        ring: run.from > 0,
        dot: run.own ? dotOf(figures, 'train', at) : null,
      };
      return [
        { ...every, ...run.how },
        ...memberLines(run, 'loss', look.val),
        lineOf(run, 'validation', 'loss', look.val, dotOf(figures, 'validation', at)),
      ];
    }),
  ];
}

/** Training rows are measured where somebody looks: beside the vital signs. */
const figureLines = (runs, metric, figures, at, rows) =>
  runs.flatMap((run) => [
    ...memberLines(run, metric, look.val_figure),
    lineOf(run, 'train', metric, look.train_figure, dotOf(figures, 'train', at), run.curves.vitals, rows),
    lineOf(run, 'validation', metric, look.val_figure, dotOf(figures, 'validation', at)),
  ]);

/** Of an ensemble in hand, each network's figure on validation rows, thin; the answer's lies above them. */
function memberLines(
  { curves: { epochs, members = epochs.filter((epoch) => epoch.members?.loss) }, own },
  figure,
  colour,
) {
  return !own || !members.length
    ? []
    : members[0].members.loss.map((_, k) => ({
        x: members.map(({ step }) => step),
        y: members.map((epoch) => epoch.members[figure]?.[k] ?? null),
        colour,
        width: 1,
        alpha: 0.5,
      }));
}

/** A figure of each epoch, or where else it was measured. rows: [measured, all], where they are a part. */
function lineOf(run, split, figure, colour, dot, entries = run.curves.epochs, rows = null) {
  const known = entries.filter((entry) => entry.step >= run.from && entry[split]?.[figure] != null);
  return {
    x: known.map(({ step }) => step),
    y: known.map((entry) => entry[split][figure]),
    colour,
    name: named(run, t(figure), t(split), ...(rows ? [someOf(rows)] : [])),
    dot: run.own ? dot : null,
    strong: split === 'validation' && Boolean(known.at(-1)?.members),
    looked: split === 'train',
    ...run.how,
  };
}

/** Accuracies stand between a round share below the lowest, at most a half, and 1; errors like losses. */
function boundsOf(runs, metric) {
  if (metric !== 'accuracy') return { falls: true };
  const all = runs.flatMap(({ curves }) =>
    [...curves.epochs, ...curves.vitals].flatMap(({ train, validation }) => [
      train?.accuracy ?? 1,
      validation?.accuracy ?? 1,
    ]),
  );
  return { log: null, low: Math.floor(10 * Math.min(0.5, ...all)) / 10, high: 1 };
}
