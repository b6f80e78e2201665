/** The time machine: a slider to any step that has been done, with marks of what was steered and of branches. */

import { $, setText, svg } from './dom.js';
import { roundEnd, whole } from './numbers.js';
import { isLive, viewStep } from './store.js';
import { look } from './theme.js';
import { language, t } from './words.js';

export function makeTimeline(page) {
  const slider = $('#time'), forks = $('#forks');
  let shown = '';
  slider.addEventListener('input', () => page.lookAt(Number(slider.value)));
  $('#now').addEventListener('click', () => {
    page.look({ step: null, segment: null });
    slider.focus({ preventScroll: true });
  });

  function draw(store) {
    const { state } = store;
    if (!state) return;
    const end = Math.max(roundEnd(state.last_step), ...[...store.curves.values()].map((c) => roundEnd(c.step.at(-1) ?? 0)));
    const step = page.lookingAt ?? viewStep(store), live = isLive(store) && page.lookingAt == null;
    slider.max = end;
    slider.value = step;
    slider.style.setProperty('--at', `${(100 * step) / end}%`);
    slider.style.setProperty('--head', `${(100 * state.last_step) / end}%`);
    slider.setAttribute('aria-valuetext', t('step_of', { step: whole(step), last: whole(state.last_step) }));
    setText($('#when'), live ? t('step_n', { step: whole(step) }) : t('step_of', { step: whole(step), last: whole(state.last_step) }));
    $('#now').hidden = live;
    drawForks(store, end);
  }

  function drawForks(store, end) {
    const { state } = store, width = forks.clientWidth, left = (state.history ?? []).filter((piece) => piece.left);
    const key = [width, end, language.now, look.version, state.marks.map((m) => m.step), state.beside.map((b) => b.letter + b.step), left.map((piece) => piece.first)].join();
    if (key === shown) return;
    shown = key;
    const X = (step) => (9 + (step / end) * (width - 18)).toFixed(1);
    forks.replaceChildren(
      ...left.map((piece) => svg('circle', { cx: X(piece.first), cy: 6, r: 3, class: 'was' })),
      ...state.marks.map((mark) => svg('circle', { cx: X(mark.step), cy: 6, r: 3.5, class: 'steered' })),
      ...state.beside.filter((b) => b.step != null).flatMap((b) => [
        svg('path', { d: `M${X(b.step)} 22v5q0 6 6 6h4`, class: 'fork' }),
        svg('text', { x: +X(b.step) + 14, y: 37 }, b.letter),
      ]),
    );
  }
  return { draw };
}
