/**
 * The one chart: lines over steps or epochs. Runs, scripts, sweeps and studies draw with it, large, or small and bare.
 *
 * makeChart(canvas, { tell, pick, bare, view }) → { draw(content), tools, legend }
 *   tell(place)     rows for the box beside the pointer, in place of the values of the named lines; null: it has left
 *   pick(place)     a click, or Enter. place: { x, line, k }: the line that is near and its nearest point, or null
 *   bare            no axes, ticks or tools
 *   view            { log, smooth, span }, as the reader has chosen; hand the same object in again to keep it
 *   tools, legend   elements to be put beside the canvas (lines.js: chart() puts them over it)
 *   The reader drags to zoom and presses twice to see it whole; where the keyboard has reached the canvas, arrows read
 *   values, + and − zoom, 0 shows it whole, L is the axis, Enter a click.
 *
 * draw({ panes, x, marks, at, hint, margin, more }), or draw() once more what was drawn; → the box { l, r, X, panes: [{
 * t, b, Y }] }
 *   panes   one above the other: { name, lines, log, falls, low, high, guide }
 *     log     null: the reader cannot have it logarithmic; nothing is so unasked
 *     falls   a loss: its axis begins at 0, and its name stands at the top
 *     guide   a value that is drawn as a dashed level
 *   lines   { x, y, low, high, colour, name, width, alpha, dash, strong, noisy, ring, tag, dot, looked, aside }, and
 *           whatever the caller knows it by
 *     low, high  the least and the largest of the values that each of y is the mean of
 *     aside   a network that diverged, a way that was left: the axis is that of the others
 *     looked  it was measured where somebody looked: nothing is drawn over a long stretch between two measurements
 *     noisy   a value of every step: smoothed, before a band from the lowest to the highest around it
 *     ring    it parts from another line at its first point; tag: a letter at its end; dot: its value at `at`
 *   x: { name, start, end }; marks: [{ x, text }]; at: the x in view; hint: what a click does
 *   margin: { left, right } in pixels; more(context, box): what else is drawn
 */

import {
  boxOf,
  drawDrag,
  drawMarks,
  drawNow,
  drawPane,
  drawTags,
  drawTicks,
  endOf,
  FEW,
  nearest,
  upright,
} from './chart_drawing.js';
import { cleared, el, pointIn, setText, smallButton } from './dom.js';
import { clamp, num, whole } from './numbers.js';
import { placeAt } from './store.js';
import { look } from './theme.js';
import { head, hideTip, pair, readTip, showTip, soft } from './tip.js';
import { t } from './words.js';

/**
 * What the reader has chosen: a logarithmic axis, an index of SMOOTH, the first and last x in view.
 *
 * @typedef {{ log?: boolean | null, smooth?: number, span?: [number, number] | null }} ChartView
 */

const DRAG = 6; // pixels from which on a press is a drag
const TWICE = 250; // milliseconds in which a second click comes, where one means something else than two
const SMOOTH = [0, 0.012, 0.04, 0.12]; // share of the points in view that is averaged on either side

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{tell?: any, pick?: any, bare?: boolean, view?: ChartView}} [how]
 */
export function makeChart(canvas, { tell = null, pick = null, bare = false, view = {} } = {}) {
  let content = null;
  let box = null;
  let cross = null;
  let press = null;
  let down = null;
  let drag = null;
  let dragged = false;
  let queued = false;
  let timer = 0;
  const log = smallButton(() => choose({ log: !isLog() }), {});
  const smooth = el('input', {
    type: 'range',
    min: 0,
    max: SMOOTH.length - 1,
    step: 1,
    oninput: () => choose({ smooth: Number(smooth.value) }),
  });
  const all = smallButton(() => choose({ span: null }), {});
  const tools = el('div', { class: 'chart-tools' }, smooth, log, all);
  const legend = el('ul', { class: 'legend' });
  const isLog = () => Boolean(box?.panes.some((pane) => pane.log));
  const wholeSpan = () => [content.x.start ?? 0, endOf(content)];
  Object.assign(view, { log: null, smooth: 1, span: null, ...view });

  function draw(next = content) {
    content = next;
    if (!content || !canvas.clientWidth) return null;
    if (!bare) showNames(); // first: they leave the canvas less room
    const { context, width, height } = cleared(canvas);
    if (view.span?.[0] >= endOf(content)) view.span = null;
    box = boxOf(context, width, height, content, view, bare);
    if (!bare) drawTicks(context, box, content);
    for (const pane of box.panes) drawPane(context, box, pane, SMOOTH[view.smooth]);
    if (content.marks) drawMarks(context, box, content.marks);
    if (content.at != null) drawNow(context, box, content.at, bare);
    if (drag) drawDrag(context, box, drag);
    else if (cross != null) upright(context, box, box.X(cross), look.soft, [2, 3]);
    for (const pane of box.panes) drawTags(context, box, pane);
    content.more?.(context, box);
    if (!bare) showTools();
    return box;
  }
  function showTools() {
    for (const [node, word, off] of [
      [log, 'chart_log', !content.panes.some((pane) => pane.log !== null)],
      [all, 'chart_whole', !view.span],
    ]) {
      setText(node, t(word));
      node.hidden = off;
    }
    log.setAttribute('aria-pressed', isLog());
    log.title = t('chart_log_about');
    smooth.hidden = !content.panes.some(({ lines }) => lines.some((line) => line.noisy));
    smooth.value = view.smooth;
    smooth.title = t('chart_smooth');
    smooth.setAttribute('aria-label', smooth.title);
    smooth.style.setProperty('--at', `${(100 * view.smooth) / (SMOOTH.length - 1)}%`);
    canvas.tabIndex = 0;
    canvas.setAttribute('aria-description', t('chart_keys'));
  }
  function showNames() {
    const named = namedOf(content.panes.flatMap((pane) => pane.lines));
    const key = JSON.stringify(named.map(({ name, colour, dash }) => [name, colour, dash]));
    if (legend.dataset.key === key) return;
    legend.dataset.key = key;
    legend.hidden = !named.length;
    legend.replaceChildren(...named.map((line) => el('li', {}, keyOf(line), line.name)));
  }
  function choose(changes) {
    Object.assign(view, changes);
    draw();
  }
  function again() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      draw();
    });
  }

  // ---- what is read, picked and zoomed

  /** What lies at a place of the canvas; y null: at that x. */
  function placeIn(px, py) {
    const mark = content.marks?.find((each) => Math.abs(box.X(each.x) - px) < DRAG);
    const [low, high] = box.span;
    return {
      x: mark?.x ?? clamp(Math.round(box.x(px)), Math.ceil(low), Math.floor(high)),
      ...(py == null ? { line: null, k: null } : nearest(box, px, py)),
    };
  }
  function point(event, place) {
    cross = tell ? null : place.x;
    canvas.classList.toggle('hot', Boolean(pick && place.line));
    const rows = tell ? tell(place) : values(content, box, place);
    if (rows?.length) showTip(event, rows);
    else hideTip();
    again();
  }
  function leave() {
    if (cross == null && !tell) return;
    cross = null;
    hideTip();
    tell?.(null);
    again();
  }
  const zoom = ([a, b]) => {
    const [first, last] = wholeSpan();
    const span = [Math.max(first, Math.min(a, b)), Math.min(last, Math.max(a, b))];
    if (span[1] - span[0] >= 2) choose({ span: span[0] <= first && span[1] >= last ? null : span });
  };
  canvas.style.touchAction = 'pan-y';
  new ResizeObserver(again).observe(canvas);
  canvas.addEventListener('pointerdown', (event) => {
    dragged = false;
    if (!box || event.button) return;
    down = pointIn(event);
    press = down[0];
    if (event.pointerType === 'touch') point(event, placeIn(...pointIn(event)));
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!box) return;
    const [x, y] = pointIn(event);
    if (press == null || bare || (Math.abs(x - press) <= DRAG && !drag)) return point(event, placeIn(x, y));
    if (!drag) canvas.setPointerCapture(event.pointerId);
    drag = [press, x].map((px) => clamp(px, box.l, box.r));
    hideTip();
    again();
  });
  canvas.addEventListener('pointerup', () => {
    const was = drag;
    press = drag = null;
    dragged = Boolean(was);
    if (was) zoom(was.map(box.x));
  });
  canvas.addEventListener('pointercancel', () => {
    press = drag = null;
    again();
  });
  canvas.addEventListener('pointerleave', (event) => {
    if (event.pointerType !== 'touch') return leave();
    document.addEventListener('pointerdown', leave, { once: true, capture: true }); // what a finger asked for stays
  });
  canvas.addEventListener('click', (event) => {
    if (!pick || !box || dragged) return;
    const place = placeIn(...(down ?? pointIn(event))); // a click's own place is in whole pixels
    down = null;
    clearTimeout(timer);
    if (!view.span) pick(place);
    else if (event.detail < 2) timer = setTimeout(pick, TWICE, place);
  });
  canvas.addEventListener('dblclick', () => {
    if (view.span) choose({ span: null });
  });
  canvas.addEventListener('keydown', (event) => {
    if (!box || event.ctrlKey || event.metaKey || event.altKey || !canvas.matches(':focus-visible')) return;
    const [low, high] = box.span;
    const wide = high - low;
    const at = cross ?? clamp(content.at ?? (low + high) / 2, low, high);
    const go = (by) => read(clamp(at + by * Math.max(1, Math.round(wide / 40)), low, high));
    const near = (times) => zoom([at - (at - low) * times, at + (high - at) * times]);
    const acts = {
      ArrowLeft: () => go(-1),
      ArrowRight: () => go(1),
      '+': () => near(0.5),
      '=': () => near(0.5),
      '-': () => near(2),
      0: () => choose({ span: null }),
      l: () => choose({ log: !isLog() }),
      Enter: () => pick?.(placeIn(box.X(at), null)),
    };
    const act = event.key === 'Escape' && cross != null ? leave : acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  canvas.addEventListener('blur', leave);
  function read(x) {
    cross = Math.round(x);
    readTip(canvas, box.X(cross), box.panes[0].t, values(content, box, { x: cross, line: null }));
    again();
  }
  return { draw, tools, legend };
}

/** The lines that are named, where they are few. */
export const namedOf = (lines) =>
  lines.filter((line) => line.name).length > FEW ? [] : lines.filter((line) => line.name);

/** A short piece of a line, for its name to stand beside. */
function keyOf({ colour, dash }) {
  const key = el('i', { class: 'stroke' });
  key.style.background = dash ? `repeating-linear-gradient(90deg, ${colour} 0 6px, transparent 6px 9px)` : colour;
  return key;
}

/** The values of the named lines at an x, of many that of the one that is near, and what was marked there. */
function values({ panes, x, marks = [], hint }, box, { x: at, line }) {
  const said = marks
    .filter((mark) => mark.text && Math.abs(box.X(mark.x) - box.X(at)) < DRAG)
    .map((mark) => soft(mark.text));
  const named = namedOf(panes.flatMap((pane) => pane.lines));
  const rows = (named.length || !line?.name ? named : [line]).flatMap((line) => {
    const k = placeNear(line, at, box);
    if (line.y[k] == null) return [];
    const name = line.x[k] !== at && x.name ? `${line.name} (${x.name} ${whole(line.x[k])})` : line.name;
    return [pair(name, num(line.y[k]), keyOf(line))];
  });
  return [head([x.name, whole(at)].filter(Boolean).join(' ')), ...said, ...rows, hint && soft(hint)];
}

/** The place of a line's point that is nearest to an x; null beyond its ends. */
function placeNear({ x }, at, box) {
  let k = placeAt(x, at);
  if (k + 1 < x.length && (k < 0 || x[k + 1] - at < at - x[k])) k++;
  const away = k < 0 ? Infinity : Math.abs(x[k] - at);
  return (at <= x.at(-1) && k > 0) || away <= Math.max(1, (box.span[1] - box.span[0]) / 50) ? k : null;
}
