/** What a page may take with it of a run: the command, the weights, a script, the table. */

import { refuse } from '../../page/modules/connection.js';
import { whole } from '../../page/modules/numbers.js';
import { csvOf } from './columns.js';
import { commandOf } from './command.js';
import { KERNEL } from './lanes.js';
import { scriptOf } from './script.js';
import { say } from './sentences.js';
import { moduleOf } from './training.js';

// what a script's loop sets on its way
const SET = ['lr', 'weight_decay', 'momentum', 'beta1', 'beta2', 'clip', 'dropout'];
export const TAKES = ['command', 'weights', 'script', 'data'];

/** → {name, type, text or bytes}, of the step in view. */
export function take(run, form) {
  return { command, weights, script, data }[form](run);
}

function command(run) {
  return { name: `${run.name}.txt`, type: 'text/plain', text: `${commandOf(run)}\n` };
}

/** As in treino's model.safetensors: those of a run that is over are the kept ones. */
function weights(run) {
  const {
    loop: { net },
    settings,
    segment,
  } = run.inView();
  const kept = run.over && run.view.step === null ? run.kept.params : net.row(0, net.averages ? 'average' : 'params');
  return {
    name: `${run.name}.safetensors`,
    type: 'application/octet-stream',
    bytes: safetensors(tensorsOf(kept, net, (segment.settings.dropout ?? settings.dropout) > 0)),
  };
}

/** By their names in torch's Sequential. */
function tensorsOf(row, { sizes, starts, convolutions, filters }, drops) {
  const layers = [
    ...convolutions.map(({ inputs, outputs }, l) => ({ shape: [outputs, inputs, KERNEL, KERNEL], at: filters[l] })),
    ...sizes.slice(1).map((H, l) => ({ shape: [H, sizes[l]], at: starts.slice(2 * l) })),
  ];
  return layers.flatMap(({ shape, at: [W, b] }, l) => {
    const name = moduleOf(l, convolutions.length, drops);
    const count = shape.reduce((a, c) => a * c);
    return [
      { name: `${name}.weight`, shape, data: row.slice(W, W + count) },
      { name: `${name}.bias`, shape: [shape[0]], data: row.slice(b, b + shape[0]) },
    ];
  });
}

/** The format's bytes: a JSON header of names and places, spaces up to a multiple of 8, the numbers. */
function safetensors(tensors) {
  const header = { __metadata__: { treino: '{}' } };
  let end = 0;
  tensors.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, shape, data } of tensors) {
    const begin = end;
    end += 4 * data.length;
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] };
  }
  const named = Object.entries(header)
    .map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`)
    .join(); // numbers among an object's keys would come first
  const text = `{${named}}`;
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const bytes = new Uint8Array(8 + head.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true);
  bytes.set(head, 8);
  let at = 8 + head.length;
  for (const { data } of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, 4 * data.length), at);
    at += 4 * data.length;
  }
  return bytes;
}

function script(run) {
  const { step } = run.inView();
  const settings = run.settingsAt(0);
  const sets = run.changesBefore(step);
  const other = sets.find(({ name }) => !SET.includes(name) || (name === 'dropout' && !settings.dropout));
  if (other)
    refuse(
      'script_segments',
      say('The run went on from step {step:,} with other settings, which no plain script does.', {
        step: whole(other.step),
      }),
      say('Take its weights, or look at an earlier step and take the script there.'),
    );
  const kept = run.over && run.view.step === null && run.kept.step < step ? run.kept.step : null;
  return {
    name: `${run.name}.py`,
    type: 'text/x-python',
    text: scriptOf(run, settings, sets, step, settings.steps, kept),
  };
}

/** The table that the command reads; of a built-in one, its columns. */
function data({ prepared }) {
  const {
    command: { file, data: source },
    columns,
    parts,
    classes,
    target,
    targetMean,
    targetScale,
  } = prepared;
  if (file) return { name: source, type: 'text/csv', text: file };
  const rows = parts
    .flatMap(({ rows: numbers, raw, y }) =>
      Array.from(numbers, (number, r) => ({
        number,
        raw: raw.subarray(r * columns.length, (r + 1) * columns.length),
        y: y[r],
      })),
    )
    .sort((a, b) => a.number - b.number);
  const cells = columns.map((name, k) => ({ name, cells: rows.map(({ raw }) => raw[k]) }));
  return {
    name: `${prepared.name}.csv`,
    type: 'text/csv',
    text: csvOf([
      ...cells,
      { name: target, cells: rows.map(({ y }) => (classes.length ? classes[y] : y * targetScale + targetMean)) },
    ]),
  };
}
