/**
 * A problem of the page (points, a table, points drawn by hand) prepared as `treino train` prepares it, to the same
 * bits.
 */

import { refuse } from '../../page/modules/connection.js';
import { t } from '../../page/modules/words.js';
import { coded, commandHint, csvOf, isNothing, isTable, oddCell, reasonsOf, targetOf } from './columns.js';
import { sin } from './elementary.js';
import { returning, splitEvenly, unitsOf } from './equal_rows.js';
import { fitted, inputsOf, meaningsOf, median } from './interpreter.js';
import { POINTS } from './points.js';
import { pairsBySeparation } from './separation.js';

export const SHARE = 0.15; // of validation and of test rows, where nobody says
const PARTS = ['train', 'validation', 'test'];
const IMBALANCE = 10; // times more rows of one class than of another

const sine = (x) => (Math.abs(x) <= 1e6 ? sin(x) : Math.sin(x)); // the same in all browsers

/** Inputs made of the two columns on the axes, by the names that problem.features has for them. form: in Python. */
export const MADE = {
  x: { of: [0], value: (x) => x, name: (x) => x, form: 'x' },
  y: { of: [1], value: (y) => y, name: (_x, y) => y, form: 'x' },
  'x²': { of: [0], value: (x) => x * x, name: (x) => `${x}²`, form: 'x ** 2' },
  'y²': { of: [1], value: (y) => y * y, name: (_x, y) => `${y}²`, form: 'x ** 2' },
  xy: { of: [0, 1], value: (x, y) => x * y, name: (x, y) => `${x}·${y}`, form: 'x * y' },
  'sin x': { of: [0], value: (x) => sine(x), name: (x) => `sin ${x}`, form: 'np.sin(x)' },
  'sin y': { of: [1], value: (y) => sine(y), name: (_x, y) => `sin ${y}`, form: 'np.sin(x)' },
};

/**
 * problem: {source, noise, validation, test, data_seed, normalise, features, axes, table, points}; all but source may
 * be left out. features: names of columns, or of MADE, whose x and y are the axes; null: all columns. axes: two
 * columns, else the two that separate best. → Prepared: {name, kind, task, columns (K names), features (names of D
 * inputs), axes (columns, those of the plane first; no classes where there are numbers), classes, outputs, target,
 * parts (train, validation, test: {x [N D] standardised, y, rows of the source, raw [N K], NaN where there is no
 * cell, places: raw, with what is typical there}), typical: of each column, words: of each column what its numbers
 * stand for, truths: columns of these, mean, scale, targetMean, targetScale, notes, picture: [height, width] of
 * rows that are all pixels of one, else null; made: of each input {at: its columns, form: in Python, of x and y,
 * code: of its class; see interpreter.js}, programs: of each feature, command: {data, flags, file}, inputs(raw [N
 * K]) → x [N D]}.
 */
export function prepare(problem) {
  const { validation = SHARE, test = SHARE, data_seed: seed = 0, normalise = true } = problem;
  const notes = [];
  checkShares(validation, test);
  const source = sourceOf(problem);
  const all = source.columns.filter(({ name }) => !source.reasons.get(name)).map(coded);
  sayLeftOut(source, notes);
  const rows = Int32Array.from(source.target.values.flatMap((v, i) => (v === null ? [] : [i])));
  if (rows.length < 2) refuse('rows_one', t('rows_one', { n: rows.length }), t('add_rows'));
  if (rows.length < source.target.values.length)
    notes.push(t('rows_without_target', { n: source.target.values.length - rows.length }));
  const { task, classes } = source.target;
  const value = Float64Array.from(rows, (i) => source.target.values[i]);
  const label = classes.length ? Int32Array.from(value) : new Int32Array(rows.length);
  if (classes.length === rows.length)
    refuse(
      'classes_all_distinct',
      t('classes_all_distinct', { name: source.target.name, n: classes.length }),
      t('name_other_target'),
    );
  sayClasses(classes, label, notes);

  const units = (input) => unitsOf(firstEqual(input, rows.length), input, value);
  const drawn = (first) => splitEvenly(first, label, validation, test, seed);
  const divide = (input) => drawn(units(input));
  const pair = axesOf(problem, drawable(all), rows, divide, value, classes);
  const { columns, features } = featuresOf(problem.features ?? null, all, pair, source);
  const raw = tableOf(columns, rows);
  const made = applied(features, raw, columns.length);
  const F = features.length;
  const first = units(made);
  const different = first.reduce((n, f, i) => n + Number(f === i), 0);
  const wanted = 1 + Number(validation > 0) + Number(test > 0);
  if (different < Math.max(wanted, 2))
    refuse(
      'rows_too_few',
      `${t('rows_different', { n: different })} ${t('rows_too_few', { wanted })}`,
      t(different > 1 ? 'add_rows_or_none' : 'add_rows'),
    );
  if (different < rows.length) notes.push(t('rows_equal', { n: rows.length - different }));
  const alone = returning(firstEqual(made, rows.length), first);
  if (alone) notes.push(t('rows_return', { n: alone, of: rows.length }));
  const part = drawn(first);

  const places = PARTS.map((_, p) => Int32Array.from(rows.keys()).filter((i) => part[i] === p));
  features.forEach((feature, f) => {
    const cells = Array.from(places[0], (i) => cellOf(feature, made[i * F + f]));
    feature.program = fitted(feature.name, feature.kind, cells);
  });
  const inputs = features.flatMap(({ at, form, words, program }) =>
    meaningsOf(program).map((meaning) => ({ ...meaning, at, form, code: words?.indexOf(meaning.word) })),
  );
  const D = inputs.length;
  const encoded = (of) => encodedOf(features, applied(features, of, columns.length), D);
  const x = encoded(raw);
  const fits = inputs.map(({ scaled }, j) => (normalise && scaled ? fit(taken(x, places[0], D, j), D === 1) : [0, 1]));
  const [mean, scale] = [0, 1].map((k) => Float64Array.from(fits, (one) => one[k]));
  const [targetMean, deviation] = task === 'regression' ? fit(taken(value, places[0], 1, 0), true) : [0, 1];
  const targetScale = deviation || 1;
  const standardised = (of) => scaled(of, mean, scale, inputs);
  const target = (i) => (task === 'regression' ? (value[i] - targetMean) / targetScale : label[i]);
  sayConstant(inputs, scale, notes);
  sayGaps(inputs, notes);
  const typical = columns.map((column, k) => typicalOf(column, taken(raw, places[0], columns.length, k)));
  return {
    name: source.name,
    kind: 'table',
    task,
    columns: columns.map(({ name }) => name),
    features: inputs.map(({ name }) => name),
    axes: orderedAxes(columns, pair),
    classes,
    outputs: classes.length || 1,
    target: source.target.name,
    picture: (alike(features, all) && source.table?.picture) || null,
    parts: places.map((at) => {
      const own = takenRows(raw, at, columns.length);
      return {
        x: standardised(takenRows(x, at, D)),
        y:
          task === 'regression'
            ? finite(Float32Array.from(at, target), source.target.name)
            : Int32Array.from(at, target),
        rows: at.map((i) => rows[i]),
        raw: own,
        places: own.map((v, k) => (Number.isNaN(v) ? typical[k % columns.length] : v)),
      };
    }),
    typical,
    words: columns.map(({ words }) => words),
    truths: columns.filter(({ kind }) => kind === 'truth').map(({ name }) => name),
    mean,
    scale,
    targetMean,
    targetScale,
    notes,
    made: inputs,
    programs: features.map(({ program }) => program),
    command: commandOf(source, columns, features, { validation, test, seed, normalise }),
    inputs: (of) => standardised(encoded(of)),
  };
}

// ---- from a source to columns

/**
 * → {name, columns: [{name, cells}], reasons: Map of those that can't be inputs, target, kept: is it the same in
 * Python?}.
 *
 * @returns {{
 *   name: string, columns: Column[], reasons: Map<string, string>, target: Target, builtin?: boolean,
 *   table?: { picture?: number[] | null },
 * }}
 * @typedef {{ name: string, cells: (number | string | null)[] }} Column
 * @typedef {Column & { task: string, classes: string[], values: (number | null)[], plain?: boolean }} Target
 */
function sourceOf({ source, noise = null, table, points }) {
  if (Object.hasOwn(POINTS, source)) {
    const drawn = POINTS[source].draw(noise ?? POINTS[source].noise);
    const { name, ...rest } = { name: source, ...pointsTable(drawn.x, drawn.y) };
    return { ...rest, name, builtin: noise === null || noise === POINTS[source].noise };
  }
  if (source === 'points') {
    if (!points?.length) refuse('points_none', t('points_none'), t('points_none_hint'));
    return {
      name: 'points',
      ...pointsTable(
        points,
        points.map((p) => p[2]),
      ),
    };
  }
  if (!table?.columns?.length) refuse('table_none', t('table_none', { name: source }), t('table_none_hint'));
  if (!isTable(table)) refuse('table_damaged', t('data_cut'));
  const column = table.columns.find(({ name }) => name === table.target);
  if (!column) refuse('target_missing', t('target_missing', { name: table.name }), t('target_missing_hint'));
  const target = { name: column.name, cells: column.cells, ...targetOf(column, table) };
  const columns = table.columns.filter((other) => other !== column);
  const reasons = reasonsOf(table);
  return { name: table.name, columns, reasons, target, builtin: source !== 'table' || table.builtin === true, table };
}

function pointsTable(x, y) {
  const columns = [0, 1].map((j) => ({ name: `x${j + 1}`, cells: x.map((p) => p[j]) }));
  const cells = y.slice();
  return { columns, reasons: new Map(), target: { name: 'target', cells, ...targetOf({ name: 'target', cells }) } };
}

const tableOf = (columns, rows) =>
  Float64Array.from({ length: rows.length * columns.length }, (_, k) => {
    return columns[k % columns.length].numbers[rows[Math.floor(k / columns.length)]];
  });

// ---- which columns, which inputs

/** The two columns of the plane: asked for, the only ones, or those that separate best. */
function axesOf({ axes, features }, all, rows, divide, value, classes) {
  const known = (axes ?? []).map((name) => all.findIndex((column) => column.name === name));
  if (known.length === 2 && known.every((j) => j >= 0) && known[0] !== known[1]) return known.map((j) => all[j].name);
  const named = features?.map((name) => all.findIndex((column) => column.name === name)).filter((j) => j >= 0) ?? [];
  const among = (named.length ? [...new Set(named)] : all.map((_, j) => j)).map((j) => all[j]);
  if (among.length < 3) return among.map(({ name }) => name);
  const input = tableOf(among, rows);
  const part = divide(input);
  const train = Int32Array.from(part.keys()).filter((i) => part[i] === 0);
  const columns = among.map((column, j) => {
    const own = taken(input, train, among.length, j);
    return own.map((v) => (Number.isNaN(v) ? typicalOf(column, own) : v));
  });
  return pairsBySeparation(
    columns,
    Float64Array.from(train, (i) => value[i]),
    classes.length,
  )[0].map((j) => among[j].name);
}

/** The columns that are used, and of each feature its name and how it is made of them. */
function featuresOf(features, all, pair, { reasons, target, name, table = null }) {
  const used = [];
  const place = (column) => {
    if (!used.includes(column)) used.push(column);
    return used.indexOf(column);
  };
  const byName = new Map(all.map((column) => [column.name, column]));
  const names = new Set([target.name]);
  const asked = features ?? all.map((column) => column.name);
  const seen = new Set();
  if (!asked.length)
    refuse(
      all.length ? 'features_none' : 'no_inputs',
      t(all.length ? 'features_none' : 'no_inputs', { name }),
      all.length ? t('features_none_hint') : commandHint(table),
    );
  const made = asked.map((feature) => {
    if (seen.has(feature))
      refuse('features_duplicate', t('features_duplicate', { name: feature }), t('features_none_hint'));
    seen.add(feature);
    const own = byName.get(feature);
    if (own) return { ...own, at: [place(own)], value: MADE.x.value, form: MADE.x.form, column: true };
    if (reasons.get(feature))
      refuse(
        'features_kinds',
        t('column_no_input', { name: feature, why: t(reasons.get(feature)) }),
        commandHint(table),
      );
    const { of, name: nameOf, ...rest } = Object.hasOwn(MADE, feature) ? MADE[feature] : { of: [2] };
    const column = feature === 'x' || feature === 'y';
    const [x, y] = of.map((axis) => byName.get(pair[axis]));
    if (!x || (of[1] && !y) || (x.kind !== 'number' && !column))
      refuse('features_unknown', t('features_unknown', { name: feature }), t('features_none_hint'));
    return { ...x, ...rest, name: nameOf(...pair), at: (y ? [x, y] : [x]).map(place), column };
  });
  for (const feature of made) {
    while (names.has(feature.name)) feature.name += "'";
    names.add(feature.name);
  }
  return { columns: used, features: made };
}

/** The columns that a plane may have: numbers, and classes only where there are none. */
const drawable = (columns) =>
  columns.some(({ kind }) => kind === 'number') ? columns.filter(({ kind }) => kind === 'number') : columns;

function orderedAxes(columns, pair) {
  const names = drawable(columns).map(({ name }) => name);
  const first = pair.filter((name) => names.includes(name));
  return [...first, ...names.filter((name) => !first.includes(name))];
}

/** Features [N F] of columns [N K], in the data's own units. */
function applied(features, raw, K) {
  const F = features.length;
  const out = new Float64Array((raw.length / K) * F);
  for (let i = 0; i * K < raw.length; i++)
    features.forEach(({ at, value }, f) => {
      out[i * F + f] = value(raw[i * K + at[0]], raw[i * K + (at[1] ?? at[0])]);
    });
  return out;
}

/** The cell that a number stands for; null where there is none. */
export const cellOf = ({ words }, number) => (Number.isNaN(number) ? null : words ? words[Math.round(number)] : number);

/** Inputs [N D] of features [N F], by their programs. */
function encodedOf(features, made, D) {
  const rows = Array.from({ length: made.length / features.length }, (_, i) => i);
  const out = new Float64Array(rows.length * D);
  let first = 0;
  features.forEach((feature, f) => {
    const cells = rows.map((i) => cellOf(feature, made[i * features.length + f]));
    for (const values of inputsOf(feature.program, cells)) {
      const width = values[0]?.length ?? 1;
      for (const i of rows)
        if (typeof values[i] === 'number') out[i * D + first] = values[i];
        else out.set(values[i], i * D + first);
      first += width;
    }
  });
  return out;
}

/** The median of numbers, and the commonest class, where there are cells. */
function typicalOf({ kind }, numbers) {
  const there = numbers.filter((v) => !Number.isNaN(v));
  if (kind === 'number') return median(there);
  const count = (v) => there.reduce((n, other) => n + Number(other === v), 0);
  return [...new Set(there)].sort((a, b) => count(b) - count(a))[0] ?? 0;
}

// ---- statistics of the training rows, as NumPy computes them

/**
 * Mean and deviation of numbers, computed over the largest one, as treino's fit_table does. alone: whether no other
 * input stands beside them.
 */
function fit(values, alone) {
  const sum = alone ? pairwise : inOrder;
  const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0) || 1;
  const v = values.map((value) => value / largest);
  const middle = sum(v) / v.length;
  return [middle * largest, Math.sqrt(sum(v.map((value) => (value - middle) * (value - middle))) / v.length) * largest];
}

/** NumPy adds the rows of a table one after the other, … */
const inOrder = (values) => values.reduce((a, b) => a + b, 0);

/** … and a single column in blocks of 128, eight sums at a time, whose sums are added in pairs. */
function pairwise(values, from = 0, n = values.length) {
  if (n > 128) {
    const half = Math.floor(n / 2) - (Math.floor(n / 2) % 8);
    return pairwise(values, from, half) + pairwise(values, from + half, n - half);
  }
  if (n < 8) return inOrder(values.subarray(from, from + n));
  const r = values.slice(from, from + 8);
  let i = 8;
  for (; i < n - (n % 8); i += 8) for (let k = 0; k < 8; k++) r[k] += values[from + i + k];
  let sum = r[0] + r[1] + (r[2] + r[3]) + (r[4] + r[5] + (r[6] + r[7]));
  for (; i < n; i++) sum += values[from + i];
  return sum;
}

/** Standardised in float64 and rounded once; an input that was constant in the training rows is 0. */
function scaled(numbers, mean, scale, inputs) {
  const D = mean.length;
  const x = new Float32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const j = i % D;
    x[i] = scale[j] ? (numbers[i] - mean[j]) / scale[j] : 0;
    if (!Number.isFinite(x[i])) finite([x[i]], inputs[j].name);
  }
  return x;
}

function finite(values, name) {
  if (!values.every(Number.isFinite)) refuse('value_range', t('value_range', { name }), t('correct_cell'));
  return values;
}

/** A column of some rows of a table [N D]. */
const taken = (table, at, D, j) => Float64Array.from(at, (i) => table[i * D + j]);

const takenRows = (table, at, D) => {
  const out = new Float64Array(at.length * D);
  at.forEach((row, i) => out.set(table.subarray(row * D, (row + 1) * D), i * D));
  return out;
};

/** Of each row [N] the first that has the same numbers, bit for bit; -0 counts as 0. */
function firstEqual(table, n) {
  const D = table.length / n;
  const bits = new Uint16Array(table.map((v) => v + 0).buffer);
  const seen = new Map();
  return Int32Array.from({ length: n }, (_, i) => {
    const key = String.fromCharCode(...bits.subarray(4 * D * i, 4 * D * (i + 1)));
    if (!seen.has(key)) seen.set(key, i);
    return seen.get(key);
  });
}

// ---- what is said, and the command

function checkShares(validation, test) {
  const fits = [validation, test].every((share) => Number.isFinite(share) && share >= 0) && validation + test < 1;
  if (!fits) refuse('shares_sum', t('shares_sum', { validation, test }), t('shares_sum_hint'));
}

function sayLeftOut({ columns, reasons }, notes) {
  for (const why of new Set(reasons.values())) {
    if (!why) continue;
    const names = columns
      .filter(({ name }) => reasons.get(name) === why)
      .map(({ name }) => name)
      .join(', ');
    notes.push(t('columns_left_out', { names, why: t(why) }));
  }
  for (const column of columns.filter(({ name }) => reasons.get(name) === 'why_mixed')) {
    const cell = oddCell(column);
    if (cell) notes.push(t('column_odd', { name: column.name, cell }));
  }
}

function sayClasses(classes, label, notes) {
  if (!classes.length) return;
  const count = classes.map(() => 0);
  label.forEach((c) => {
    count[c]++;
  });
  const most = count.indexOf(Math.max(...count));
  const least = count.indexOf(Math.min(...count));
  if (count[least] === 1) notes.push(t('class_of_one_row', { value: classes[least] }));
  if (count[most] >= IMBALANCE * count[least])
    notes.push(t('classes_uneven', { most: classes[most], n: count[most], least: classes[least], m: count[least] }));
}

function sayConstant(inputs, scale, notes) {
  const names = inputs.filter((_, j) => !scale[j]).map(({ name }) => name);
  if (names.length) notes.push(t('constant_in_training', { names: names.join(', ') }));
}

function sayGaps(inputs, notes) {
  const names = inputs.filter(({ word }) => word === '').map(({ name }) => name);
  if (names.length) notes.push(t('gaps_filled', { names: names.join(', ') }));
}

/** What `treino train` is told to train on the same numbers: a built-in's name, or a file whose text comes with it. */
function commandOf(
  { name, builtin = false, target, table = null, columns: all },
  columns,
  features,
  { validation, test, seed, normalise },
) {
  const own = features.every(({ column }) => column);
  const flags = [];
  if (!builtin || !own) flags.push('--target', target.name);
  if (!own || !alike(features, all)) flags.push('--features', features.map(({ name }) => item(name)).join());
  if (validation !== SHARE) flags.push('--validation', String(validation));
  if (test !== SHARE) flags.push('--test', String(test));
  if (!normalise) flags.push('--no-normalise');
  flags.push('--data-seed', String(seed));
  if (builtin && own) return { data: name, flags, file: null };
  const made = features.map((feature) => ({ name: feature.name, cells: ofColumns(feature, columns) }));
  const cells = target.cells;
  if ([...made, target].some((column) => /^[\d.+\-$€£¥?]/.test(column.name) || isNothing(column.name)))
    flags.push('--header', 'yes');
  return {
    data: `${(table?.name ?? name).replace(/[^\p{L}\p{N}._-]+/gu, '-')}.csv`,
    flags,
    file: csvOf([...made, { name: target.name, cells }]),
  };
}

const ofColumns = ({ at, value }, columns) => {
  const [x, y] = [columns[at[0]].cells, columns[at[1] ?? at[0]].cells];
  return x.map((v, i) => (v === null || y[i] === null ? null : value(v, y[i])));
};

const alike = (features, columns) =>
  features.length === columns.length && features.every(({ name }, j) => name === columns[j].name);

/** A name in a list of treino's: in double quotes if it has a comma. */
const item = (name) => (name.includes(',') || name.startsWith('"') ? `"${name.replace(/"/g, '""')}"` : name);
