/** The command line that trains a run's network of the step in view to the same bits. */

import { refuse } from '../../page/modules/connection.js';
import { say } from './sentences.js';
import { isScheduled } from './training.js';

const FLAGS = {
  weight_decay: 0,
  momentum: 0,
  eps: 1e-8,
  clip: null,
  dropout: 0,
  ema: 0,
  schedule: 'constant',
  warmup: 0,
}; // left out where they are so
const LOSS = { classification: 'cross_entropy', regression: 'mse' };

/**
 * Refused where something was changed on the way, or within a schedule: only a link does that again. Before the first
 * step it is the command of the whole training.
 */
export function commandOf(run) {
  const { prepared, stepInView: at } = run;
  const ended = run.over && run.view.step === null;
  const settings = run.settingsAt(0);
  const { data, flags } = prepared.command;
  if (run.changesBefore(at).length)
    refuse('command_changed', say('Settings were changed while it trained, which no single command does.'), LINK());
  if (isScheduled(settings) && at && at < settings.steps && !run.lost)
    refuse(
      'command_schedule',
      say('A schedule of {steps} steps stands at step {step}, where no command stops.', {
        steps: settings.steps,
        step: at,
      }),
      LINK(),
    );
  const steps = (run.lost && ended) || !at ? settings.steps : at;
  // for a file of one's own the usual recipe is an ensemble
  const own = prepared.command.file ? ['--recipe', 'plain'] : [];
  const words = [
    'treino',
    'train',
    data,
    ...flags.filter((word, i) => word !== '--data-seed' && flags[i - 1] !== '--data-seed'),
    ...own,
  ];
  const { channels } = settings;
  const convolves = channels.length > 0; // their usual schedule, and what it keeps, are others
  if (convolves) words.push('--net', 'cnn', '--channels', channels.join(','));
  words.push(
    '--hidden',
    settings.hidden.join(',') || 'none',
    '--activation',
    settings.activation,
    '--optimizer',
    settings.optimizer,
    '--lr',
    settings.lr,
  );
  words.push(
    '--batch-size',
    settings.batch_size,
    '--seed',
    settings.seed,
    '--data-seed',
    settings.data_seed ?? settings.seed,
  );
  if (settings.loss !== LOSS[prepared.task]) words.push('--loss', settings.loss);
  if (settings.beta1 !== 0.9 || settings.beta2 !== 0.999) words.push('--betas', `${settings.beta1},${settings.beta2}`);
  for (const [name, usual] of Object.entries(FLAGS))
    if ((settings[name] ?? usual) !== usual || (convolves && name === 'schedule'))
      words.push(`--${name.replaceAll('_', '-')}`, settings[name]);
  if (settings.fault?.length) words.push('--fault', settings.fault.join(','));
  words.push('--steps', steps);
  if (settings.keep === 'last' || (at && !ended))
    words.push('--keep', 'last'); // until the end the page keeps none of a better step
  else if (convolves) words.push('--keep', 'best');
  return words.map(quoted).join(' ');
}

/** null where it is refused. */
export function commandOrNull(run) {
  try {
    return commandOf(run);
  } catch (error) {
    if (!error.rule) throw error;
    return null;
  }
}

const LINK = () => say('Take a link to this run instead: it does the same again.');
const quoted = (word) => (/^[\w.,:/=+-]+$/.test(word) ? String(word) : `'${String(word).replaceAll("'", `'\\''`)}'`);
