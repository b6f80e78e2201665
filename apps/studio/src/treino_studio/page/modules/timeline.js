/** The time machine: a slider to any step that has been done, with marks of what was steered and of branches. */

import { $, setText, svg } from './dom.js';
import { whole } from './numbers.js';
import { axisEnd, isLive, viewStep } from './store.js';
import { look } from './theme.js';
import { language, t } from './words.js';

/**
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeTimeline(page) {
  const slider = $('#time');
  const forks = $('#forks');
  let shown = '';
  slider.addEventListener('input', () => page.lookAt(Number(slider.value)));
  $('#now').addEventListener('click', () => {
    page.look({ step: null, segment: null });
    slider.focus({ preventScroll: true });
  });

  function draw(store) {
    const { state } = store;
    if (!state) return;
    const [low, high] = page.span ?? [0, axisEnd(store)];
    const share = (at) => (at - low) / (high - low);
    const step = page.lookingAt ?? viewStep(store);
    const live = isLive(store) && page.lookingAt == null;
    Object.assign(slider, { min: Math.ceil(low), max: Math.floor(high), value: step });
    slider.style.setProperty('--at', `${100 * share(step)}%`);
    slider.style.setProperty('--head', `${100 * share(state.last_step)}%`);
    slider.setAttribute('aria-valuetext', t('step_of', { step: whole(step), last: whole(state.last_step) }));
    setText(
      $('#when'),
      live ? t('step_n', { step: whole(step) }) : t('step_of', { step: whole(step), last: whole(state.last_step) }),
    );
    $('#now').hidden = live;
    drawForks(store, share, [low, high]);
  }

  function drawForks(store, share, span) {
    const { state } = store;
    const width = forks.clientWidth;
    const left = (state.history ?? []).filter((piece) => piece.left);
    const key = [
      width,
      span,
      language.now,
      look.version,
      state.marks.map((m) => m.step),
      state.beside.map((b) => b.letter + b.step),
      left.map((piece) => piece.first),
    ].join();
    if (key === shown) return;
    shown = key;
    const X = (step) => (9 + share(step) * (width - 18)).toFixed(1);
    const inView = (at) => share(at) >= 0 && share(at) <= 1;
    forks.replaceChildren(
      ...left
        .filter((piece) => inView(piece.first))
        .map((piece) => svg('circle', { cx: X(piece.first), cy: 6, r: 3, class: 'was' })),
      ...state.marks
        .filter((mark) => inView(mark.step))
        .map((mark) => svg('circle', { cx: X(mark.step), cy: 6, r: 3.5, class: 'steered' })),
      ...state.beside
        .filter((b) => b.step != null && inView(b.step))
        .flatMap((b) => [
          svg('path', { d: `M${X(b.step)} 22v5q0 6 6 6h4`, class: 'fork' }),
          svg('text', { x: +X(b.step) + 14, y: 37 }, b.letter),
        ]),
    );
  }
  return { draw };
}
