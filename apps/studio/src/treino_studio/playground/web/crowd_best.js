/**
 * Beside the tiles: the best network now, how much of its figure is luck, all networks by a setting; and one network,
 * enlarged.
 */

import { el, makeButton, setText, smallButton } from '../../page/modules/dom.js';
import { asked } from '../../page/modules/lines.js';
import { num, whole } from '../../page/modules/numbers.js';
import { t } from '../../page/modules/words.js';
import { drawBoundary, drawCurves, drawDots, shadeOf } from './crowd_pictures.js';
import { valueText } from './tile_map.js';

const NEAR = 9; // pixels from the pointer to a dot

export const percent = (share, digits = 3) =>
  share < 1 && digits < 9 && num(100 * share, digits) === '100'
    ? percent(share, digits + 1)
    : `${num(100 * share, digits)} %`;

/** A figure as it is read: the share of right answers, or the error in the target's unit. */
const figureText = (crowd, value) => (crowd.classes ? percent(value) : num(value, 4));

/** The settings of a network, in words. */
export const settingsText = (member) =>
  Object.entries(member.own)
    .map(([name, value]) => `${t(`many_${name}`)} ${valueText(name, value)}`)
    .join(', ');

/** page: {crowd() → the crowd or null, touch(id), enlarge(id)}. → {node, draw(), update(), picture(big), relabel()}. */
export function makeBest(page) {
  const kept = {};
  const parts = {};
  const node = el('div', { class: 'beside' });
  let places = [];
  let big = null;

  function build() {
    Object.assign(parts, {
      canvas: el('canvas', { role: 'img', 'aria-label': t('many_best_boundary') }),
      loss: el('b', { id: 'best-loss' }),
      right: el('span', { id: 'best-right' }),
      settings: el('p', { class: 'hint', id: 'best-settings' }),
      luck: el('p', { class: 'luck', id: 'luck' }),
      verdict: el('div', { id: 'verdict', class: 'outcome', role: 'status', hidden: true }),
      dots: el('canvas', { role: 'img', 'aria-label': t('many_dots') }),
      legend: el('ul', { class: 'legend', id: 'panels-key' }),
      open: smallButton(() => page.crowd()?.best != null && page.enlarge(page.crowd().best), {}, t('many_enlarge')),
    });
    node.replaceChildren(
      el(
        'section',
        { class: 'panel best-now', 'aria-labelledby': 'best-title' },
        el('header', {}, el('h2', { id: 'best-title' }, t('many_best_now')), el('span', { class: 'hint' }), parts.open),
        el(
          'div',
          { class: 'pair-of' },
          el('div', { class: 'fill small-boundary' }, parts.canvas),
          el(
            'div',
            {},
            el('p', { class: 'hint' }, t('validation_loss')),
            el('p', { class: 'figure' }, parts.loss),
            el('p', { class: 'figure-2' }, parts.right),
            parts.settings,
          ),
        ),
        parts.luck,
        parts.verdict,
      ),
      el(
        'section',
        { class: 'panel dots', 'data-part': 'dots' },
        el('header', {}, el('h2', {}, t('many_dots_title'))),
        el('div', { class: 'fill' }, parts.dots),
        parts.legend,
      ),
    );
    asked(
      parts.dots,
      (x, y) => {
        let found = null;
        let least = NEAR;
        for (const place of places) {
          const away = Math.hypot(place.x - x, place.y - y);
          if (away < least) {
            least = away;
            found = place;
          }
        }
        return found;
      },
      (found, event) => page.touch(found?.id ?? null, event),
      (found) => page.enlarge(found.id),
    );
  }

  function update() {
    const crowd = page.crowd();
    if (!crowd) return;
    const best = crowd.best == null ? null : crowd.networks[crowd.best];
    parts.open.disabled = !best;
    setText(parts.loss, best ? num(best.loss, 4) : '–');
    setText(
      parts.right,
      !best
        ? ''
        : crowd.classes
          ? t('many_right', { share: percent(best.right) })
          : t('many_error', { error: num(Math.sqrt(best.loss) * crowd.prepared.targetScale, 3) }),
    );
    setText(parts.settings, best ? settingsText(best.member) : '');
    setText(parts.luck, crowd.verdict ? '' : luckText(crowd));
    parts.luck.hidden = Boolean(crowd.verdict) || !crowd.luck;
    parts.verdict.hidden = !crowd.verdict;
    if (crowd.verdict)
      parts.verdict.replaceChildren(
        ...verdictTexts(crowd).map((text, k) => el('p', { class: k ? 'hint' : null }, text)),
      );
    const { panels } = crowd.made;
    parts.legend.replaceChildren(
      ...panels.map((value, k) => {
        const dot = el('i', { class: 'dot' });
        dot.style.background = shadeOf(k, panels.length);
        return el('li', {}, dot, valueText(crowd.plan.panels, value));
      }),
      el('li', {}, el('i', { class: 'stroke median' }), t('many_median')),
    );
  }

  function draw() {
    const crowd = page.crowd();
    if (!crowd) return;
    if (big && big.id === crowd.best)
      drawBoundary(parts.canvas, kept, {
        big,
        points: crowd.points,
        prepared: crowd.prepared,
        range: crowd.range,
        small: true,
      });
    const dots = crowd.networks.map(({ member, loss, gone }) => ({
      id: member.id,
      column: member.column,
      panel: member.panel,
      loss,
      gone,
    }));
    places = drawDots(parts.dots, {
      dots,
      name: crowd.plan.across,
      values: crowd.made.across,
      panels: crowd.made.panels.length ? crowd.made.panels : [null],
      hot: crowd.hot,
    });
  }
  build();
  return {
    node,
    update,
    draw,
    picture(next) {
      big = next;
    },
    relabel() {
      build();
      update();
      draw();
    },
  };
}

function luckText(crowd) {
  const { luck } = crowd;
  if (!luck) return '';
  const text = (value) => (crowd.classes ? percent(value, 2) : num(value, 2));
  const values = {
    step: whole(luck.step),
    n: whole(luck.members),
    luck: text(luck.inflation),
    error: text(luck.error),
    best: figureText(crowd, Math.abs(luck.best)),
  };
  return t(crowd.classes ? 'many_luck' : 'many_luck_error', values);
}

function verdictTexts(crowd) {
  const { verdict, luck, classes, prepared } = crowd;
  const text = (value) => figureText(crowd, value);
  if (!verdict.rows) return [t('many_no_test')];
  const values = {
    validation: text(Math.abs(luck.best)),
    luck: classes ? percent(luck.inflation, 2) : num(luck.inflation, 2),
    test: text(verdict.figure),
    low: text(verdict.interval[0]),
    high: text(verdict.interval[1]),
    rows: whole(verdict.rows),
    constant: text(verdict.constant),
    answer: classes ? prepared.classes[verdict.usual] : '',
  };
  const inside =
    Math.abs(luck.best) - luck.inflation >= verdict.interval[0] &&
    Math.abs(luck.best) - luck.inflation <= verdict.interval[1];
  return [
    t(classes ? 'many_verdict' : 'many_verdict_error', values),
    t(classes ? 'many_constant' : 'many_constant_error', values),
    ...(inside && classes ? [t('many_promise_held')] : []),
  ];
}

/**
 * One network, enlarged: its boundary with the rows, its settings, its curves. page: {crowd(), babysit(id), closed()}.
 */
export function makeEnlarged(page) {
  const kept = {};
  const title = el('h2', { id: 'enlarged-title' });
  const canvas = el('canvas', { role: 'img' });
  const curves = el('canvas', { role: 'img' });
  const figures = el('dl', {});
  const babysit = makeButton(() => page.babysit(id), { class: 'primary' });
  const shut = smallButton(() => dialog.close(), {});
  const about = el('p', { class: 'note' });
  const dialog = el(
    'dialog',
    { id: 'enlarged', class: 'wide', 'aria-labelledby': 'enlarged-title' },
    el('header', {}, title, shut),
    el(
      'div',
      { class: 'enlarged' },
      el('div', { class: 'fill big-boundary' }, canvas),
      el('div', { class: 'told' }, figures, babysit, about),
      el('div', { class: 'fill' }, curves),
    ),
  );
  let id = null;
  let big = null;
  dialog.addEventListener('close', () => {
    id = null;
    page.closed();
  });
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);

  function update() {
    const crowd = page.crowd();
    if (id === null || !crowd) return;
    const network = crowd.networks[id];
    const place =
      1 + crowd.networks.filter((other) => !(other.gone && !network.gone) && other.loss < network.loss).length;
    setText(title, t('many_network', { n: id }));
    setText(shut, t('close'));
    setText(babysit, t('many_babysit'));
    setText(about, t('many_babysit_about'));
    babysit.hidden = crowd.mayBabysit === false;
    canvas.setAttribute('aria-label', t('many_boundary_of', { n: id }));
    curves.setAttribute(
      'aria-label',
      t('many_curves_of', { n: id, train: num(network.train, 3), validation: num(network.loss, 3) }),
    );
    const rows = [
      ...Object.entries(network.member.own).map(([name, value]) => [t(`many_${name}`), valueText(name, value)]),
      [t('many_place'), t('many_place_of', { n: whole(place), total: whole(crowd.networks.length) })],
      [t('word_step'), whole(network.step ?? 0)],
      [t('many_training_loss'), num(network.train, 3)],
      [t('validation_loss'), Number.isFinite(network.loss) ? num(network.loss, 3) : t('folder_diverged')],
      ...(crowd.classes ? [[t('many_right_word'), percent(network.right ?? 0)]] : []),
      ...(network.gone ? [[t('status'), t('many_cut')]] : []),
    ];
    const text = JSON.stringify(rows);
    if (kept.text === text) return;
    kept.text = text;
    figures.replaceChildren(...rows.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
  }
  return {
    get id() {
      return id;
    },
    open(next) {
      id = next;
      big = null;
      kept.text = '';
      update();
      if (!dialog.open) dialog.showModal();
    },
    picture(next) {
      big = next;
    },
    update,
    draw() {
      const crowd = page.crowd();
      if (id === null || !crowd) return;
      if (big?.id === id)
        drawBoundary(canvas, kept, { big, points: crowd.points, prepared: crowd.prepared, range: crowd.range });
      drawCurves(curves, crowd.networks[id].history);
    },
    relabel: update,
    shut() {
      if (dialog.open) dialog.close();
    },
    close() {
      dialog.close();
      dialog.remove();
    },
  };
}
