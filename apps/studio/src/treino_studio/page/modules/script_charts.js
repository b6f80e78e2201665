/** The charts of a script: its losses and accuracies, learning rates and gradient norms, of each of its processes. */

import { chart, colourOf, shown } from './lines.js';
import { whole } from './numbers.js';
import { look } from './theme.js';
import { localised, t } from './words.js';

const KEPT = 'treino.script.view'; // in the tab's storage: axis, smoothing and zoom as chosen
const MARKS = 40; // changes that are marked, the newest
const SPLITS = { train: 'train', validation: 'validation', test: 'test', '': 'as_printed' };

const views = stored();
addEventListener('pagehide', () => {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(views));
  } catch {
    /* a private window keeps nothing */
  }
});

/** pick(step): a click on the curves. laid(box): the losses are drawn, and lie there. */
export function makeCharts(pick, laid) {
  const made = ['loss', 'lr', 'norm'].map((name) => {
    views[name] ??= {};
    return chart(t({ loss: 'loss_and_accuracy', lr: 'learning_rates', norm: 'gradient_norms' }[name]), {
      view: views[name],
      ...(name === 'loss' ? { pick: ({ x }) => pick(x) } : {}),
    });
  });
  const [losses, rates, norms] = made;

  /** curves: by name { run, of, name, step, loss }. */
  function draw(state, curves) {
    const runs = runsOf(state);
    const several = runs.length > 1;
    const figures = { loss: [], accuracy: [] };
    for (const run of runs) {
      const own = curves.get(run.name);
      if (own?.step.length)
        figures.loss.push(
          line(own, [several && run.title, nameOfLoss(own)].filter(Boolean).join(' · '), look.train, run, {
            noisy: true,
            ring: run.number > 0,
            tag: run.number ? String(run.number) : null,
          }),
        );
      for (const each of state.figures[run.name] ?? []) {
        const found = curves.get(each.curve);
        if (found)
          figures[each.name].push(
            line(found, run.present ? titleOf(each) : null, colourOfFigure(each), run, {
              ...(each.split === 'train' ? { dash: true } : {}),
              dot: true,
            }),
          );
      }
    }
    const x = {
      name: t('word_step'),
      end: Math.max(
        1,
        state.step,
        ...[...curves.values()].map(({ step }) => step.at(-1) ?? 0),
        ...(state.checkpoints?.list ?? []).map(({ step }) => step),
      ),
    };
    const panes = [
      { name: t('loss'), lines: figures.loss, falls: true },
      ...(figures.accuracy.length ? [{ name: t('accuracy'), lines: figures.accuracy, log: null, high: 1 }] : []),
    ];
    const margin = several ? { right: 30 } : {}; // for the numbers of the branches
    losses.draw({ panes, x, margin, marks: marksOf(state.changes), more: (_context, box) => laid(box) });
    rates.draw({ panes: [{ lines: ofKind(curves, 'lr', runs, state.present) }], x });
    norms.draw({ panes: [{ lines: ofKind(curves, 'norm', runs, state.present) }], x });
  }
  return { losses, rates, norms, draw };
}

/** The processes that have curves: the first one and its branches, the present one last, above the others. */
export function runsOf(state) {
  const known = state.branches.length ? state.branches : [{ number: 0, present: true, text: '' }];
  const runs = known.map(({ number, text, present }) => ({
    number,
    present,
    name: number ? `branch-${number}` : 'script',
    title: titleOfRun({ number, text }),
  }));
  return runs.sort((a, b) => a.present - b.present);
}
export const titleOfRun = ({ number, text }) =>
  number ? [`branch-${number}`, localised(text ?? '')].filter(Boolean).join(' · ') : t('first_process');

/** A hue says which figure it is, on all ways; those that are not the present one are pale, in dashes. */
const line = ({ step, loss, low, high }, name, colour, { present }, more) => ({
  x: step,
  y: loss,
  low,
  high,
  name,
  colour,
  strong: present,
  ...(present ? {} : { alpha: 0.45, dash: true }),
  ...more,
});

/** What a point of a curve of losses is: of many steps the mean of some. */
export const nameOfLoss = ({ step, low }) =>
  low?.length ? t('batch_loss_mean', { n: whole(step[1] - step[0]) }) : `${t('loss')}, ${t('train')}`;

const titleOf = ({ name, split, line: place, printed }) =>
  [t(name), t(SPLITS[split]), place != null && t('line_number', { line: place }), split && printed && t('printed')]
    .filter(Boolean)
    .join(', ');
/** As on a run's page. */
const colourOfFigure = ({ name, split }) =>
  name === 'accuracy'
    ? ({ train: look.train_figure, validation: look.val_figure }[split] ?? colourOf(split === 'test' ? 7 : 8))
    : ({ train: look.train, validation: look.val, test: look.ink }[split] ?? look.mark);

function ofKind(curves, of, runs, present) {
  const colours = [look.ink, look.soft]; // no figure's hue
  return runs.flatMap((run) =>
    [...curves.values()]
      .filter((curve) => curve.of === of && (curve.run === run.name || curve.run.startsWith(`${run.name} `)))
      .map((curve, k) =>
        line(curve, run.name === present ? curve.name : null, colours[k % 2], run, k % 4 > 1 ? { dash: true } : {}),
      ),
  );
}

export const changeOf = (change) =>
  change.button ?? `${change.name ? t(change.name) : change.do} ${shown(change.before)} → ${shown(change.value)}`;
const marksOf = (changes) =>
  changes
    .slice(-MARKS)
    .map((change) => ({ x: change.step, text: change.button ?? `${change.name ?? change.do} ${shown(change.value)}` }));

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}
