/**
 * What a column of cells is to treino, and whether the page can learn from it; the rules are data/preparation's in
 * Python.
 */

import { refuse } from '../../page/modules/connection.js';
import { t } from '../../page/modules/words.js';
import { AMOUNT, ANSWERS, DATE, LETTERS, MORE_NOTHING, NAMED_DATE, NOTHING, TIME, TRUTH } from './cell_forms.js';

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const IDENTIFIER = either([
  /(^|_|\s)(id|ids|uuid|guid|key|cpf|cnpj|rg|cep|matr[ií]cula|unnamed: 0)$/,
  /^((row|line|sample|record|case|item|df|obs|original|old)[ _.]?)?(index|idx)$/,
  /^row[ _.]?(names?|id|n|no|num|number)$/,
]);
const ORDER_NAME = either([
  /(^|[^a-z])(t|time|step|second|minute|hour|day|week|month|quarter|year|age)s?($|[^a-z])/,
  /(^|[^a-z])(tempo|passo|dia|semana|m[eê]s|trimestre|ano|idade|rank|ranking|posto)s?($|[^a-z])/,
]);
const LARGEST_WHOLE = 2 ** 53;
const FEW_AGAIN = 0.1; // at most this share of a key's cells hold a value that returns, as rows given twice do
const USUAL_TARGETS = ['target', 'label', 'class', 'y', 'outcome', 'species', 'quality', 'alvo', 'classe'];
const MOST_CLASSES = 20; // different whole numbers
const MOST_LEVELS = 40; // of a column of classes: more are hashed, which the page doesn't

/** One pattern of several, in letters of either case. */
function either(patterns) {
  return new RegExp(patterns.map(({ source }) => source).join('|'), 'i');
}

/** The hint that names the command line, which reads what the page can't. table: {name, file, target}. */
export function commandHint({ name, file = `${name}.csv`, target = '…' }) {
  const word = (text) => (/^[\p{L}\p{N}._…/=-]+$/u.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`);
  return t('cli_can', { command: `treino train ${word(file)} --target ${word(target)}` });
}

export const isNothing = (cell) =>
  cell === null ||
  (typeof cell === 'string' && (NOTHING.has(cell.trim().toLowerCase()) || MORE_NOTHING.test(cell.trim())));
export const isNumber = (word) => NUMBER.test(word);
// also with a decimal comma, which a column with a word keeps
const isNumeral = (word) => isNumber(word) || /^[+-]?\d[\d.,]*$/.test(word);
const isAmount = (word) => AMOUNT.test(word);
export const isDate = (word) => DATE.test(word) || NAMED_DATE.test(word);
export const isTime = (word) => TIME.test(word);

/** Whether all cells that are there are numbers; a reader leaves other columns as words. */
export const ofNumbers = ({ cells }) => cells.every((cell) => cell === null || typeof cell === 'number');

/**
 * What keeps a column from being an input here: null, or a key of words.js (why_…).
 *
 * Constant columns, identifiers and row numbers aren't inputs in treino either; dates, texts and some classes are, and
 * only there.
 */
function whyNoInput({ name, cells }) {
  const texts = textsOf(cells);
  const there = texts.filter((cell) => !isNothing(cell));
  if (!there.length) return 'why_empty';
  if (there.length === cells.length && there.every((cell) => cell === there[0])) return 'why_constant';
  if (ofNumbers({ cells })) {
    if (!there.every(Number.isFinite)) return 'why_infinite';
    const key = IDENTIFIER.test(name) && there.every(Number.isInteger);
    return key && shared(there) <= FEW_AGAIN * there.length ? 'why_identifier' : null;
  }
  if (there.some((word) => isDate(word) || isTime(word))) return 'why_dates';
  if (there.every(isAmount)) return 'why_written';
  if (there.some((word) => isNumeral(word) || isAmount(word))) return 'why_mixed';
  const words = [...new Set(there)];
  const fit = sayTruth(words) ? words.length === 2 : words.length <= MOST_LEVELS && 2 * shared(there) >= there.length;
  return fit && texts.every((text) => !text || !isNothing(text)) ? null : 'why_words'; // NA may be a class
}

/** The cells, words without blanks around them; "" where nothing stands. */
const textsOf = (cells) => cells.map((cell) => (typeof cell === 'number' ? cell : (cell ?? '').trim()));

/** How many of these hold a value that others hold, too: where few do, values only tell rows apart. */
function shared(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].filter((count) => count > 1).reduce((sum, count) => sum + count, 0);
}

/**
 * The column with its kind (number, truth, word), its cells as numbers, NaN where there is none, and the words that
 * these number, in treino's order.
 */
export function coded(column) {
  const { cells } = column;
  if (ofNumbers(column)) return { ...column, kind: 'number', numbers: Float64Array.from(cells, (cell) => cell ?? NaN) };
  const texts = textsOf(cells);
  const words = [...new Set(texts)].filter(Boolean).sort(byCodePoint);
  const truth = sayTruth(words);
  if (truth) words.sort((a, b) => ANSWERS.get(a.toLowerCase()) - ANSWERS.get(b.toLowerCase()));
  const code = new Map(words.map((word, i) => [word, i]));
  const numbers = Float64Array.from(texts, (text) => code.get(text) ?? NaN);
  return { ...column, kind: truth ? 'truth' : 'word', words, numbers };
}

/** The first cell that is no number, of a column of words where most cells are numbers; else undefined. */
export function oddCell({ cells }) {
  const there = cells.filter((cell) => !isNothing(cell)).map((cell) => String(cell).trim());
  const odd = there.filter((word) => !isNumeral(word));
  return odd.length * 2 < there.length ? odd[0] : undefined;
}

/** Whether the cells are consecutive whole numbers; such a column is an input only where there is no other. */
function numbersRows({ name, cells }, rows) {
  if (rows.length < 10 || ORDER_NAME.test(name) || !cells.every(Number.isFinite)) return false;
  if (Number.isInteger(cells[0]) && cells.every((cell, i) => cell - rows[i] === cells[0] - rows[0])) return true;
  const sorted = [...cells].sort((a, b) => a - b);
  return Number.isInteger(sorted[0]) && sorted.every((cell, i) => i === 0 || cell - sorted[i - 1] === 1);
}

/**
 * Whether it is {name, columns: [{name, cells}], target} as problems.js takes it: of equal columns, of numbers, words
 * and nulls.
 */
export const isTable = (table) =>
  typeof table?.name === 'string' &&
  typeof table.target === 'string' &&
  Array.isArray(table.columns) &&
  table.columns.length > 0 &&
  table.columns.every(
    (column) =>
      typeof column?.name === 'string' &&
      Array.isArray(column.cells) &&
      column.cells.length === table.columns[0].cells.length &&
      column.cells.every((cell) => cell === null || typeof cell === 'string' || typeof cell === 'number'),
  ) &&
  new Set(table.columns.map(({ name }) => name)).size === table.columns.length;

/** Each column's reason (a key), or null where it can be an input; by the rows that have a target, as in Python. */
export function reasonsOf(table) {
  if (table.picture)
    // constant ones, too
    return new Map(table.columns.filter(({ name }) => name !== table.target).map(({ name }) => [name, null]));
  const target = table.columns.find(({ name }) => name === table.target);
  const rows = target ? rowsWith(target) : [...table.columns[0].cells.keys()];
  const others = table.columns
    .filter((column) => column !== target)
    .map(({ name, cells }) => ({ name, cells: rows.map((i) => cells[i]) }));
  const reasons = new Map(others.map((column) => [column.name, whyNoInput(column)]));
  const inputs = others.filter(({ name }) => !reasons.get(name));
  const numbering = inputs.filter((column) => numbersRows(column, rows));
  if (numbering.length < inputs.length) for (const { name } of numbering) reasons.set(name, 'why_row_number');
  return reasons;
}

/** The numbers of the rows that have a target. */
function rowsWith(column) {
  const absent = absentIn(column);
  return [...column.cells.keys()].filter((i) => !absent(column.cells[i]));
}

/** Which cells of a target are none: words such as NA are classes, but not beside true and false. */
function absentIn({ cells }) {
  if (ofNumbers({ cells })) return (cell) => cell === null;
  const there = cells.filter((cell) => !isNothing(cell));
  const answers = sayTruth(there) && !cells.some((cell) => isNothing(cell) && /^\s*\p{L}/u.test(cell ?? ''));
  const truth = isTruth(there) || answers;
  return (cell) => cell === null || String(cell).trim() === '' || (truth && isNothing(cell));
}

/** Whether words are truth values: yes and true, say, but no letters of two pairs. */
function sayTruth(cells) {
  const words = [...new Set(cells.map((cell) => String(cell).trim().toLowerCase()))];
  const letters = words.filter((word) => word.length === 1);
  const paired = LETTERS.some((pair) => letters.every((letter) => pair.includes(letter)));
  return words.length > 0 && paired && words.every((word) => ANSWERS.has(word));
}

const isTruth = (words) =>
  words.length > 0 && TRUTH.some((pair) => words.every((word) => pair.includes(String(word).trim().toLowerCase())));

/** One to three columns that may be the target, the likeliest first: by name, words of few classes, the last column. */
export function likelyTargets({ columns }) {
  const byName = USUAL_TARGETS.flatMap((usual) => columns.filter(({ name }) => name.toLowerCase() === usual));
  const byClasses = columns.filter((column) => {
    const { size } = new Set(column.cells);
    return (
      !ofNumbers(column) &&
      !column.cells.every((cell) => isNothing(cell) || isDate(cell) || isTime(cell)) &&
      size >= 2 &&
      size <= column.cells.length / 3
    );
  });
  const last =
    columns.findLast(
      ({ cells }) =>
        !cells.every((cell) => isNothing(cell) || (typeof cell === 'string' && (isDate(cell) || isTime(cell)))),
    ) ?? columns.at(-1);
  const first = [...new Set([...byName, ...byClasses])].slice(0, 2);
  return [...new Set([...first, last])].map(({ name }) => name);
}

/**
 * The target's task, class names in the order of their codes, and of each row its class or value; rows without one:
 * null. table: named in a refusal.
 */
export function targetOf(column, table = { name: column.name }) {
  const { name, cells } = column;
  const own = { name };
  if (ofNumbers(column)) {
    const there = cells.filter((cell) => cell !== null);
    if (!there.length) refuse('target_empty', t('target_empty', own), t('name_other_target'));
    if (!there.every(Number.isFinite)) refuse('target_infinite', t('target_infinite', own), t('correct_cell'));
    const different = [...new Set(there.map((v) => v + 0))].sort((a, b) => a - b);
    if (different.length === 1)
      refuse('target_constant', t('target_constant', { ...own, value: different[0] }), t('name_other_target'));
    if (!different.every(Number.isInteger) || different.length > MOST_CLASSES)
      return { task: 'regression', classes: [], values: cells };
    if (column.spelled)
      // classes are as they are written
      refuse('target_written', t('target_written', { ...own, cell: column.spelled }), commandHint(table));
    if (different.some((v) => Math.abs(v) >= LARGEST_WHOLE))
      refuse('target_merged', t('target_merged', own), commandHint(table));
    const code = new Map(different.map((v, i) => [v, i]));
    return {
      task: 'classification',
      classes: different.map(plain),
      values: cells.map((cell) => (cell === null ? null : code.get(cell + 0))),
      plain: true,
    };
  }
  const absent = absentIn(column);
  let words = cells.map((cell) => (absent(cell) ? '' : String(cell).trim()));
  const there = words.filter((word) => !isNothing(word));
  if (!there.length) refuse('target_empty', t('target_empty', own), t('name_other_target'));
  if (there.every((word) => isDate(word)) || there.every((word) => isTime(word)))
    refuse('target_date', t('target_date', { ...own, cell: there[0] }), t('name_other_target'));
  if (there.every(isAmount))
    refuse('target_written', t('target_written', { ...own, cell: there[0] }), commandHint(table));
  const numbers = words.filter(isNumeral).length;
  if (numbers * 2 > words.length)
    refuse(
      'target_text',
      t('target_text', { ...own, cell: there.find((w) => !isNumeral(w)) ?? there[0] }),
      t('correct_cell'),
    );
  const truth = isTruth(there);
  const order = truth ? (a, b) => byCodePoint(a.toLowerCase(), b.toLowerCase()) : byCodePoint;
  if (truth) words = inUsualSpelling(words);
  const classes = [...new Set(words)].filter((word) => word !== '').sort(order);
  const code = new Map(classes.map((word, i) => [word, i]));
  if (classes.length === 1)
    refuse('target_constant', t('target_constant', { ...own, value: classes[0] }), t('name_other_target'));
  return { task: 'classification', classes, values: words.map((word) => code.get(word) ?? null) };
}

/** Words for true and false, whose case has no meaning, in their most common spelling. */
function inUsualSpelling(words) {
  const counts = new Map();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const usual = new Map();
  for (const word of [...counts.keys()].sort(byCodePoint)) {
    const now = usual.get(word.toLowerCase());
    if (now === undefined || counts.get(word) > counts.get(now)) usual.set(word.toLowerCase(), word);
  }
  return words.map((word) => usual.get(word.toLowerCase()));
}

/** A number as treino writes it: without a point where it is whole. */
export function plain(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return String(value + 0);
  return String(value);
}

/** Python's order of strings; JavaScript's own differs beyond U+FFFF. */
export function byCodePoint(a, b) {
  const p = [...a];
  const q = [...b];
  for (let i = 0; i < Math.min(p.length, q.length); i++)
    if (p[i] !== q[i]) return p[i].codePointAt(0) - q[i].codePointAt(0);
  return p.length - q.length;
}

/** CSV that treino reads to the same numbers and words. columns: [{name, cells}]. */
export function csvOf(columns) {
  const head = columns.map(({ name }) => quoted(name));
  const rows = columns[0].cells.map((_, i) => columns.map(({ cells }) => cellText(cells[i])).join());
  return [head.join(), ...rows, ''].join('\n');
}

/** The shortest digits that are read to the same number; 1.234 gets a 0 more, for it might be read as 1,234. */
function cellText(cell) {
  if (cell === null) return '';
  if (typeof cell !== 'number') return quoted(cell);
  const text = String(cell + 0);
  return /^-?[1-9]\d{0,2}\.\d{3}$/.test(text) ? `${text}0` : text;
}

const quoted = (text) => (/[",\n\r;\t|]|^\s|\s$|^'/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
