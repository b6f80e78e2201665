/** What the pages of sweeps, studies, scripts and the home page share: a chart in a panel, tables, a socket. */

import { makeChart, namedOf } from './chart.js';
import { Connection, replyOf } from './connection.js';
import { el, makeButton, pointIn, setText } from './dom.js';
import { num, whole } from './numbers.js';
import { underway } from './press.js';
import { placeAt } from './store.js';
import { show } from './tables.js';
import { classColour } from './theme.js';
import { hideTip } from './tip.js';
import { language, t } from './words.js';

const REST = 1000; // milliseconds between two writings of a table: it shall be read
const NEWEST = 12; // rows of it

/** A panel with a heading. */
export const panel = (title, ...children) => el('section', { class: 'panel' }, el('h2', {}, title), children);

/** A button for who watches and may steer, and how it is shown or hidden by a state. */
export function wheel(command) {
  const node = makeButton(() => command('steer'), { class: 'primary', hidden: true }, t('take_wheel'));
  return {
    node,
    update: (state) => {
      node.hidden = state.steers || !state.can_steer;
    },
  };
}

/** A button that stops a training, until the state says that it comes to its end. */
export function stopButton(id, word, command) {
  const node = makeButton(() => command('stop'), { id });
  function update({ status: now, steers, ending, progress }) {
    node.hidden = now !== 'running' || !steers || Boolean(progress.judging);
    node.disabled = ending;
    setText(node, t(ending ? 'stopping' : word));
  }
  return { node, update };
}

/**
 * A chart (chart.js) with an accessible name, in a box of its own height, under its names; its tools stand beside the
 * heading, and behind it the newest values of its named lines as a table.
 */
export function chart(name, how = {}) {
  const canvas = el('canvas', { role: 'img', 'aria-label': name });
  const made = makeChart(canvas, how);
  const box = el(
    'div',
    { class: 'chart' },
    made.tools,
    made.legend,
    el('div', { class: 'fill' }, canvas),
    el('div', { class: 'vh table-behind' }),
  );
  let timer = 0;
  let newest = null;
  function draw(content) {
    newest = content;
    if (!timer)
      timer = setTimeout(() => {
        timer = 0;
        show(box, valuesOf(name, newest));
      }, REST);
    return made.draw(content);
  }
  return { ...made, draw, canvas, box };
}

function valuesOf(name, { panes, x }) {
  const lines = namedOf(panes.flatMap((pane) => pane.lines));
  const places = new Set(lines.flatMap((line) => line.x.slice(-NEWEST)));
  const rows = [...places]
    .sort((a, b) => a - b)
    .slice(-NEWEST)
    .map((at) => [whole(at), ...lines.map((line) => num(valueAt(line, at)))]);
  return { name, head: [x.name ?? '', ...lines.map((line) => line.name)], rows };
}

/** The value that a line has at an x; null where nothing was measured there. */
function valueAt(line, at) {
  const k = placeAt(line.x, at);
  return line.x[k] === at ? line.y[k] : null;
}

/**
 * A canvas that the pointer asks: find(x, y) → what is there or null; show(found, event); pick(found) on a click on it.
 */
export function asked(canvas, find, show, pick) {
  let shown = null;
  const point = (found, event) => {
    shown = found;
    canvas.classList.toggle('hot', Boolean(found));
    if (!found) hideTip();
    show(found, event);
  };
  canvas.addEventListener('pointermove', (event) => point(find(...pointIn(event)), event));
  canvas.addEventListener('pointerleave', (event) => point(null, event));
  canvas.addEventListener('click', (event) => {
    const found = shown ?? find(...pointIn(event)); // a finger has not moved before
    if (found) pick(found);
  });
}

export const colourOf = (k) => classColour(k);

/** A time in words that fit a line. */
export function duration(seconds) {
  if (seconds == null) return t('time_unknown');
  if (seconds < 90) return t('seconds_left', { n: num(Math.round(seconds)) });
  if (seconds < 90 * 60) return t('minutes_left', { n: num(Math.round(seconds / 60)) });
  return t('hours_left', { n: num(Math.round(seconds / 3600)) });
}

/**
 * A connection whose refusals are read out. take(message): what the server sends.
 *
 * @import { Commands } from '../protocol.d.ts'
 * @import { Shell } from './app.js'
 * @import { Send } from './connection.js'
 * @template {keyof Commands} Kind
 * @param {Shell} shell
 * @param {Kind} kind of page
 * @param {(message: any) => void} take
 * @param {string} [name] of a sweep or study
 * @returns {{ connection: Connection<Kind>, command: Send<Kind> }}
 */
export function connected(shell, kind, take, name) {
  const place = name === undefined ? kind : `${kind}/${encodeURIComponent(name)}`;
  // until a sweep or study is read, which makes the page
  if (name !== undefined) shell.stage.replaceChildren(el('p', { class: 'awaited', role: 'status' }, t('opening_page')));
  /** @type {Connection<Kind>} */
  const connection = new Connection(shell.transport(`/socket/${place}`), {
    language: () => language.now,
    receive: take,
    status: shell.connected,
  });
  return {
    connection,
    command: (verb, fields) => replyOf(underway(connection.send(verb, fields)), shell.say),
  };
}

/** What a setting's value is shown as. */
export const shown = (value) =>
  typeof value === 'number'
    ? Number.isInteger(value)
      ? whole(value)
      : num(value)
    : value == null
      ? '–'
      : String(value);

/** The status of a run or network, in the reader's language. */
export const statusWord = (name) => t(`folder_${name}`);
