/**
 * A column's stored program (data/operations.py in Python): fitted on training rows, and carried out for a cell. Each
 * operation that the page does is a function here; a column whose way needs another is no input (columns.js).
 */

import { ANSWERS } from './cell_forms.js';
import { byCodePoint, isNothing } from './columns.js';
import { say } from './sentences.js';

/**
 * @typedef {import('../../page/protocol').ColumnProgram} ColumnProgram
 * @typedef {ColumnProgram['steps'][number]} Step
 * @typedef {'number' | 'word' | 'fill' | 'place' | 'one-hot' | 'flag'} Done
 */

/**
 * What each operation gives for what it takes. A missing number is NaN, a missing word "".
 *
 * @satisfies {{ [D in Done]: (value: any, step: Extract<Step, { do: D }>) => number | string | number[] }}
 */
export const FUNCTIONS = {
  number: (cell, { truth }) => (isNothing(cell) ? NaN : truth ? ANSWERS.get(cell.toLowerCase()) : cell),
  word: (cell) => (isNothing(cell) ? '' : cell),
  fill: (number, { value }) => (Number.isNaN(number) ? value : number),
  place(word, { values }) {
    const place = /** @type {any[]} */ (values).indexOf(word);
    return place < 0 ? NaN : place;
  },
  'one-hot': (place, { count }) => Array.from({ length: count }, (_, k) => Number(k === place)),
  flag: (value) => Number(value === '' || Number.isNaN(value)),
};

/** What each shown step gives for cells: numbers, words, or null where there is none. */
export function inputsOf({ steps, shown }, cells) {
  const functions = /** @type {Record<string, Function>} */ (FUNCTIONS);
  const made = [];
  for (const step of steps) made.push((made[step.of] ?? cells).map((value) => functions[step.do](value, step)));
  return shown.map((k) => made[k]);
}

/**
 * What each input of a program stands for: {name, step that gives it, word: the class, "" a missing cell; scaled: of a
 * number, it is normalised}.
 */
export const meaningsOf = ({ column, steps, shown }) =>
  shown.flatMap((k) => {
    const step = steps[k];
    if (step.do === 'fill') return { name: column, scaled: true, step };
    const words = step.do === 'flag' ? [''] : steps[step.of].values;
    const nameOf = (word) => (word ? `${column}=${word}` : say('{name} missing', { name: column }));
    return words.map((word) => ({ name: nameOf(word), step, word }));
  });

/** The program of a column by its training rows' cells. kind: number, truth or word. → ColumnProgram */
export function fitted(column, kind, cells) {
  const there = cells.filter((cell) => cell !== null);
  const gap = there.length < cells.length;
  if (kind === 'word') {
    const values = [...[...new Set(there)].sort(byCodePoint), ...(gap ? [''] : [])];
    const place = { do: 'place', of: 0, values };
    const steps = [{ do: 'word', of: 0, numeric: false }, place, { do: 'one-hot', of: 1, count: values.length }];
    return { column, way: 'one-hot', steps, shown: [2] };
  }
  const reader = { do: /** @type {const} */ ('number'), of: 0, required: false, truth: kind === 'truth' };
  const numbers = there.map((cell) => FUNCTIONS.number(cell, reader));
  const value = reader.truth ? Number(2 * numbers.reduce((a, b) => a + b, 0) > numbers.length) : median(numbers);
  const steps = [reader, { do: 'fill', of: 0, value }, ...(gap ? [{ do: 'flag', of: 0 }] : [])];
  return { column, way: 'number', steps, shown: gap ? [1, 2] : [1] };
}

/** The number in the middle, or the mean of the two there; 0 without any. */
export function median(numbers) {
  const sorted = Float64Array.from(numbers).sort();
  const half = sorted.length >> 1;
  return sorted.length ? (sorted[(sorted.length - 1) >> 1] + sorted[half]) / 2 : 0;
}
