/**
 * The commands that a run's page may send (studio/protocol.py): their fields, with types and ranges. All else is
 * refused.
 */

import { refuse } from '../../page/modules/connection.js';
import { ACTIVATIONS, LOSSES, OPTIMIZERS } from './lanes.js';
import { say } from './sentences.js';
import { FAULTS, SCHEDULES } from './training.js';
import { LIVE } from './training_loop.js';

export const VERSION = 1;
const LARGEST = 2 ** 53 - 1; // number
const SHOWN = 60; // letters of a wrong value in a sentence

// ---- types: each says what a wrong value must be, or null

const wish = (what, values = {}) => ({ what, values });
const other = wish('See apps/studio/docs/studio-protocol.md for what it may be.');
const LIMITS = ['greater than {limit}', 'at least {limit}', 'less than {limit}', 'at most {limit}', 'a finite number'];
const expectation = ({ what, values }) =>
  what === other.what ? say(what) : say('It must be {wanted}.', { wanted: say(what, values) });

const number =
  (low, high, { above = false, below = false, whole = false } = {}) =>
  (value) => {
    if (typeof value !== 'number') return wish(whole ? 'a whole number' : 'a number');
    if (!Number.isFinite(value)) return wish('a finite number');
    if (whole && !Number.isInteger(value)) return wish('a whole number');
    if (above ? value <= low : value < low)
      return wish(above ? 'greater than {limit}' : 'at least {limit}', { limit: low });
    if (below ? value >= high : value > high)
      return wish(below ? 'less than {limit}' : 'at most {limit}', { limit: high });
    return null;
  };
const whole = (low, high) => number(low, high, { whole: true });
const one = (options) => (value) =>
  options.includes(value)
    ? null
    : wish('one of {limit}', {
        limit: [options.slice(0, -1).map(shown).join(', '), shown(options.at(-1))].filter(Boolean).join(' or '),
      });
const text =
  (most = 200, form = /^/) =>
  (value) =>
    typeof value === 'string' && value && value.length <= most && form.test(value) ? null : other;
const yes = (value) => (typeof value === 'boolean' ? null : other);
const empty = (type) => (value) => (value === null ? null : type(value));
const list = (types) => (value) =>
  Array.isArray(value) && value.length === types.length && types.every((type, i) => !type(value[i])) ? null : other;
const each = (type, most) => (value) =>
  Array.isArray(value) && value.length <= most ? (value.map(type).find(Boolean) ?? null) : other;
const table = (value) =>
  value && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length <= 100 ? null : other;
const optional = (type) => Object.assign((value) => type(value), { optional: true });
const finite = number(-Infinity, Infinity);

const STEP = whole(0, 1e10);
const COMMANDS = {
  hello: {
    protocol: whole(-LARGEST, LARGEST),
    viewer: text(100, /^[!-~]{8,}$/),
    language: optional(one(['en', 'pt_BR'])),
  },
  steer: {},
  play: {},
  pause: {},
  stop: {},
  step: { count: optional(whole(1, 1000)) },
  epoch: { count: optional(whole(1, 1000)) },
  speed: { steps_per_second: empty(number(0.01, 1e6)) },
  set: { name: one(LIVE), value: empty(finite) },
  segment: { changes: optional(table), step: optional(empty(STEP)) },
  branch: { changes: optional(table), step: optional(empty(STEP)) },
  look: {
    step: optional(empty(STEP)),
    axes: optional(empty(list([text(), text()]))),
    unit: optional(empty(list([whole(0, 1e4), whole(0, 1e7)]))),
    picture: optional(
      empty((value) => (value === 'drawn' ? null : list([one(['train', 'validation', 'test']), STEP])(value))),
    ),
    segment: optional(empty(whole(0, 1e6))),
  },
  draw: { pixels: text(400_000, /^[A-Za-z0-9+/]+={0,2}$/) },
  beside: { run: text(), shown: yes },
  fan: {
    kind: one(['lr', 'seed', 'batch_size']),
    count: (value) => (value === 0 ? null : whole(2, 64)(value)),
    steps: whole(1, 1e5),
  },
  adopt: { future: whole(0, 63), as: one(['segment', 'branch']) },
  explain: {
    layer: optional(empty(whole(0, 1e4))),
    unit: optional(empty(whole(0, 1e7))),
    input: optional(empty(whole(0, 1e7))),
  },
  take: { form: text() },
};

/** A message of the page, checked. → {id, do, …}. */
export function readCommand(message) {
  const verb = message && typeof message === 'object' ? message.do : undefined;
  const verbs = Object.keys(COMMANDS);
  if (typeof verb !== 'string')
    refuse(
      'no_verb',
      say('A message needs a verb in "do", and this one has {value}.', { value: shown(verb ?? null) }),
      nearest('', verbs),
    );
  if (!Object.hasOwn(COMMANDS, verb))
    refuse('unknown_verb', say('This page has no command {verb}.', { verb: shown(verb) }), nearest(verb, verbs));
  const fields = { id: whole(1, LARGEST), do: one(verbs), ...COMMANDS[verb] };
  for (const [name, type] of Object.entries(fields)) {
    if (!(name in message)) {
      if (!type.optional) refuse('command_field', say('{name} is missing.', { name }), expectation(other));
      continue;
    }
    const wanted = type(message[name]);
    if (wanted)
      refuse(
        'command_field',
        say("{name} can't be {value}.", { name: name === 'value' ? message.name : name, value: shown(message[name]) }),
        expectation(wanted),
      );
  }
  for (const name of Object.keys(message))
    if (!Object.hasOwn(fields, name))
      refuse(
        'command_field',
        say('There is nothing called {name} in this command.', { name: name.slice(0, SHOWN) }),
        expectation(other),
      );
  if (verb === 'set') checkSetting(message.name, message.value);
  return message;
}

/** The id of a message that is otherwise wrong, so that it can be answered; null without one. */
export const numberOf = (message) =>
  Number.isInteger(message?.id) && message.id >= 1 && message.id <= LARGEST ? message.id : null;

// ---- settings of a training

const SETTINGS = {
  lr: number(0, 1e30, { above: true }),
  weight_decay: number(0, 1e6),
  momentum: number(0, 1, { below: true }),
  beta1: number(0, 1, { below: true }),
  beta2: number(0, 1, { below: true }),
  eps: number(0, 1e6, { above: true }),
  clip: empty(number(0, Infinity, { above: true })),
  dropout: number(0, 1, { below: true }),
  ema: number(0, 1, { below: true }),
  channels: each(whole(1, 64), 6),
  hidden: each(whole(1, 1e6), 500),
  activation: one(ACTIVATIONS),
  loss: one(LOSSES),
  optimizer: one(OPTIMIZERS),
  schedule: one(Object.keys(SCHEDULES)),
  batch_size: (value) => (value === 'full' ? null : whole(1, LARGEST)(value)),
  steps: whole(1, 1e10),
  epochs: whole(1, 1e7),
  warmup: whole(0, 1e10),
  seed: whole(0, LARGEST),
  data_seed: whole(0, LARGEST),
  keep: one(['best', 'last']),
  as_taught: yes,
  fault: each(one(FAULTS), 2),
  betas: list([number(0, 1, { below: true }), number(0, 1, { below: true })]),
};
const CHOICES = { activation: ACTIVATIONS, loss: LOSSES, optimizer: OPTIMIZERS, schedule: Object.keys(SCHEDULES) };

/** Refuse a setting that there isn't, or a value that it can't have. null: as if it weren't there, but for clip. */
function checkSetting(name, value) {
  if (!Object.hasOwn(SETTINGS, name))
    refuse('unknown_setting', say('There is no setting {name}.', { name }), nearest(name, Object.keys(SETTINGS)));
  if ((value === null && name !== 'clip') || value === '')
    refuse(`${name}_empty`, say('{name} is empty.', { name }), say('Give it a value, or leave it out.'));
  const wanted = SETTINGS[name](value);
  if (!wanted) return;
  const limit = LIMITS.includes(wanted.what);
  if (limit && name.startsWith('beta'))
    refuse(
      `${name}_range`,
      say('{name} must be from 0 to below 1; it is {value:g}.', { name, value }),
      say('The usual values are 0.9 and 0.999.'),
    );
  if (limit)
    refuse(
      `${name}_range`,
      say('{name} must be {wanted}; it is {value}.', {
        name,
        wanted: say(wanted.what, wanted.values),
        value: shown(value),
      }),
    );
  const options = typeof value === 'string' && CHOICES[name];
  refuse(
    `${name}_${options ? 'choice' : 'type'}`,
    say("{name} can't be {value}.", { name, value: shown(value) }),
    options ? nearest(value, options) : expectation(wanted),
  );
}

/** Settings of a training, checked; betas as beta1 and beta2, a count of epochs as `steps` of so many each. */
export function readSettings(changes, stepsOf = null) {
  const settings = Object.fromEntries(
    Object.entries(changes).filter(([name, value]) => value !== null || name === 'clip'),
  );
  for (const [name, value] of Object.entries(settings)) checkSetting(name, value);
  const { betas, epochs, ...others } = settings;
  return {
    ...others,
    ...(betas ? { beta1: betas[0], beta2: betas[1] } : {}),
    ...(epochs && stepsOf ? { steps: stepsOf(epochs) } : {}),
  };
}

// ---- words

/** A wrong value as it stands in a sentence: shortened. */
function shown(value) {
  const written =
    typeof value === 'number'
      ? String(value)
      : typeof value === 'string'
        ? `'${value}'`
        : (JSON.stringify(value) ?? 'null');
  return written.length <= SHOWN ? written : `${written.slice(0, SHOWN)}…`;
}

/** The hint for an unknown name: the most similar one, or a list. */
export function nearest(name, names) {
  const like = names
    .map((known) => [alike(name.toLowerCase(), known.toLowerCase()), known])
    .sort((a, b) => b[0] - a[0])[0];
  if (like && like[0] >= 0.6) return say("Did you mean '{name}'?", { name: like[1] });
  return say('Known: {names}.', { names: [...names].sort().join(', ') });
}

/** Twice the letters that two words have in common, in their order, over all their letters. */
function alike(a, b) {
  let row = new Array(b.length + 1).fill(0);
  for (const letter of a) {
    const next = [0];
    for (let j = 0; j < b.length; j++) next.push(letter === b[j] ? row[j] + 1 : Math.max(row[j + 1], next[j]));
    row = next;
  }
  return (2 * row.at(-1)) / Math.max(1, a.length + b.length);
}
