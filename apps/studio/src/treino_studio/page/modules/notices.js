/**
 * Notices: short sentences with their next move, near what was pressed, over nothing that can be pressed, and over no
 * picture.
 */

import { $, $$, el, setText, smallButton } from './dom.js';
import { clamp } from './numbers.js';
import { t } from './words.js';

const PAUSE = 120; // milliseconds: of what is refused while a slider is dragged the newest is said
const SHORTEST = 4000; // milliseconds that a notice stays
const PER_LETTER = 60; // milliseconds more for each letter
const MOST = 3; // notices at once
const SETTLED = 300; // milliseconds after which what was pressed has changed the page
const CONTROLS = 'button, select, input, textarea, a, summary, .bar, .transport, .drawer, [role=alert]';
const PICTURES = 'canvas, .tiles';

const waiting = []; // what is said when fewer are shown, in its order
let said = 0;
let pressed = null; // the element that was pressed last

/** Listen for what is pressed; say() works from then on. */
export function startNotices() {
  const box = $('#notices');
  for (const kind of ['pointerdown', 'keydown'])
    document.addEventListener(
      kind,
      (event) => {
        const target = /** @type {Element} */ (event.target);
        if (!box.contains(target)) pressed = target.closest?.(CONTROLS) ?? target;
        setTimeout(() => {
          if (box.childElementCount && !held(box) && covered(box.getBoundingClientRect(), controls(box))) place(box);
        }, SETTLED);
      },
      true,
    );
  new MutationObserver(() => {
    if (waiting.length && box.childElementCount < MOST) add(...waiting.shift());
  }).observe(box, { childList: true });
  addEventListener('resize', () => {
    if (box.childElementCount) place(box);
    else box.removeAttribute('style'); // its last place may be outside of the window now
  });
  for (const kind of ['pointerenter', 'focusin']) box.addEventListener(kind, () => $$('.notice').forEach(keep));
  for (const kind of ['pointerleave', 'focusout'])
    box.addEventListener(kind, () =>
      setTimeout(() => {
        if (!held(box)) $$('.notice').forEach(leaveLater);
      }),
    );
}

/**
 * Show a sentence for a while. kind: "info"; "warning", which is read out at once; "busy", something under way, which
 * stays until the next sentence, which may be empty. action: {word, act}, a button for the next move.
 */
export function say(text, kind = 'info', { action = null } = {}) {
  if (kind !== 'warning' || !$('[type=range]:active')) return show(text, kind, action);
  clearTimeout(said);
  said = setTimeout(() => show(text, kind, action), PAUSE);
}

/** Take the notices away; → whether there were any. focused: only if one has the keyboard. */
export function closeNotices(focused = false) {
  const box = $('#notices');
  const inside = box.contains(document.activeElement);
  const any = box.childElementCount > 0 && (inside || !focused);
  if (any) box.replaceChildren();
  if (any && inside) pressed?.focus?.();
  return any;
}

function show(text, kind, action) {
  for (const other of $$('.notice'))
    if ((kind !== 'busy' && other.dataset.kind === 'busy') || $('p', other).textContent === text) other.remove();
  if (!text) return;
  const underWay = kind === 'busy' && $('.notice[data-kind=busy]');
  if (underWay) return setText($('p', underWay), text);
  if (kind === 'busy' || $('#notices').childElementCount < MOST) add(text, kind, action);
  else if (!waiting.some(([other]) => other === text)) waiting.push([text, kind, action]);
}

function add(text, kind, action) {
  const box = $('#notices');
  const words = el('p', {});
  const next =
    action &&
    smallButton(
      () => {
        node.remove();
        action.act();
      },
      {},
      t(action.word),
    );
  const close = smallButton(
    () => (node.contains(document.activeElement) && box.childElementCount === 1 ? closeNotices() : node.remove()),
    { class: 'small shut', 'aria-label': t('close'), title: t('close') },
    '×',
  );
  const node = el(
    'div',
    { class: 'notice', role: kind === 'warning' ? 'alert' : 'status', 'data-kind': kind },
    words,
    next,
    close,
  );
  box.append(node);
  setText(words, text);
  if (held(box)) return;
  place(box);
  leaveLater(node);
}

const held = (box) => box.matches(':hover') || box.contains(document.activeElement);
const keep = (node) => clearTimeout(node.leaving);

function leaveLater(node) {
  keep(node);
  if (node.dataset.kind === 'busy') return;
  const stays = SHORTEST + PER_LETTER * node.textContent.length;
  node.leaving = setTimeout(
    () => node.remove(),
    node.childElementCount > 2 || node.dataset.kind === 'warning' ? 2 * stays : stays,
  );
}

/** Put the box as near to what was pressed as it goes without covering a control or a picture. */
function place(box) {
  const { offsetWidth: width, offsetHeight: height } = box;
  const from = boxOf(pressed);
  const right = innerWidth - width - 8;
  const taken = controls(box);
  const middle = (from.left + from.right - width) / 2;
  let least = Infinity;
  let at = [8, 8];
  for (const x of [middle, from.left, from.right - width, 8, (innerWidth - width) / 2, right].map((v) =>
    clamp(v, 8, Math.max(8, right)),
  ))
    for (let y = 8; y <= innerHeight - height - 8; y += 4) {
      const away = Math.hypot(Math.max(0, y - from.bottom, from.top - y - height), x - middle);
      const cost = 1e4 * covered(new DOMRect(x - 4, y, width + 8, height), taken) + away;
      if (cost < least) [least, at] = [cost, [x, y]];
    }
  box.style.left = `${at[0] + scrollX}px`;
  box.style.top = `${at[1] + scrollY}px`;
}

const controls = (box) =>
  $$(`${CONTROLS}, ${PICTURES}`)
    .filter((node) => !box.contains(node) && node.checkVisibility())
    .map((node) => node.getBoundingClientRect());

/** How many boxes a box lies over. */
const covered = (box, boxes) =>
  boxes.reduce(
    (sum, b) => sum + (b.right > box.left && b.left < box.right && b.bottom > box.top && b.top < box.bottom),
    0,
  );

function boxOf(node) {
  const box = node?.isConnected && node !== document.body ? node.getBoundingClientRect() : null;
  return box?.width && box.bottom > 0 && box.top < innerHeight ? box : new DOMRect(innerWidth / 2, 0, 0, 60);
}
