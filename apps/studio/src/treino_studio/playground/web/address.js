/**
 * The address of the playground, #key=value&…: data, settings, view and step, readable and short, so that a link in a
 * lesson opens what its author saw. What is as usual is left out. Unknown keys stay as they are: each view has its own.
 */

import { t } from '../../page/modules/words.js';
import { isTable } from './columns.js';
import { setting, usualOf, usualProblem } from './defaults.js';

const PROBLEM = {
  noise: Number,
  validation: Number,
  test: Number,
  data_seed: Number,
  normalise: (text) => ({ yes: true, no: false })[text],
};
const PLAIN = /%(2C|3A|3B|2F|40|24)/g; // , : ; / @ $
const LONGEST = 6000; // characters of a table or of points in an address; browsers and mail take so much

/**
 * What is asked for beside data and settings, by the keys of the address: hide, view, speed, …; lang and theme also
 * after a ?.
 */
export const asked = (name, hash = location.hash) =>
  parametersOf(hash).get(name) ?? (/lang|theme/.test(name) ? new URLSearchParams(location.search).get(name) : null);

/** What an address says that isn't understood, in a sentence. */
export const faultText = (fault) =>
  t({ data: 'data_not_here', cut: 'data_cut' }[fault.name] ?? 'not_understood', fault);

/** Names of controls that a teacher hides. */
export const hiddenNames = (hash) =>
  (asked('hide', hash) ?? '').split(',').filter((name) => /^[a-z][a-z_]*$/.test(name));

function parametersOf(hash) {
  return new URLSearchParams(hash.replace(/^#/, ''));
}

/**
 * What an address says: {problem, settings, step, actions}, with the usual value of all that it leaves out.
 *
 * tables: those of the page, by their names. kept: a problem that history keeps, for a table too long for an address.
 */
export async function readAddress(hash, { tables, kept }) {
  const all = parametersOf(hash);
  const settings = {};
  const faults = [];
  const problem = { ...usualProblem };
  const read = (name, of, to) => {
    if (!all.has(name)) return;
    const value = of(all.get(name));
    if (value === undefined || Number.isNaN(value)) faults.push({ name, value: all.get(name) });
    else to[name] = value;
  };
  for (const name of Object.keys(PROBLEM)) read(name, PROBLEM[name], problem);
  for (const name of Object.keys(setting)) read(name, setting[name].read, settings);
  for (const name of ['features', 'axes']) if (all.has(name)) problem[name] = namesIn(all.get(name));
  const data = all.get('data') || 'moons';
  const own = all.has('table') ? await tableIn(all.get('table')) : null;
  if (Object.hasOwn(tables, data)) Object.assign(problem, { source: 'table', table: tables[data] });
  else if (all.has('points') && pointsOf(all.get('points')))
    Object.assign(problem, { source: 'points', points: pointsOf(all.get('points')) });
  else if (own) Object.assign(problem, { source: 'table', table: own });
  else if (all.has('points') || all.has('table')) faults.push({ name: 'cut', value: data });
  else if (data === 'table' || data === 'points') {
    if (kept?.source === data && (data === 'points' || isTable(kept.table))) Object.assign(problem, kept);
    else faults.push({ name: 'data', value: data });
  } else problem.source = data;
  let actions = [];
  if (all.has('replay')) {
    try {
      actions = JSON.parse(all.get('replay'));
      if (!Array.isArray(actions) || !actions.every(isAction)) throw new TypeError('no list of actions');
    } catch {
      actions = [];
      faults.push({ name: 'replay', value: all.get('replay').slice(0, 40) });
    }
  }
  const step = Math.max(0, Math.floor(Number(all.get('step') ?? 0))) || 0;
  return {
    problem,
    settings: { ...usualSettings(problem, settings.channels), ...settings, data_seed: problem.data_seed },
    step,
    actions,
    faults,
  };
}

const usualSettings = (problem, channels) =>
  Object.fromEntries(Object.keys(setting).map((name) => [name, usualOf(name, problem, channels)]));

/**
 * The address of these, with other keys as they are in hash. rest: keys to be set beside, null: to be left out.
 * tables: those of the page. own: the page's usual problem. It says by {left} that the data is too long for it.
 */
export async function writeAddress(hash, { problem, settings, step = 0, actions = [] }, rest = {}, { tables }) {
  const all = parametersOf(hash);
  let left = false;
  const put = (name, text) => (text == null ? all.delete(name) : all.set(name, text));
  const builtin =
    problem.source === 'table' && Object.keys(tables).find((name) => sameTable(tables[name], problem.table));
  const source = builtin || problem.source;
  put('data', source === 'moons' ? null : source);
  put('points', null);
  put('table', null);
  if (problem.source === 'points') {
    const text = problem.points.map((point) => point.map(rounded).join(',')).join(';');
    left = text.length > LONGEST;
    if (!left) put('points', text);
  } else if (problem.source === 'table' && !builtin) {
    const text = await pack(JSON.stringify(problem.table));
    left = text.length > LONGEST;
    if (!left) put('table', text);
  }
  for (const name of ['features', 'axes']) put(name, problem[name] ? namesText(problem[name]) : null);
  put('noise', problem.noise == null ? null : String(problem.noise));
  for (const name of ['validation', 'test', 'data_seed'])
    put(name, problem[name] == null || problem[name] === usualProblem[name] ? null : String(problem[name]));
  put('normalise', problem.normalise === false ? 'no' : null);
  for (const [name, { write = String }] of Object.entries(setting)) {
    const usual = usualOf(name, problem, settings.channels);
    const text = settings[name] == null ? null : write(settings[name]);
    put(name, text === write(usual) || (text == null && usual == null) ? null : text);
  }
  put('step', step ? String(step) : null);
  put('replay', actions.length ? JSON.stringify(actions) : null);
  for (const [name, value] of Object.entries(rest)) put(name, value);
  return { hash: readable(all), left };
}

/** The parameters as they stand in an address: what needs no escape there has none. */
function readable(parameters) {
  const text = [...parameters].map(
    ([name, value]) =>
      `${encodeURIComponent(name)}=${encodeURIComponent(value).replace(PLAIN, (code) => decodeURIComponent(code))}`,
  );
  return `#${text.join('&')}`;
}

/** Names of columns, with commas between them; as JSON where one has a comma itself. */
const namesText = (names) =>
  names.some((name) => name.includes(',') || name.startsWith('[')) ? JSON.stringify(names) : names.join(',');

function namesIn(text) {
  try {
    if (text.startsWith('[')) return [].concat(JSON.parse(text)).map(String);
  } catch {
    /* names, after all */
  }
  return text.split(',').filter(Boolean);
}

const rounded = (value) => (typeof value === 'number' ? +value.toFixed(4) : value);
const sameTable = (a, b) =>
  a === b || (a.name === b.name && a.target === b.target && JSON.stringify(a.columns) === JSON.stringify(b.columns));

/** What was done at a step, of another run's state.replay. */
const isAction = (action) =>
  Array.isArray(action) &&
  Number.isInteger(action[0]) &&
  action[0] >= 0 &&
  typeof action[1] === 'string' &&
  typeof action[2] === 'object' &&
  action[2] !== null;

/** "x,y,class;…"; null where it isn't so. */
function pointsOf(text) {
  const points = text
    .split(';')
    .filter(Boolean)
    .map((point) => point.split(',').map((word) => (word.trim() ? Number(word) : NaN)));
  return points.every((point) => point.length === 3 && point.every(Number.isFinite)) ? points : null;
}

/** The table of an address; null where it is damaged, as one that a mail program has cut. */
async function tableIn(letters) {
  try {
    const table = JSON.parse(await unpack(letters));
    return isTable(table) ? table : null;
  } catch {
    return null;
  }
}

/** A text, deflated, in letters that need no escape in an address. */
async function pack(text) {
  const bytes = new Uint8Array(await piped(new TextEncoder().encode(text), new CompressionStream('deflate-raw')));
  let letters = '';
  for (let at = 0; at < bytes.length; at += 8192) letters += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(letters).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

async function unpack(letters) {
  const bytes = Uint8Array.from(atob(letters.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0));
  return new TextDecoder().decode(await piped(bytes, new DecompressionStream('deflate-raw')));
}

const piped = (bytes, through) => new Response(new Blob([bytes]).stream().pipeThrough(through)).arrayBuffer();
