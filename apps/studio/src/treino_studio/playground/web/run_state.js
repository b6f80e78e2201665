/** The message `state`: everything about a run but its numbers (studio/run_state.py). */

import { commandOrNull } from './command.js';
import { unread } from './growth.js';
import { ACTIVATIONS, KERNEL, LOSSES, OPTIMIZERS } from './lanes.js';
import { SPLITS } from './run.js';
import { TAKES } from './saving.js';
import { extension } from './steps.js';
import { convolutionsOf, FAULTS, SCHEDULES, sizesOf } from './training.js';

const BATCHES = [1, 4, 8, 16, 32, 64, 100, 128, 256, 512, 1024];
const CHANNELS = [[], [8], [8, 16], [16, 32]]; // of convolutions
const OF_NUMBERS = ['mse', 'l1', 'huber'];

/**
 * beside: [{run, letter, step, status}].
 *
 * @import { Choices } from '../../page/protocol.d.ts'
 * @import { PageState } from '../../page/modules/store.js'
 * @typedef {Choices & { channels: number[][], fault: string[] }} ChoicesInTab
 * @typedef {Omit<PageState, 'choices' | 'result' | 'ensemble'>} StateOfBoth
 * @typedef {StateOfBoth & { choices: ChoicesInTab, replay: object[] }} StateInTab
 * @returns {StateInTab}
 */
export function stateOf(run, { letter, playing, speed, beside, findings }) {
  const { prepared, segment, view } = run;
  const settings = run.settingsAt(run.stepInView);
  const sizes = sizesOf(prepared, settings);
  const convolutions = convolutionsOf(prepared, settings);
  const { plan } = run.linkAt(run.stepInView).segment;
  const epochs = plan.count.epochOf(plan.steps);
  const longer = extension(plan, run.stepInView);
  const counts = prepared.parts.map(({ rows }) => rows.length);
  const [train, , test] = counts;
  return {
    kind: 'run',
    name: run.name,
    path: '',
    status: run.status,
    steers: true,
    can_steer: true,
    viewers: 1,
    playing,
    steps_per_second: speed,
    segment: segment.number,
    last_step: run.step,
    planned_steps: segment.plan.steps,
    letter,
    steps_per_epoch: segment.plan.each,
    view,
    data: {
      name: prepared.name,
      kind: prepared.picture ? 'image' : 'table',
      task: prepared.task,
      features: prepared.columns,
      axes: prepared.axes,
      classes: prepared.classes,
      target: prepared.target,
      rows: Object.fromEntries(SPLITS.map((split, part) => [split, counts[part]])),
      decisions: prepared.notes,
      ...(prepared.picture
        ? {
            pictures: {
              channels: 1,
              height: prepared.picture[0],
              width: prepared.picture[1],
              paper: 0,
              fit: 'pad',
              can_draw: true,
            },
          }
        : {}),
    },
    settings,
    length: {
      epochs,
      goes_on_to: longer.steps ? plan.count.epochOf(longer.steps) : epochs,
      over: Boolean(longer.steps),
    },
    choices: {
      optimizer: OPTIMIZERS,
      activation: convolutions.length ? [] : ACTIVATIONS,
      channels: prepared.picture ? CHANNELS : [],
      schedule: Object.keys(SCHEDULES),
      batch_size: [...BATCHES.filter((size) => size < train), 'full'],
      loss: otherLosses(settings.loss),
      fault: settings.loss === 'cross_entropy' ? FAULTS : FAULTS.slice(0, 1),
      live: liveSettings(segment.settings),
    },
    network: {
      parameters: sizes.slice(1).reduce(
        (all, n, l) => all + n * (sizes[l] + 1),
        convolutions.reduce((all, { inputs, outputs }) => all + outputs * (KERNEL ** 2 * inputs + 1), 0),
      ),
      hidden: settings.hidden,
      fixed: convolutions.length ? 'cnn' : null,
    },
    segments: run.segments.map(({ number, origin, text }) => ({ number, origin, text })),
    history: run.history,
    marks: run.marks,
    findings,
    beside,
    metrics: run.metrics,
    command: commandOrNull(run),
    unseen: run.over || !test ? [] : ['test'],
    replay: run.replay,
    takes: TAKES,
  };
}

/** The losses that may take this one's place: for as many outputs. */
export const otherLosses = (loss) =>
  OF_NUMBERS.includes(loss) ? LOSSES.filter((name) => OF_NUMBERS.includes(name)) : [loss];

/** What may change between two steps. */
export function liveSettings({ optimizer, dropout, ema }) {
  const none = unread(optimizer);
  const read = ['momentum', 'beta1', 'beta2'].filter((name) => !none.includes(name));
  return ['lr', 'weight_decay', 'clip', ...read, ...(dropout ? ['dropout'] : []), ...(ema ? ['ema'] : [])];
}
