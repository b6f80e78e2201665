/** What the pages of sweeps, studies, scripts and the home page share: curves on a canvas, tables, a socket. */

import { drawAxes, makeBox } from './axes.js';
import { Connection, Refusal } from './connection.js';
import { cleared, el } from './dom.js';
import { num, whole } from './numbers.js';
import { classColour } from './theme.js';
import { language, t } from './words.js';

/** A panel with a heading. */
export const panel = (title, ...children) => el('section', { class: 'panel' }, el('h2', {}, title), children);

/** Where the shell reads out what is said. */
export const status = () => el('p', { class: 'hint', role: 'status', 'data-says': true });

/** A canvas with an accessible name, in a box of its own height. */
export function chart(name) {
  const canvas = el('canvas', { role: 'img', 'aria-label': name });
  return { canvas, box: el('div', { class: 'fill chart' }, canvas) };
}

/** Draw curves [{x, y, colour, strong}] over each other, from 0 to the largest value that is not far out. */
export function drawLines(canvas, curves, names) {
  const { context, width, height } = cleared(canvas);
  const ys = curves.flatMap(({ y }) => y.filter(Number.isFinite)).sort((a, b) => a - b);
  if (!ys.length || !width) return;
  const high = 1.05 * ys[Math.min(ys.length - 1, Math.floor(0.97 * ys.length))] || 1, low = Math.min(0, ys[0]);
  const box = makeBox(width, height, [0, low], [Math.max(1, ...curves.map(({ x }) => x.at(-1) ?? 0)), high], { left: 66 });
  drawAxes(context, box, names, true);
  context.save();
  context.beginPath();
  context.rect(box.l, box.t, box.r - box.l, box.b - box.t);
  context.clip();
  for (const { x, y, colour, strong } of [...curves].sort((a, b) => Number(a.strong ?? 0) - Number(b.strong ?? 0))) {
    context.strokeStyle = colour;
    context.globalAlpha = strong ? 1 : curves.length > 12 ? 0.4 : 0.9;
    context.lineWidth = strong ? 3 : 1.4;
    context.beginPath();
    y.forEach((value, k) => { if (Number.isFinite(value)) context.lineTo(box.X(x[k]), box.Y(value)); });
    context.stroke();
  }
  context.restore();
}

export const colourOf = (k) => classColour(k);

/** A time in words that fit a line. */
export function duration(seconds) {
  if (seconds == null) return t('time_unknown');
  return seconds < 90 ? t('seconds_left', { n: num(Math.round(seconds)) }) : t('minutes_left', { n: num(Math.round(seconds / 60)) });
}

/**
 * A table whose head sorts. columns: [{key, name, value(row), show(row), start}]; pick(row): a row was chosen.
 * → {node, fill(rows, chosen)}.
 */
export function sortedTable(label, columns, { pick = null, sort = null } = {}) {
  const head = el('tr', {}), body = el('tbody', {}), node = el('div', { class: 'rows', tabindex: 0, role: 'region', 'aria-label': label }, el('table', { 'aria-label': label }, el('thead', {}, head), body));
  let by = sort, rows = [], chosen = () => false;
  const heads = columns.map((column) => {
    const press = () => {
      by = { key: column.key, down: by?.key === column.key ? !by.down : false };
      draw();
    };
    const cell = el('th', { scope: 'col' }, el('button', { type: 'button', class: 'quiet', onclick: press }, column.name));
    head.append(cell);
    return cell;
  });
  function draw() {
    heads.forEach((cell, k) => cell.setAttribute('aria-sort', by?.key === columns[k].key ? (by.down ? 'descending' : 'ascending') : 'none'));
    const column = columns.find(({ key }) => key === by?.key);
    const listed = column ? [...rows].sort((a, b) => compare(column.value(a), column.value(b), by.down)) : rows;
    body.replaceChildren(...listed.map((row) => el('tr', { class: chosen(row) ? 'chosen' : null, onclick: pick ? () => pick(row) : null },
      columns.map((each) => el(each.start ? 'th' : 'td', each.start ? { scope: 'row' } : {}, each.show(row))))));
  }
  return { node, fill(next, isChosen = () => false) { rows = next; chosen = isChosen; draw(); } };
}

/** Numbers by size, texts by letters; what is missing comes last either way. */
function compare(a, b, down) {
  if (a == null || b == null) return (a == null) - (b == null);
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
  return down ? -order : order;
}

/** A connection whose refusals are read out. take(message): what the server sends. */
export function connected(shell, path, take) {
  const connection = new Connection(path, { language: () => language.now, receive: take, status: shell.connected });
  return {
    connection,
    async command(verb, fields) {
      try {
        return await connection.send(verb, fields);
      } catch (refusal) {
        if (!(refusal instanceof Refusal)) throw refusal;
        shell.say([refusal.message, refusal.hint].filter(Boolean).join(' '), 'warning');
        return null;
      }
    },
  };
}

/** What a setting's value is shown as. */
export const shown = (value) => (typeof value === 'number' ? (Number.isInteger(value) ? whole(value) : num(value)) : value == null ? '–' : String(value));

/** The status of a run or network, in the reader's language. */
export const statusWord = (name) => t(`folder_${name}`);
