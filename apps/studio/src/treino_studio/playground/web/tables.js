/**
 * A table out of a CSV or of pasted cells: what treino's readers take it for, or a refusal that names what does read
 * it.
 *
 * The rules are those of data/readers in Python: a delimiter, a header or a decimal sign that the file leaves open is
 * refused and can be chosen, never guessed.
 */

import { refuse } from '../../page/modules/connection.js';
import { t } from '../../page/modules/words.js';
import { COMMA, EITHER_WAY, POINT, SYMBOLS } from './cell_forms.js';
import { commandHint, isDate, isNothing, isNumber, isTime, plain } from './columns.js';
import { generator, permutation } from './random.js';

const MOST_BYTES = 25e6;
const MOST_ROWS = 20000;
const MOST_COLUMNS = 200;
const DELIMITERS = [',', ';', '\t', '|'];
const SAMPLE = 1 << 18; // characters by which delimiter and header are recognised
const LOOK = 200; // rows, likewise
const SEPARATOR_LINE = /^"?sep=(.)"?\r?\n/i; // Excel reads and writes it

// ---- how a cell's number may be written

const AFFIXED = new RegExp(String.raw`^[+-]?(?:(${SYMBOLS})\s*)?[+-]?(?:${POINT}|${COMMA})\s*(${SYMBOLS}|%)?$`);
const LONE = /^[-+]?[1-9]\d{0,2}[.,]\d{3}$/;
const PROVEN = /\d[.,]\d+[.,]\d/;
const CODE = /^\d+[eE]\d+$/;
const WEAK_CODE = /^\de\d{1,2}$/;
const LEADING_ZERO = /^[+-]?0\d+$/;

/**
 * What stands before and after a cell's number, e.g. "R$" or "%": ["", ""] for a plain one, null where there is none.
 */
function affixOf(cell) {
  const match = AFFIXED.exec(cell);
  return !match || (match[1] && match[2]) ? null : [match[1] ?? '', match[2] ?? ''];
}

function patterns(affix) {
  const [before, after] = affix;
  const literal = (text) => text.replace(/[$%.]/g, '\\$&');
  const head = before ? String.raw`(?:[+-]?${literal(before)}\s*|${literal(before)}\s*[+-])` : '[+-]?';
  return [POINT, COMMA, EITHER_WAY].map(
    (number) => new RegExp(`^${head}${number}${after ? String.raw`\s*${literal(after)}` : ''}$`),
  );
}

const isValue = (cell) =>
  isNothing(cell.trim()) || affixOf(cell.trim()) !== null || isDate(cell.trim()) || isTime(cell.trim());

// ---- from bytes to text

/** The text of a file: UTF-16 and UTF-8 by their marks, else UTF-8, else Windows-1252. */
export async function textOf(file) {
  if (file.size > MOST_BYTES) tooLarge(file.name, file.size);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const mark =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null;
  if (mark) return new TextDecoder(mark).decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

function tooLarge(name, size) {
  refuse(
    'table_large',
    t('table_large', { name, size: Math.ceil(size / 1e6), most: MOST_BYTES / 1e6 }),
    commandHint({ name, file: name }),
  );
}

// ---- from text to cells

/**
 * The records of a text, as Python's csv module cuts them: {rows, lines (where each begins), fault: null or {rule,
 * line}}. gap: whether blanks after a delimiter don't belong to the cell, so that a quote may follow them.
 */
function recordsOf(text, { delimiter, quote = '"', gap = false }) {
  const rows = [];
  const lines = [];
  const stops = new Set([delimiter, '\n', '\r', undefined]);
  const plain = new RegExp(`[^${delimiter.replace(/[\\\]^-]/g, '\\$&')}\r\n]*`, 'y');
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const row = [];
    const first = line;
    const blank = text[at] === '\n' || text[at] === '\r';
    for (;;) {
      while (gap && text[at] === ' ') at++;
      const start = at;
      let cell = '';
      if (text[at] === quote) {
        do {
          const end = text.indexOf(quote, at + 1);
          if (end < 0) return { rows, lines, fault: { rule: 'csv_unclosed_quote', line: first } };
          at = end + 1;
        } while (text[at] === quote);
        cell = text.slice(start + 1, at - 1).replaceAll(quote + quote, quote);
        line += cell.match(/\r\n|\n|\r/g)?.length ?? 0;
        let end = at; // blanks between a closing quote and the end of its cell are nobody's
        while (delimiter !== ' ' && (text[end] === ' ' || (text[end] === '\t' && delimiter !== '\t'))) end++;
        if (stops.has(text[end])) at = end;
        if (!stops.has(text[at])) return { rows, lines, fault: { rule: 'csv_quote', line: first } };
      } else {
        plain.lastIndex = at;
        [cell] = plain.exec(text);
        at = plain.lastIndex;
      }
      row.push(cell);
      if (text[at] !== delimiter) break;
      at++;
    }
    if (!blank) {
      rows.push(row);
      lines.push(first);
    }
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
    line++;
  }
  return { rows, lines, fault: null };
}

const isEven = ({ rows }) =>
  rows.length > 0 && rows[0].length > 1 && rows.every((row) => row.length === rows[0].length);

/** Whether a quote stands within a cell, which tells of a wrong delimiter. */
const isStray = ({ rows }, quote) =>
  rows.some((row) =>
    row.some((cell) => cell.trim().startsWith(quote) || (cell.length > 1 && cell.split(quote).length % 2 === 0)),
  );

/** Single quotes that enclose whole cells, and nothing else. */
function quoteOf(head) {
  const rest = head.replace(/(?<=[,;\t|\r\n]|^)'[^'\r\n]*(?:''[^'\r\n]*)*'[ \t]*(?=[,;\t|\r\n]|$)/g, '');
  return !head.includes('"') && rest !== head && !rest.includes("'") ? "'" : '"';
}

/** The records of a text's beginning; null where its quotes don't fit this delimiter. */
function sampleOf(head, whole, dialect) {
  const cut = (own) => {
    const { rows, fault } = recordsOf(head, own);
    return fault && (whole || fault.rule !== 'csv_unclosed_quote') ? [] : rows;
  };
  const rows = cut(dialect);
  const alike = (list) => list.length && list.every((row) => row.length === list[0].length);
  if (!(alike(rows) && !isStray({ rows }, dialect.quote)) && head.includes(`${dialect.delimiter} ${dialect.quote}`)) {
    const eased = { ...dialect, gap: true };
    const easedRows = cut(eased);
    if (alike(easedRows)) return { dialect: eased, rows: easedRows };
  }
  return { dialect, rows };
}

/** The only dialect by which all lines have equally many cells that make sense. */
function dialectOf(head, whole, delimiter, own) {
  const quote = quoteOf(head);
  const line = head.split(/[\r\n]/, 1)[0];
  if (delimiter) return sampleOf(head, whole, { delimiter, quote }).dialect;
  const samples = DELIMITERS.filter((one) => line.includes(one)).map((one) =>
    sampleOf(head, whole, { delimiter: one, quote }),
  );
  const even = samples.filter(isEven);
  if (even.length === 1) return even[0].dialect;
  if (even.length) {
    const tidy = even.filter((sample) => !isStray(sample, quote));
    const others = even.map(({ dialect }) => dialect.delimiter);
    const clean = (tidy.length ? tidy : even).filter(({ dialect, rows }) =>
      (rows.length > 1 ? rows.slice(1, LOOK) : rows).every((row) =>
        row.every(
          (cell) => isValue(cell) || !others.some((other) => other !== dialect.delimiter && cell.includes(other)),
        ),
      ),
    );
    if (clean.length === 1) return clean[0].dialect;
    refuse(
      'csv_delimiter',
      t('csv_delimiter', { ...own, delimiters: others.map((one) => JSON.stringify(one)).join(', ') }),
      t('csv_delimiter_hint'),
    );
  }
  const others = head.split(/\r\n|\n|\r/).filter((text) => text.trim());
  if (
    !samples.length &&
    DELIMITERS.some((one) => others.length > 2 && others.slice(-2).every((text) => text.includes(one)))
  )
    refuse('csv_lines', t('csv_lines', own), commandHint(own));
  if (!samples.length)
    refuse('csv_one_column', t('csv_one_column', { ...own, line: shortened(line) }), commandHint(own));
  const count = ({ dialect }) => line.split(dialect.delimiter).length;
  return samples.reduce((a, b) => (count(b) > count(a) ? b : a)).dialect;
}

/** Whether the first record names the columns: dialect.py's rule. Where it may or may not, the reader is asked. */
function hasHeader(rows, own) {
  const first = rows[0].map((cell) => cell.trim());
  const below = first.map((_, j) => rows.slice(1, LOOK).map((row) => row[j]?.trim() ?? ''));
  const kinds = below.map(kindOf);
  const mine = first.map((cell) => kindOf([cell]));
  const again = first.map((cell, j) => below[j].includes(cell));
  const numbers = first.filter((cell) => isNumber(cell)).map(Number);
  const counting = numbers.every((v, i) => !i || v === numbers[i - 1] + 1);
  const telling = first.map((_, j) => j).filter((j) => kinds[j] && !/^[+-]?inf(inity)?$/i.test(first[j]));
  const names = telling.some((j) => first[j] && kinds[j] !== mine[j]);
  const over = telling.filter((j) => kinds[j] === mine[j]);
  const decided = over.some((j) => !/^[+-]?\d+$/.test(first[j]));
  const wordsAgain = first.every((cell, j) => again[j] || mine[j] || !cell);
  const wordsOnce = mine.some((kind) => !kind) && !mine.some((kind, j) => !kind && again[j]);
  const years = counting && numbers.length > 2 && wordsOnce && !first.includes('');
  if ((names || years) && !decided) return true;
  if (!names && over.length && (decided || (wordsAgain && !counting))) return false;
  const anyKind = mine.some(Boolean);
  if (!anyKind && 2 * again.filter(Boolean).length < first.length) return true;
  if (!anyKind && new Set(first).size < first.length && !first.includes('')) return false;
  return refuse('csv_header', t('csv_header', { ...own, line: shortened(first.join(', ')) }), t('csv_header_hint'));
}

/** What all cells of a column are: number, date, time, or "" for words. */
function kindOf(cells) {
  const there = cells.filter((cell) => !isNothing(cell));
  if (!there.length) return '';
  return there.every((cell) => affixOf(cell))
    ? 'number'
    : there.every(isDate)
      ? 'date'
      : there.every(isTime)
        ? 'time'
        : '';
}

const shortened = (text) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);

/** Names, with those that come again as pandas writes them: a, a.1, a.2. */
function toldApart(names) {
  const told = [];
  for (const name of names) {
    let one = name;
    for (let n = 1; told.includes(one); n++) one = `${name}.${n}`;
    told.push(one);
  }
  return told;
}

/** Whether cells without a name are a saved index: all differ, or they count, perhaps several times. */
function isIndex(cells) {
  if (cells.includes('') || new Set(cells).size === cells.length) return !cells.includes('');
  const whole = cells.map((cell) => (/^\d+$/.test(cell) ? Number(cell) : NaN));
  return Math.max(...whole) > 1 && whole.every((b, i) => !i || b === whole[i - 1] + 1 || (b < whole[i - 1] && b < 2));
}

/**
 * Whether lines stand above the header or below it that are no rows: titles, comments, units. The command leaves them
 * out.
 */
function hasOtherLines(rows, width) {
  const filled = (row) => row.filter((cell) => cell.trim()).length;
  const most = filled(rows.at(-1));
  const comment = /^\s*(#|\/\/|%|!)/.test(rows[0][0]) && rows.length > 2;
  const sentence = width > 1 && rows[0].slice(1).every((cell) => cell[0] === ' ');
  if (rows[0].length < width - 1 || (width > 2 && filled(rows[0]) < 2 && most > 1)) return true;
  if (rows.length < 4) return false;
  const over = rows[1].map((cell, j) => [
    cell.trim(),
    kindOf(rows.slice(Math.min(9, rows.length - 2), LOOK).map((row) => row[j]?.trim() ?? '')),
  ]);
  const typed = over.filter(([cell, kind]) => kind && !isNothing(cell));
  const words = typed.length > 0 && !typed.some(([cell]) => kindOf([cell]));
  return words && (typed.length > 1 || comment || sentence || /^[([].*[)\]]$|^%$|^°\w?$/.test(typed[0][0]));
}

// ---- from cells to numbers

/** How the numbers of a column are written: {affix, verdict: no, mixed, point, comma, same or open, example}. */
function writingOf(cells) {
  const there = cells.filter((cell) => !isNothing(cell));
  const affix = there.length ? affixOf(there[0]) : null;
  if (!affix) return { verdict: 'no' };
  const [point, comma, either] = patterns(affix);
  let points = 0;
  let commas = 0;
  let same = 0;
  for (const cell of there) {
    const p = point.test(cell);
    const c = comma.test(cell);
    if (!p && !c) return { verdict: 'no' };
    points += Number(p);
    commas += Number(c);
    same += Number(either.test(cell));
  }
  const codes = there.filter((cell) => CODE.test(cell));
  if (
    codes.length &&
    there.every((cell) => /^\d/.test(cell) && either.test(cell)) &&
    (codes.length === there.length || !codes.every((cell) => WEAK_CODE.test(cell)))
  )
    return { verdict: 'no' };
  const n = there.length;
  const [asPoint, asComma] = [points === n, commas === n];
  const verdict =
    !asPoint && !asComma ? 'mixed' : asPoint && asComma ? (same === n ? 'same' : 'open') : asPoint ? 'point' : 'comma';
  const group = { point: ',', comma: '.' }[verdict];
  const lone = there.filter((cell) => LONE.test(cell) && cell.includes(group));
  if (lone.length && !there.some((cell) => PROVEN.test(cell))) {
    const digits = there
      .filter((cell) => !LONE.test(cell))
      .map((cell) => /\d*/.exec(cell.replace(/^[-+]/, ''))[0].length);
    if (Math.max(...digits) !== 3) return { affix, verdict: 'mixed', example: lone[0] }; // 3,142 beside 0.7
  }
  return {
    affix,
    verdict,
    example: there.find((cell) => point.test(cell) && comma.test(cell) && !either.test(cell)) ?? there[0],
  };
}

/** The decimal sign of the whole table: a column proves it, or decimal says it. */
function usesComma(writings, names, decimal, own) {
  if (decimal) return decimal === ',';
  const first = (verdict) => writings.findIndex((writing) => writing.verdict === verdict);
  const mixed = first('mixed');
  const point = first('point');
  const comma = first('comma');
  const open = first('open');
  if (mixed >= 0 || (point >= 0 && comma >= 0)) {
    const [a, b] = mixed >= 0 ? [mixed, mixed] : [point, comma];
    refuse('decimal_mixed', t('decimal_mixed', { ...own, one: names[a], other: names[b] }), t('decimal_mixed_hint'));
  }
  if (open >= 0 && point < 0 && comma < 0)
    refuse(
      'decimal_open',
      t('decimal_open', { ...own, column: names[open], cell: writings[open].example }),
      t('decimal_open_hint'),
    );
  return comma >= 0;
}

/** A column's numbers, null where there is none; or its words where they aren't plain numbers. */
function cellsOf(words, { affix, verdict }, comma) {
  const plain = affix && !affix[0] && !affix[1];
  const fits = ['same', 'open', comma ? 'comma' : 'point'].includes(verdict);
  const there = words.filter((word) => !isNothing(word));
  if (there.length && (!plain || !fits || there.some((word) => LEADING_ZERO.test(word)))) return words;
  const groups = comma && verdict !== 'same' ? /[.'’\s]/g : /[,'’\s]/g;
  return words.map((word) => (isNothing(word) ? null : numberOf(word.replace(groups, '').replace(',', '.'))));
}

const numberOf = (text) => (/inf/i.test(text) ? Infinity * (text.startsWith('-') ? -1 : 1) : Number(text));

// ---- a table

/**
 * text: a file's, or pasted. file: its name. delimiter, header (true, false), decimal ("." or ","): where the reader
 * was asked. → {name, file, columns: [{name, cells: numbers and nulls, or words}], header, notes}; throws a Refusal.
 *
 * @param {string} text
 * @param {{ file?: string, delimiter?: string, header?: boolean, decimal?: string }} [asked]
 */
export function readTable(text, { file = 'table.csv', delimiter, header, decimal } = {}) {
  const name = file.replace(/\.(csv|tsv|txt|tab)$/i, '') || 'table';
  const own = { name: file, file };
  if (text.length > MOST_BYTES) tooLarge(file, text.length);
  let body = text.replace(/^\ufeff/, '').replace(/^(\r\n|\n|\r)+/, '');
  if (!body.trim()) refuse('csv_empty', t('csv_empty', own), t('csv_empty_hint'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no text has them
  if (/[\0\x81\x8d\x8f\x90\x9d]|^PK\x03\x04/.test(body.slice(0, SAMPLE)))
    refuse('csv_binary', t('csv_binary', own), commandHint(own));
  if (/^\s*(<!doctype|<html|\{\s*["}]|\[\s*\{)/i.test(body)) refuse('csv_other', t('csv_other', own), commandHint(own));
  const marked = SEPARATOR_LINE.exec(body);
  if (marked && !delimiter) [delimiter, body] = [marked[1], body.slice(marked[0].length)];
  const skipped = text.slice(0, text.length - body.length).match(/\r\n|\n|\r/g)?.length ?? 0;

  const head = body.length > SAMPLE ? body.slice(0, body.lastIndexOf('\n', SAMPLE) + 1 || SAMPLE) : body;
  const dialect = dialectOf(head, head === body, delimiter, own);
  const { rows, lines, fault } = recordsOf(body, dialect);
  if (fault) refuse(fault.rule, t(fault.rule, { ...own, n: fault.line + skipped }), t('csv_quote_hint'));
  const usual = rows[rows.length >> 1].length;
  if (hasOtherLines(rows, usual)) refuse('csv_lines', t('csv_lines', own), commandHint(own));
  const below = rows.slice(1);
  const lacks = usual > 2 && rows[0].length === usual - 1 && below.every((row) => row.length === usual);
  if (lacks && below.every((row) => !row[usual - 1].trim())) rows[0].push('');
  else if (lacks && isIndex(below.map((row) => row[0].trim()))) rows[0].unshift('');
  const width = rows[0].length;
  const ragged = rows.findIndex((row) => row.length !== width);
  if (ragged >= 0)
    refuse(
      'csv_ragged',
      t('csv_ragged', { ...own, n: lines[ragged] + skipped, got: rows[ragged].length, want: width }),
      t('csv_ragged_hint', { delimiter: dialect.delimiter === '\t' ? '\\t' : dialect.delimiter }),
    );
  if (width < 2)
    refuse('csv_one_column', t('csv_one_column', { ...own, line: shortened(rows[0][0]) }), commandHint(own));

  header ??= hasHeader(rows, own);
  const heading = header ? rows[0].map((cell) => cell.trim()) : rows[0].map((_, j) => `x${j + 1}`);
  const notes = [];
  const values = (header ? rows.slice(1) : rows).filter((row) => row.some((cell) => cell.trim()));
  const columnOf = (j) => values.map((row) => row[j].trim());
  const bare = heading.map((_, j) => columnOf(j).every((cell) => !cell));
  const at = heading
    .map((_, j) => j)
    .filter((j) => !(bare[j] && (header ? !heading[j] : bare.slice(j).every(Boolean))));
  if (at.length < width && values.length) notes.push(t('csv_bare', { n: width - at.length }));
  if (!heading[0] && at[0] === 0 && isIndex(columnOf(0))) {
    at.shift();
    notes.push(t('csv_index', { cells: columnOf(0).slice(0, 3).join(', ') }));
  }
  if (values.length)
    for (const j of at)
      if (!heading[j]) refuse('column_name_empty', t('column_name_empty', { ...own, n: j + 1 }), t('column_name_hint'));
  const names = toldApart(at.map((j) => heading[j]));
  const again = names.filter((name, i) => name !== heading[at[i]]);
  if (again.length) notes.push(t('csv_told_apart', { names: again.join(', ') }));
  if (!values.length) refuse('csv_no_rows', t('csv_no_rows', own), t('csv_no_rows_hint'));
  if (values.length === 1) refuse('rows_one', t('rows_one', { n: 1 }), t('add_rows'));
  if (width > MOST_COLUMNS)
    refuse('table_wide', t('table_wide', { ...own, n: width, most: MOST_COLUMNS }), commandHint(own));
  const words = at.map(columnOf);
  const writings = words.map(writingOf);
  const comma = usesComma(writings, names, decimal, own);
  if (!header) notes.push(t('csv_no_header', { n: width }));
  if (comma) notes.push(t('csv_decimal_comma'));
  const rowsKept = sampled(values.length, notes);
  const columns = names.map((column, j) => {
    const cells = cellsOf(words[j], writings[j], comma);
    const spelled = words[j].find((word, i) => typeof cells[i] === 'number' && plain(cells[i]) !== word);
    return { name: column, cells: rowsKept ? rowsKept.map((i) => cells[i]) : cells, ...(spelled && { spelled }) };
  });
  return { name: rowsKept ? `${name}-sample` : name, file, columns, header, notes };
}

/**
 * Where there are too many rows for the page: the numbers of those that are kept, always the same ones, in their order.
 */
function sampled(n, notes) {
  if (n <= MOST_ROWS) return null;
  notes.push(t('table_sample', { n, of: MOST_ROWS }));
  return [...permutation(n, generator(0, 'sample')).slice(0, MOST_ROWS)].sort((a, b) => a - b);
}
