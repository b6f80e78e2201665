/** The settings of the step in view: those that change while it trains, and those that open a new segment. */

import { replyOf } from './connection.js';
import { $, $$, el, focusedNode, makeButton, numberIn, refuseField, setText } from './dom.js';
import { num, whole } from './numbers.js';
import { language, t } from './words.js';

const LIVE = {
  // how a slider's place becomes a value, and back
  weight_decay: {
    low: -1,
    high: 60,
    step: 1,
    value: (p) => (p < 0 ? 0 : +(10 ** (-5 + p / 15)).toPrecision(2)),
    place: (v) => (v > 0 ? Math.round((Math.log10(v) + 5) * 15) : -1),
  },
  momentum: { low: 0, high: 0.99, step: 0.01 },
  beta1: { low: 0, high: 0.99, step: 0.01 },
  beta2: {
    low: 0,
    high: 60,
    step: 1,
    value: (p) => +(1 - 10 ** (-p / 15)).toPrecision(4),
    place: (v) => Math.round(-15 * Math.log10(1 - v)),
  },
  dropout: { low: 0, high: 0.8, step: 0.05 },
  ema: {
    low: 0,
    high: 60,
    step: 1,
    value: (p) => +(1 - 10 ** (-p / 20)).toPrecision(3),
    place: (v) => Math.round(-20 * Math.log10(1 - v)),
  },
  clip: {
    low: 0,
    high: 61,
    step: 1,
    value: (p) => (p > 60 ? null : +(10 ** (-2 + p / 15)).toPrecision(2)),
    place: (v) => (v == null ? 61 : Math.round((Math.log10(v) + 2) * 15)),
  },
};
const CHOSEN = ['optimizer', 'schedule', 'activation', 'loss'];
const FAULTS = ['missing_zero_grad', 'softmax_before_cross_entropy'];
const DEEPEST = 8;
const WIDEST = 4096;
const LONGEST = 1e7;
const BUILT_ON = ['hidden', 'fault', 'seed']; // settings whose next value is made of the one before
const WISH_KEPT = 3000; // milliseconds after the answer in which the state should have it

/**
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeSettings(page) {
  const lr = $('#lr');
  const slider = $('#lr-slider');
  const latest = page.throttled((fields) => page.command('set', fields));
  const wishes = makeWishes(page, () => {
    if (page.store.state) update(page.store);
  });

  const epochs = $('#epochs');
  const typed = (field, act) => {
    field.addEventListener('change', () => act(field.value));
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      refuseField(field, '');
      field.blur();
      update(page.store);
    });
  };
  typed(lr, (text) =>
    ask(
      lr,
      numberIn(text),
      (value) => value > 0 && value < Infinity,
      t('no_rate', { text }),
      page.store.state.settings.lr,
      (value) => ['set', { name: 'lr', value }],
    ),
  );
  typed(epochs, (text) =>
    ask(
      epochs,
      numberIn(text),
      (n) => Number.isInteger(n) && n >= 1 && n <= LONGEST,
      t('no_count', { text, low: 1, high: whole(LONGEST) }),
      page.store.state.length?.epochs,
      (n) => ['segment', { changes: { epochs: n } }],
    ),
  );
  slider.addEventListener('input', () => {
    const value = +(10 ** Number(slider.value)).toPrecision(2);
    lr.value = num(value);
    refuseField(lr, '');
    fill(slider, num(value));
    latest({ name: 'lr', value });
  });

  /** The field of a number that the user's own optimizer alone has. */
  function ownField(name) {
    const field = el('input', { id: `own-${name}`, type: 'text', inputmode: 'decimal', autocomplete: 'off' });
    typed(field, (text) =>
      ask(
        field,
        numberIn(text),
        Number.isFinite,
        t('no_number', { text }),
        page.store.state.settings[name],
        (value) => ['set', { name, value }],
      ),
    );
    return el(
      'div',
      { class: 'field', id: `own-${name}-field` },
      el('div', { class: 'line' }, el('label', { for: field.id }, name), field),
    );
  }

  /** Send a number that was typed, unless it is the one in force; what refuses it is said beside the field. */
  async function ask(field, value, fits, why, now, command) {
    let refused = fits(value) ? '' : why;
    if (!refused && value !== now) {
      const [verb, fields] = command(value);
      await replyOf(page.send(verb, fields), (text) => {
        refused = text;
      });
    }
    refuseField(field, refused);
  }

  function relabel() {
    $('#live').replaceChildren(...Object.keys(LIVE).map((name) => liveField(name, LIVE[name], latest)));
    $('#choices').replaceChildren(
      ...['batch_size', ...CHOSEN].map((name) => choiceField(name, page)),
      channelsField(page),
    );
    $('#faults').replaceChildren(...FAULTS.map((name) => faultSwitch(name, wishes)));
    $('#shape').dataset.key = '';
  }
  $('#new-seed').addEventListener('click', () => wishes.ask('seed', (seed) => (seed ?? 0) + 1, 0));

  function update({ state }) {
    wishes.forget(state.settings);
    const settings = wishes.over(state.settings);
    const { choices, steers, network } = state;
    const off = !steers || state.status === 'deleted';
    const live = choices?.live;
    if (document.activeElement !== lr && !lr.matches('[aria-invalid]')) lr.value = num(settings.lr);
    if (document.activeElement !== slider || !slider.matches(':active')) slider.value = Math.log10(settings.lr || 1e-4);
    fill(slider, num(settings.lr));
    lr.disabled = slider.disabled = off;
    for (const [name, scale] of Object.entries(LIVE))
      updateLive(name, scale, settings[name], off || (live && !live.includes(name)), live && !live.includes(name));
    const own = (live ?? []).filter((name) => name !== 'lr' && !(name in LIVE));
    for (const field of $$('#live [id^="own-"].field')) field.hidden = !own.includes(field.id.slice(4, -6));
    for (const name of own) {
      if (!$(`#own-${name}`)) $('#live').append(ownField(name));
      const field = $(`#own-${name}`);
      if (document.activeElement !== field && !field.matches('[aria-invalid]')) field.value = num(settings[name]);
      field.disabled = off;
    }
    updateChoices(settings, choices ?? {}, off, state);
    updateLength(state, off);
    for (const name of FAULTS) {
      const button = $(`#fault-${name}`);
      button.setAttribute('aria-checked', (settings.fault ?? []).includes(name));
      button.disabled = off;
      button.hidden = name === FAULTS[1] && settings.loss !== 'cross_entropy'; // of classes alone
    }
    $('#faults-title').hidden = $$('#faults button').every((b) => b.hidden);
    if (settings.fault?.length) $('.faults').open = true;
    setText($('#seed'), String(settings.seed ?? '–'));
    $('#new-seed').disabled = off;
    updateShape(network, settings, off, wishes);
    updateDecisions(state);
  }
  return { update, relabel };
}

const fill = (input, text) => {
  input.style.setProperty('--at', `${(100 * (input.value - input.min)) / (input.max - input.min)}%`);
  input.setAttribute('aria-valuetext', text);
};

function liveField(name, scale, latest) {
  const output = el('output', { for: name, id: `${name}-value` });
  const input = el('input', { id: name, type: 'range', min: scale.low, max: scale.high, step: scale.step });
  input.addEventListener('input', () => {
    const value = scale.value ? scale.value(Number(input.value)) : Number(input.value);
    setText(output, valueText(name, value));
    fill(input, valueText(name, value));
    latest({ name, value });
  });
  return el(
    'div',
    { class: 'field', id: `${name}-field` },
    el('div', { class: 'line' }, el('label', { for: name, 'data-about': name }, t(name)), output),
    input,
  );
}

const valueText = (name, value) => (value == null ? t(name === 'clip' ? 'no_clip' : 'none') : num(value));

function updateLive(name, scale, value, off, absent) {
  const input = $(`#${name}`);
  $(`#${name}-field`).hidden = Boolean(absent);
  input.disabled = off;
  if (!input.matches(':active')) input.value = scale.place ? scale.place(value) : (value ?? 0);
  setText($(`#${name}-value`), valueText(name, value));
  fill(input, valueText(name, value));
}

function choiceField(name, page) {
  const select = el('select', { id: name });
  const word = name === 'loss' ? 'loss_function' : name;
  select.addEventListener('change', () =>
    page.segment({ [name]: name === 'batch_size' && select.value !== 'full' ? Number(select.value) : select.value }),
  );
  return el(
    'div',
    { class: 'pick', id: `${name}-field` },
    el('label', { for: name, 'data-about': word }, t(word)),
    select,
  );
}

/** The channels of convolutions: another network, which begins at step 0. */
function channelsField(page) {
  const select = el('select', { id: 'channels' });
  select.addEventListener('change', async () => {
    if (await page.segment({ channels: select.value ? select.value.split(',').map(Number) : [] }, 0))
      page.say(t('network_begun'));
  });
  return el(
    'div',
    { class: 'pick', id: 'channels-field' },
    el('label', { for: 'channels', 'data-about': 'channels' }, t('channels')),
    select,
  );
}

function updateChoices(settings, choices, off, state) {
  const rows = state.data.rows.train;
  const sizes = [...new Set([...(choices.batch_size ?? []), settings.batch_size])].filter((n) => typeof n === 'number');
  const batches = [
    ...sizes.sort((a, b) => a - b).map((n) => [n, whole(n)]),
    ['full', t('all_rows', { n: whole(rows) })],
  ];
  options('batch_size', batches, settings.batch_size, off);
  for (const name of CHOSEN)
    options(
      name,
      (choices[name] ?? []).map((value) => [value, value]),
      settings[name],
      off,
    );
  options(
    'channels',
    (choices.channels ?? []).map((list) => [list.join(), list.join(', ') || t('no_channels')]),
    settings.channels?.join(),
    off,
  );
}

function options(name, pairs, now, off) {
  const select = $(`#${name}`);
  const key = JSON.stringify([pairs, language.now]);
  $(`#${name}-field`).hidden = pairs.length < 2;
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    select.replaceChildren(...pairs.map(([value, text]) => el('option', { value }, text)));
  }
  select.value = now ?? '';
  select.disabled = off;
}

/** How many epochs are planned; of a training that has ended, how far what goes on from here goes. */
function updateLength({ length, status, view }, off) {
  const epochs = $('#epochs');
  const ended = ['finished', 'stopped', 'interrupted'].includes(status) && view.step == null;
  if (document.activeElement !== epochs && !epochs.matches('[aria-invalid]'))
    epochs.value = length ? whole(length.epochs) : '';
  epochs.disabled = off || !length;
  setText(
    $('#goes-on'),
    ended && length ? t(length.over ? 'goes_on_longer' : 'goes_on', { n: whole(length.goes_on_to) }) : '',
  );
}

function faultSwitch(name, wishes) {
  const toggle = () =>
    wishes.ask('fault', (now) => (now?.includes(name) ? now.filter((f) => f !== name) : [...(now ?? []), name]));
  return makeButton(
    toggle,
    { class: 'switch', id: `fault-${name}`, role: 'switch', 'aria-checked': 'false', 'data-about': name },
    el('span', {}, t(name)),
    el('i', { 'aria-hidden': 'true' }),
  );
}

/** Settings that were asked for and are not in the state yet: what is pressed next builds on them. */
function makeWishes(page, changed) {
  const wishes = new Map();
  const drop = (name, wish) => {
    if (wishes.get(name) === wish) {
      wishes.delete(name);
      changed();
    }
  };
  const send = Object.fromEntries(
    BUILT_ON.map((name) => [
      name,
      page.throttled(async (wish) => {
        const reply = await page.segment({ [name]: wish.value }, wish.step);
        if (reply && name === 'seed') page.say(t('seed_begun', { seed: wish.value }));
        if (reply) setTimeout(() => drop(name, wish), WISH_KEPT);
        else drop(name, wish);
      }),
    ]),
  );
  return {
    /** next(the setting as it is or will be) is asked for, in a segment from the step in view, or from step. */
    ask(name, next, step) {
      const now = wishes.has(name) ? wishes.get(name).value : page.store.state.settings[name];
      const wish = { value: next(now), step };
      wishes.set(name, wish);
      changed();
      send[name](wish);
    },
    over: (settings) => ({ ...settings, ...Object.fromEntries([...wishes].map(([name, { value }]) => [name, value])) }),
    forget(settings) {
      for (const [name, { value }] of wishes)
        if (JSON.stringify(settings[name]) === JSON.stringify(value)) wishes.delete(name);
    },
  };
}

/** Layers and units: a step for each layer, or what keeps them as they are. */
function updateShape(network, settings, off, wishes) {
  const hidden = settings.hidden ?? network?.hidden ?? [];
  const box = $('#shape');
  const key = JSON.stringify([hidden, off, network?.fixed, language.now]);
  const focused = focusedNode()?.dataset?.act;
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  if (network?.fixed) return box.replaceChildren(el('p', { class: 'hint' }, t(`fixed_${network.fixed}`)));
  const change = (next) => wishes.ask('hidden', () => next);
  const layers = stepper('L', t('hidden_layers'), hidden.length, { low: 0, high: DEEPEST, off }, (n) =>
    change(n > hidden.length ? [...hidden, hidden.at(-1) ?? 8] : hidden.slice(0, n)),
  );
  const units = hidden.map((count, k) =>
    stepper(`U${k}`, t('units_of', { layer: k }), count, { low: 1, high: WIDEST, off }, (n) =>
      change(hidden.map((was, i) => (i === k ? n : was))),
    ),
  );
  box.replaceChildren(layers, ...units);
  if (focused) $(`[data-act="${focused}"]`)?.focus();
}

function stepper(id, name, value, { low, high, off }, change) {
  const press = (by) => () => change(value + by);
  const field = el('input', {
    type: 'text',
    inputmode: 'numeric',
    value,
    'aria-label': name,
    disabled: off,
    'data-act': id,
  });
  field.addEventListener('change', () => {
    const n = numberIn(field.value);
    const fine = Number.isInteger(n) && n >= low && n <= high;
    refuseField(field, fine ? '' : t('no_count', { text: field.value, low, high: whole(high) }));
    if (fine) change(n);
  });
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    field.value = value;
    refuseField(field, '');
  });
  return el(
    'div',
    { class: 'stepper', role: 'group', 'aria-label': name },
    el('span', { 'aria-hidden': 'true' }, name),
    makeButton(
      press(-1),
      { 'data-act': `${id}-`, 'aria-label': t('one_less', { what: name }), disabled: off || value <= low },
      '−',
    ),
    field,
    makeButton(
      press(1),
      { 'data-act': `${id}+`, 'aria-label': t('one_more', { what: name }), disabled: off || value >= high },
      '+',
    ),
  );
}

function updateDecisions({ data }) {
  const list = $('#decisions');
  const key = JSON.stringify(data.decisions);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...data.decisions.map((sentence) => el('li', {}, sentence)));
  list.closest('details').hidden = !data.decisions.length;
}
