/** Points drawn by hand: a pad on which a click adds, a drag moves and Delete removes; by touch and by keys, too. */

import { drawAxes, makeBox } from '../../page/modules/axes.js';
import { cleared, el, pointIn, setText, smallButton } from '../../page/modules/dom.js';
import { clamp, num } from '../../page/modules/numbers.js';
import { rangeColour } from '../../page/modules/pixels.js';
import { classColour, look } from '../../page/modules/theme.js';
import { t } from '../../page/modules/words.js';

export const CLASSES = 6;
const VALUES = [-1, -0.6, -0.2, 0.2, 0.6, 1.001]; // no whole numbers only: those would be classes
const NEAR = { mouse: 8, pen: 12, touch: 18 }; // pixels
const APART = 16; // pixels between the points of one stroke
const KEPT = 200; // edits that can be undone
const ROWS = 200; // points of the table behind the picture

/** edited(points): after each edit, [[x, y, class or value]]. → {node, show(points, task, names), redraw()}. */
export function makePad({ edited }) {
  let points = [];
  let task = 'classification';
  let names = ['x1', 'x2'];
  let kind = 0;
  let box = null;
  let low = [-1.2, -1.2];
  let high = [1.2, 1.2];
  let cursor = /** @type {number[]} */ ([0, 0]);
  let keys = false;
  let moved = -1;
  let stroke = null;
  let before = null;
  const past = [];

  const canvas = el('canvas', { id: 'pad', role: 'application', tabindex: 0, 'aria-describedby': 'pad-hint' });
  const kinds = el('div', { class: 'kinds', role: 'group' });
  const eraser = el('button', { id: 'pad-eraser', class: 'small', type: 'button', 'aria-pressed': 'false' });
  const undo = smallButton(takeBack, { id: 'pad-undo' });
  const clear = smallButton(() => edit([]), { id: 'pad-clear' });
  const hint = el('p', { id: 'pad-hint', class: 'note' });
  const says = el('p', { id: 'pad-says', class: 'vh', role: 'status' });
  const table = el('table', { class: 'vh', id: 'pad-table' });
  const node = el(
    'div',
    { class: 'pad-of-points' },
    kinds,
    el('div', { class: 'pad' }, canvas),
    el('div', { class: 'asks' }, eraser, undo, clear),
    hint,
    says,
    el('div', { class: 'vh' }, table),
  );
  eraser.addEventListener('click', () => eraser.setAttribute('aria-pressed', String(!erases())));

  const erases = () => eraser.getAttribute('aria-pressed') === 'true';
  const valueFor = (k) => (task === 'regression' ? VALUES[k] : k);
  const range = () => points.reduce(([a, b], p) => [Math.min(a, p[2]), Math.max(b, p[2])], [-1, 1]);
  function colourOf(value) {
    if (task !== 'regression') return classColour(value);
    const [least, most] = range();
    return `rgb(${rangeColour((value - least) / (most - least)).join()})`;
  }

  // ---- edits

  function edit(next, text) {
    past.push(points);
    if (past.length > KEPT) past.shift();
    points = next;
    done(text);
  }
  function takeBack() {
    if (!past.length) return;
    points = past.pop();
    done(t('pad_undone'));
  }
  function done(text) {
    redraw();
    if (text) setText(says, `${text} ${t('pad_count', { n: points.length })}`);
    edited(points);
  }
  const rounded = (value) => +value.toFixed(3); // an address has four places
  const at = (px, py) => [rounded(clamp(box.x(px), low[0], high[0])), rounded(clamp(box.y(py), low[1], high[1]))];
  const words = (point) =>
    t(task === 'regression' ? 'pad_value_at' : 'pad_class_at', {
      kind: task === 'regression' ? num(point[2], 3) : point[2],
      x: num(point[0], 3),
      y: num(point[1], 3),
    });
  function put(place) {
    const [x, y] = place;
    const point = [x, y, valueFor(kind)];
    edit([...points, point], words(point));
  }
  function remove(i) {
    if (i < 0) return;
    edit(
      points.filter((_, k) => k !== i),
      t('pad_removed'),
    );
  }
  function nearestTo(px, py, reach) {
    let best = -1;
    let least = reach;
    points.forEach(([x, y], i) => {
      const away = Math.hypot(box.X(x) - px, box.Y(y) - py);
      if (away <= least) [best, least] = [i, away];
    });
    return best;
  }

  // ---- by pointer: one edit from press to release

  canvas.addEventListener('pointerdown', (event) => {
    const [px, py] = pointIn(event);
    const hit = nearestTo(px, py, NEAR[event.pointerType] ?? NEAR.mouse);
    event.preventDefault();
    keys = false;
    canvas.focus({ preventScroll: true });
    if (event.button === 2 || erases()) return remove(hit);
    if (event.button) return;
    canvas.setPointerCapture?.(event.pointerId);
    before = points;
    moved = hit;
    stroke = [px, py];
    if (hit < 0) points = [...points, [...at(px, py), valueFor(kind)]];
    redraw();
  });
  canvas.addEventListener('pointermove', (event) => {
    const [px, py] = pointIn(event);
    if (!stroke) return;
    if (moved >= 0) points = points.map((p, i) => (i === moved ? [...at(px, py), p[2]] : p));
    else if (Math.hypot(px - stroke[0], py - stroke[1]) >= APART && box.holds(px, py)) {
      points = [...points, [...at(px, py), valueFor(kind)]];
      stroke = [px, py];
    }
    redraw();
  });
  const release = () => {
    if (!stroke) return;
    const now = points;
    const point = moved >= 0 ? now[moved] : now.at(-1);
    const same = moved >= 0 && before[moved][0] === point[0] && before[moved][1] === point[1];
    points = before;
    stroke = null;
    if (same) return redraw();
    edit(now, words(point));
  };
  canvas.addEventListener('pointerup', release);
  canvas.addEventListener('pointercancel', release);
  canvas.addEventListener('contextmenu', (event) => event.preventDefault());

  // ---- by keys

  canvas.addEventListener('keydown', (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
    const share = event.shiftKey ? 1 / 8 : 1 / 40;
    if (dx !== undefined) {
      cursor = [0, 1].map((k) => rounded(clamp(cursor[k] + [dx, dy][k] * share * (high[k] - low[k]), low[k], high[k])));
      setText(says, t('pad_cursor', { x: num(cursor[0], 3), y: num(cursor[1], 3) }));
    } else if (event.key === ' ' || event.key === 'Enter') put(cursor);
    else if (event.key === 'Delete' || event.key === 'Backspace')
      remove(nearestTo(box.X(cursor[0]), box.Y(cursor[1]), NEAR.touch));
    else if (/^[1-6]$/.test(event.key)) choose(Number(event.key) - 1);
    else if (event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey)) takeBack();
    else return;
    keys = true;
    event.preventDefault();
    event.stopPropagation(); // the page has keys of its own
    redraw();
  });
  canvas.addEventListener('focus', () => {
    keys = canvas.matches(':focus-visible');
    redraw();
  });
  canvas.addEventListener('blur', () => {
    keys = false;
    redraw();
  });

  function choose(k) {
    kind = k;
    eraser.setAttribute('aria-pressed', 'false');
    for (const [i, button] of [...kinds.children].entries()) button.setAttribute('aria-pressed', String(i === kind));
  }
  const kindName = (k) =>
    task === 'regression' ? t('pad_value', { value: num(VALUES[k], 2) }) : t('pad_class', { value: k });

  // ---- what is seen

  function redraw() {
    const { context, width, height } = cleared(canvas);
    if (!width) return;
    box = makeBox(width, height, low, high, { left: 44, right: 6, top: 6, bottom: 36 });
    drawAxes(context, box, names, true);
    for (const [x, y, value] of points) {
      context.beginPath();
      context.arc(box.X(x), box.Y(y), points.length > 300 ? 3 : 4.5, 0, 7);
      context.fillStyle = colourOf(value);
      context.fill();
      context.lineWidth = 1;
      context.strokeStyle = look.halo;
      context.stroke();
    }
    if (keys) {
      const [px, py] = [box.X(cursor[0]), box.Y(cursor[1])];
      context.beginPath();
      context.moveTo(px - 12, py);
      context.lineTo(px + 12, py);
      context.moveTo(px, py - 12);
      context.lineTo(px, py + 12);
      context.lineWidth = 2.5;
      context.strokeStyle = look.accent;
      context.stroke();
    }
    undo.disabled = !past.length;
    clear.disabled = !points.length;
    label();
  }
  function label() {
    canvas.setAttribute('aria-label', t('pad', { n: points.length }));
    for (const [button, key] of [
      [eraser, 'pad_eraser'],
      [undo, 'pad_undo'],
      [clear, 'pad_clear'],
    ])
      setText(button, t(key));
    setText(hint, t('pad_hint'));
    kinds.setAttribute('aria-label', t('pad_kind'));
    const key = `${task} ${look.version} ${t('pad_kind')}`;
    if (kinds.dataset.key !== key) {
      kinds.dataset.key = key;
      kinds.replaceChildren(
        ...Array.from({ length: CLASSES }, (_, k) => {
          const dot = el('i', { 'aria-hidden': 'true' });
          const button = smallButton(
            () => choose(k),
            { 'aria-label': kindName(k), 'aria-keyshortcuts': k + 1, title: kindName(k) },
            dot,
            String(task === 'regression' ? num(VALUES[k], 1) : k),
          );
          dot.style.background = colourOf(valueFor(k));
          return button;
        }),
      );
      choose(kind);
    }
    const rows = points.slice(0, ROWS).map((point) =>
      el(
        'tr',
        {},
        point.map((value) => el('td', {}, num(value))),
      ),
    );
    table.replaceChildren(
      el('caption', {}, t('pad', { n: points.length })),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          [...names, t('target')].map((name) => el('th', { scope: 'col' }, name)),
        ),
      ),
      el('tbody', {}, rows),
    );
  }

  return {
    node,
    redraw,
    /** Show these points. The frame of those that are drawn here stays as it is. */
    show(next, nextTask, nextNames) {
      const same = next === points && box;
      [points, task, names] = [next, nextTask, nextNames];
      if (same) return redraw();
      past.length = 0;
      const ends = [0, 1].map((k) =>
        points.reduce(([a, b], p) => [Math.min(a, p[k]), Math.max(b, p[k])], [Infinity, -Infinity]),
      );
      const room = ends.map(([a, b]) => (b > a ? (b - a) * 0.08 : 1.2));
      low = ends.map(([a], k) => (Number.isFinite(a) ? a - room[k] : -1.2));
      high = ends.map(([, b], k) => (Number.isFinite(b) ? b + room[k] : 1.2));
      cursor = [0, 1].map((k) => rounded((low[k] + high[k]) / 2));
      return redraw();
    },
  };
}
