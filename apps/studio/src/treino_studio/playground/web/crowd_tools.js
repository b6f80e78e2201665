/** The header of many networks: play, step, anew, the speed, the clock, and the button that ends and judges. */

import { el, makeButton, setText, svg } from '../../page/modules/dom.js';
import { num, whole } from '../../page/modules/numbers.js';
import { underway } from '../../page/modules/press.js';
import { t } from '../../page/modules/words.js';

export const SPEEDS = [1, 8, 64, 0]; // steps a frame; 0: as fast as it goes
const icon = (...paths) =>
  svg('svg', { class: 'i', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, ...paths.map((path) => svg('path', path)));
const playIcon = () =>
  icon({ class: 'for-play', d: 'M4 2.5v11l9-5.5z' }, { class: 'for-pause', d: 'M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z' });
const stepIcon = () => icon({ d: 'M3 2.5v11L10 8zM11 2.5h2.4v11H11z' });

/**
 * root: where they stand. acts: {toggle, step, anew, judge}: each may return a promise of its end; pace(steps a frame).
 * → {update(now), relabel(speed)}
 */
export function makeTools(root, { toggle, step, anew, judge, pace }) {
  const press = (act) => () => underway(Promise.resolve(act()));
  const play = makeButton(
    press(toggle),
    { id: 'play', class: 'primary', 'aria-keyshortcuts': 'Space' },
    playIcon(),
    el('span', {}),
  );
  const one = makeButton(
    press(step),
    { id: 'step', 'aria-keyshortcuts': 'ArrowRight', 'data-repeats': true },
    stepIcon(),
    el('span', { 'data-t': 'step' }),
  );
  const again = makeButton(press(anew), { id: 'anew', 'data-t': 'many_anew' });
  const speeds = el('select', {
    id: 'speed',
    'data-name': 'speed',
    onchange: (event) => pace(Number(event.target.value)),
  });
  const stop = makeButton(press(judge), { id: 'judge' });
  const steps = el('b', { id: 'clock-step' }, '0');
  const many = el('b', { id: 'clock-many' }, '0');
  const state = el('p', { class: 'status', id: 'status', role: 'status' }, el('i'), el('span'));
  root.replaceChildren(
    el('div', { class: 'transport', role: 'group', 'data-name': 'transport' }, play, one, again, speeds),
    el(
      'div',
      { class: 'clock' },
      el('p', { class: 'big' }, steps, el('span', { 'data-t': 'word_step' })),
      el('p', { class: 'big' }, many, el('span', { 'data-t': 'many_networks' })),
      state,
    ),
    el('div', { class: 'actions' }, stop),
  );
  return {
    relabel(speed) {
      speeds.replaceChildren(
        ...SPEEDS.map((n) =>
          el('option', { value: n, selected: n === speed }, n === 0 ? t('full_speed') : t('many_steps_a_frame', { n })),
        ),
      );
    },
    /** over: nothing trains any more; done: all rungs are; empty: there are no networks. */
    update({ playing, over, done, step: at, networks, judging, judged, rate, empty }) {
      play.classList.toggle('on', playing);
      setText(play.lastChild, t(playing ? 'pause' : 'play'));
      play.disabled = one.disabled = done;
      stop.disabled = over || at === 0;
      again.disabled = empty;
      setText(stop, t('many_judge'));
      setText(steps, whole(at));
      setText(many, whole(networks));
      const kind = judged ? 'finished' : playing ? 'playing' : 'paused';
      state.dataset.kind = kind;
      setText(
        state.lastChild,
        judging ? t('many_judging') : playing && rate ? t('many_rate', { n: rateText(rate) }) : t(`status_${kind}`),
      );
    },
  };
}

/** Thousands and millions of steps in few letters. */
const rateText = (value) =>
  value >= 1e6 ? `${num(value / 1e6, 3)} M` : value >= 1e4 ? `${num(value / 1e3, 3)} k` : whole(Math.round(value));
