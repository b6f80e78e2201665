/** The page of a script of one's own: its loss, optimizers, findings and buttons, and what steers it. */

import { el, setText } from './dom.js';
import { chart, connected, panel, shown, status, statusWord } from './lines.js';
import { num, whole } from './numbers.js';
import { look } from './theme.js';
import { t } from './words.js';

const KEPT = 2000; // points of a rate or a gradient norm

export function open(shell) {
  let state = null, curves = { step: [], loss: [] }, loss, rates, norms, built = '';
  const history = { lr: new Map(), norm: new Map() };
  const { connection, command } = connected(shell, '/socket/script', take);

  function take(message) {
    if (message.notice) shell.say(message.notice.text, message.notice.kind);
    if (message.curves) {
      const { from, step, loss: values } = message.curves;
      curves = { step: [...curves.step.slice(0, from), ...step], loss: [...curves.loss.slice(0, from), ...values] };
    }
    if (message.state) {
      state = message.state;
      remember();
      update();
    }
    draw();
  }
  function remember() {
    for (const { name, groups, gradient_norm: norm } of state.optimizers) {
      groups.forEach((group, k) => { if (group.lr != null) add(history.lr, groups.length > 1 ? `${name} [${k}]` : name, group.lr); });
      if (norm != null) add(history.norm, name, norm);
    }
  }
  function add(map, key, value) {
    const line = map.get(key) ?? { x: [], y: [] };
    if (line.x.at(-1) !== state.step) { line.x.push(state.step); line.y.push(value); }
    if (line.x.length > KEPT) { line.x = line.x.filter((_, k) => k % 2); line.y = line.y.filter((_, k) => k % 2); }
    map.set(key, line);
  }

  function build() {
    const button = (id, word, act) => el('button', { id, type: 'button', onclick: act }, t(word));
    [loss, rates, norms] = [chart(t('loss')), chart(t('learning_rates')), chart(t('gradient_norms'))];
    shell.stage.replaceChildren(el('div', { class: 'page' },
      el('div', { class: 'asks' }, button('script-play', 'pause', () => command(state.playing ? 'pause' : 'play')), button('script-step', 'step', () => command('step')), button('script-stop', 'stop', () => command('stop')), button('script-wheel', 'take_wheel', () => command('steer')), el('p', { id: 'script-progress', class: 'hint' })), status(),
      el('div', { class: 'charts' }, panel(t('loss'), loss.box), panel(t('learning_rates'), rates.box), panel(t('gradient_norms'), norms.box)),
      panel(t('optimizers'), el('div', { id: 'script-optimizers' })), panel(t('buttons'), el('div', { id: 'script-buttons', class: 'asks' })),
      panel(t('findings'), el('ul', { id: 'script-findings', class: 'notes' })), panel(t('changes'), el('ul', { id: 'script-changes', class: 'notes' })), panel(t('not_seen'), el('ul', { id: 'script-unseen', class: 'notes' }))));
  }
  const at = (id) => shell.stage.querySelector(`#script-${id}`);

  function update() {
    if (!loss) build();
    const over = state.status === 'ended', off = over || !state.steers;
    shell.title(state.path ?? t('script'), (state.args ?? []).join(' '));
    const pace = state.seconds ? t('steps_a_second', { n: num(state.step / state.seconds, 3) }) : '';
    const words = over ? statusWord(state.exit ? 'failed' : 'finished') : t(state.playing ? 'status_playing' : 'status_paused');
    setText(at('progress'), [words, t('step_number', { n: whole(state.step) }), pace, over ? t('exit_status', { n: state.exit }) : ''].filter(Boolean).join(' · '));
    setText(at('play'), t(state.playing ? 'pause' : 'play'));
    for (const id of ['play', 'step', 'stop']) at(id).disabled = off;
    at('wheel').hidden = state.steers;
    const key = JSON.stringify([state.optimizers.map(({ index, groups }) => [index, groups]), state.buttons, off]);
    if (key !== built && !at('optimizers').contains(document.activeElement)) {
      built = key;
      at('optimizers').replaceChildren(...state.optimizers.flatMap((optimizer) => optimizer.groups.map((group, k) => groupFields(optimizer, group, k, off))));
      at('buttons').replaceChildren(...state.buttons.map((name) => el('button', { type: 'button', disabled: off, onclick: () => command('press', { button: name }) }, name)));
    }
    listed('findings', state.findings.map((f) => [f.message, f.hint].filter(Boolean).join(' ')));
    listed('changes', state.changes.map((c) => t('change_at', { step: whole(c.step), what: c.button ?? `${c.name ?? c.do} ${shown(c.before)} → ${shown(c.value)}` })).reverse());
    listed('unseen', [...state.unseen, ...(state.error ? [typeof state.error === 'string' ? state.error : JSON.stringify(state.error)] : [])]);
  }
  function listed(id, sentences) {
    at(id).replaceChildren(...sentences.map((sentence) => el('li', {}, sentence)));
    at(id).parentNode.hidden = !sentences.length;
  }
  function groupFields({ index, name }, group, k, off) {
    const { betas, ...plain } = group, values = { ...plain, ...(betas ? { beta1: betas[0], beta2: betas[1] } : {}) };
    return el('fieldset', { class: 'asks' }, el('legend', {}, t('group_of', { optimizer: name, group: k })), Object.entries(values).map(([setting, value]) => {
      const id = `script-${index}-${k}-${setting}`;
      const field = el('input', { id, type: 'text', inputmode: 'decimal', autocomplete: 'off', value: String(value), disabled: off });
      field.addEventListener('change', () => command('set', { optimizer: index, group: k, name: setting, value: Number(field.value.replace(',', '.')) }));
      return el('div', { class: 'ask' }, el('label', { for: id }, t(setting)), field);
    }));
  }
  function draw() {
    if (!loss) return;
    const x = { name: t('word_step') }, marks = state.changes.map((c) => ({ x: c.step, text: c.button ?? `${c.name ?? c.do} ${shown(c.value)}` }));
    loss.draw({ panes: [{ lines: [{ x: curves.step, y: curves.loss, colour: look.train, name: t('loss'), noisy: true }], falls: true }], x, marks });
    for (const [plot, map] of [[rates, history.lr], [norms, history.norm]])
      plot.draw({ panes: [{ lines: [...map].map(([name, line], k) => ({ ...line, name, colour: [look.train, look.val, look.mark, look.ink][k % 4] })) }], x });
  }
  const resize = new ResizeObserver(draw);
  resize.observe(shell.stage);
  const able = () => state?.steers && state.status !== 'ended';
  const keys = [
    { key: ' ', word: 'key_play', act: () => command(state.playing ? 'pause' : 'play'), able },
    { key: 'ArrowRight', shown: '→', word: 'key_step', act: () => command('step'), able },
  ];
  const relabel = () => { if (state) { built = ''; build(); update(); draw(); } };
  return { keys, relabel, redraw: draw, language: () => connection.reopen(), close() { resize.disconnect(); connection.close(); } };
}
