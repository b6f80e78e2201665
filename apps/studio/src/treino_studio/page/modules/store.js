/** What the studio has told about a run: its state, rows, curves, the frame in view, and futures of a step. */

import { roundEnd } from './numbers.js';
import { localised } from './words.js';

export const ENDED = ['finished', 'stopped', 'interrupted', 'diverged', 'deleted']; // statuses
const PASTS = 8; // curves of futures that were left, at most

/**
 * What a page knows of a run. Settings stand under their names in `treino train`, with beta1 and beta2 for betas.
 *
 * @import { CurvesOfRun, FanOfRun, PointsOfRun, RunMessages, RunState, Settings } from '../protocol.d.ts'
 * @import { Part } from './frames.js'
 * @typedef {Partial<Settings> & { beta1?: number, beta2?: number }} PageSettings
 * @typedef {Omit<RunState, 'settings'> & { settings: PageSettings, lost?: boolean, takes?: string[] }} PageState
 * @typedef {{ segment: number, step: number[], loss: (number | null)[] }} PastLosses
 * @typedef {Required<Omit<CurvesOfRun, 'run' | 'from' | 'left'>> & { past: PastLosses[] }} Curves
 * @typedef {{ name: string, what: string, total: number, units: number[], labels: string[], dead: number[] }} Layer
 * @typedef {{
 *   parts: Record<string, Part>, first: number, layers: Layer[], step: number, frame: number, fan?: number,
 *   shows: string, evaluation: Record<string, Record<string, number | null>>,
 *   rows: Record<string, [measured: number, all: number]>, [name: string]: any,
 * }} Frame
 * @typedef {{
 *   name: string, state: PageState | null, points: PointsOfRun | null, frame: Frame | null, undrawn: Frame | null,
 *   curves: Map<string, Curves>, fan: FanOfRun | null, fanFrame: Frame | null,
 * }} Store
 */

/**
 * name: the run's. Its fields are read by the panels and written by take() alone.
 *
 * @returns {Store}
 */
export function makeStore(name) {
  return { name, state: null, points: null, frame: null, undrawn: null, curves: new Map(), fan: null, fanFrame: null };
}

/**
 * Take one message or frame in; → what it changed.
 *
 * @param {Store} store
 * @param {RunMessages & Frame} message
 * @returns {'state' | 'points' | 'curves' | 'frame' | 'fan' | 'notice'}
 */
export function take(store, message) {
  const { marks = [], history = [], beside = [], findings = [] } = message.state ?? {}; // settings' texts have numbers
  for (const each of [
    ...marks,
    ...history,
    ...beside,
    ...(message.fan?.futures ?? []),
    ...findings.map(({ remedy }) => remedy),
  ])
    if (each?.text) each.text = localised(each.text);
  if (message.parts) {
    if (message.fan != null) {
      store.fanFrame = message;
      return 'fan';
    }
    message.first = message.shows === 'images' ? 1 : 0; // the stage that layers begin with: pixels have no units
    store.frame = store.undrawn = message;
    return 'frame';
  }
  if (message.curves) {
    const { run, left, step, loss } = message.curves;
    const own = store.curves.get(store.name);
    if (left != null) {
      if (own)
        own.past = [...own.past.filter((each) => each.segment !== left), { segment: left, step, loss }].slice(-PASTS);
      return 'curves';
    }
    store.curves.set(
      run,
      joined(
        store.curves.get(run),
        message.curves,
        run === store.name && store.state?.segments?.at(-1).origin?.[1] === 0,
      ),
    );
    return 'curves';
  }
  if ('fan' in message) {
    store.fan = message.fan;
    if (!message.fan || store.fanFrame?.fan !== message.fan.number) store.fanFrame = null;
    return 'fan';
  }
  if (message.state) {
    store.state = message.state;
    return 'state';
  }
  if (message.points) {
    store.points = message.points;
    return 'points';
  }
  return 'notice';
}

/**
 * Curves with what is new from an index on. Those of ways that were left stay as grey lines, unless all is anew.
 *
 * @param {Curves | undefined} before
 * @param {CurvesOfRun} more
 * @param {boolean} anew
 * @returns {Curves}
 */
function joined(before, more, anew) {
  const { epochs = before?.epochs ?? [], vitals = before?.vitals ?? [], segment } = more;
  const past = anew ? [] : (before?.past ?? []).filter((each) => each.segment !== segment);
  return { ...grown(before, more), epochs, vitals, past, segment };
}

/**
 * The points of a curve with those that are new from an index on; low and high where a point is a mean.
 *
 * @param {Partial<Curves> | undefined} before
 * @param {Pick<CurvesOfRun, 'from' | 'step' | 'loss' | 'low' | 'high'>} more
 */
export function grown(before, { from, step, loss, low, high }) {
  const after = (list, added) => (added ? [...(list ?? []).slice(0, from), ...added] : undefined);
  return {
    step: after(before?.step, step),
    loss: after(before?.loss, loss),
    low: after(before?.low, low),
    high: after(before?.high, high),
  };
}

/**
 * Whether the newest step is in view.
 *
 * @param {Store} store
 */
export const isLive = (store) => store.state?.view.step == null;

/**
 * The step in view: the one asked for, else that of the frame, else the last that the run has done.
 *
 * @param {Store} store
 */
export function viewStep(store) {
  return store.state?.view.step ?? store.frame?.step ?? store.state?.last_step ?? 0;
}

/**
 * Where time axes end: while a run trains at a round step ahead, at most where it is planned to end; else where it
 * ended.
 *
 * @param {Store} store
 */
export function axisEnd({ state, curves }) {
  const most = Math.max(
    1,
    state.last_step,
    ...[...curves.values()].flatMap(({ step, past }) =>
      [step, ...past.map((each) => each.step)].map((steps) => steps.at(-1) ?? 0),
    ),
  );
  const planned = state.length && state.steps_per_epoch * state.length.epochs;
  return state.status === 'running' ? Math.max(most, Math.min(roundEnd(most), planned || Infinity)) : most;
}

/** [measured, all] rows of a split, where a frame's figures are of a part of them; else null. */
export function partOf(frame, split) {
  const [measured, all] = frame?.rows?.[split] ?? [0, 0];
  return measured < all ? [measured, all] : null;
}

/**
 * A figure of a split at the step in view, and of which step and rows it is, or of which epoch's batches the mean.
 * What was measured on all rows there comes first, then what is recorded of the last step before, then what was
 * measured on a part of the rows.
 *
 * @param {Store} store
 * @param {string} split
 * @param {string} name
 * @returns {{
 *   value: number | null, step: number | null, rows: [measured: number, all: number] | null, epoch: number | null,
 * }}
 */
export function figureAt(store, split, name) {
  const { frame, curves } = store;
  const at = viewStep(store);
  const { epochs = [], vitals = [] } = curves.get(store.name) ?? {};
  const here = frame?.step === at && frame.evaluation?.[split];
  const part = partOf(frame, split);
  const lastOf = (entries) => entries.findLast((entry) => entry.step <= at && entry[split] && name in entry[split]);
  const of = (figures, step, rows = null, epoch = null) => ({ value: figures[name], step, rows, epoch });
  if (here && name in here && !part) return of(here, at);
  const recorded = lastOf(epochs);
  if (recorded) return of(recorded[split], recorded.step, null, split === 'train' ? recorded.epoch : null);
  if (here && name in here) return of(here, at, part);
  const looked = lastOf(vitals);
  if (looked) return of(looked[split], looked.step, part);
  return { value: null, step: null, rows: null, epoch: null };
}

/** The entries of a list of {step} that hold at a step: the last at or before it, null before the first. */
export function lastAt(entries, step) {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].step <= step) low = middle + 1;
    else high = middle;
  }
  return low ? entries[low - 1] : null;
}

/** The place in a rising list of the last value at or below one; -1 before the first. */
export function placeAt(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
