/**
 * The controls of a crowd: how many networks, which settings differ and between which values, the others, and halving.
 */

import { el, makeButton, setText } from '../../page/modules/dom.js';
import { num, whole } from '../../page/modules/numbers.js';
import { localised, t } from '../../page/modules/words.js';
import { ACTIVATIONS, OPTIMIZERS } from './lanes.js';
import { AXES, COUNTS, isAxis, rangeOf, readValue, readValues } from './members.js';

const PLACES = ['across', 'down', 'panels'];
const ETAS = [2, 3];
/** A number as it is typed, in few letters. */
const typed = (value) => localised(value >= 1e5 ? value.toExponential().replace('e+', 'e') : String(value));

const FIELDS = {
  // of the settings that all networks share
  hidden: { write: (value) => value.join(','), read: (text) => readValue('hidden', text.replace(/\s/g, '')) },
  activation: { of: ACTIVATIONS },
  optimizer: { of: OPTIMIZERS },
  lr: { write: typed, read: positive },
  batch_size: { write: String, read: (text) => readValue('batch_size', text) },
  weight_decay: { write: typed, read: positive },
  dropout: { write: typed, read: (text) => (positive(text) < 1 ? positive(text) : null) },
  seed: { read: (text) => (Number.isInteger(positive(text)) ? positive(text) : null) },
};

function positive(text) {
  const value = text.trim() === '' ? NaN : Number(text.replace(',', '.'));
  return Number.isFinite(value) && value >= 0 ? value : null;
}

/**
 * now: () => {plan, settings, cutting: null or {eta, epochs}, limit}. changed({plan, settings, cutting}): what is
 * wanted from now on. → {node, update(), relabel()}
 */
export function makeControls({ now, changed }) {
  const node = el('section', { class: 'panel settings crowd-settings', 'data-part': 'settings' });
  const wrong = el('p', { class: 'bad', role: 'status' });

  function build() {
    const { plan, settings, cutting, limit } = now();
    const focused = document.activeElement?.id;
    node.replaceChildren(
      el('h2', { class: 'vh' }, t('settings')),
      row(
        'many-count',
        t('many_count'),
        el(
          'select',
          { id: 'many-count', onchange: (event) => change({ plan: { ...plan, count: Number(event.target.value) } }) },
          COUNTS.map((count) =>
            el('option', { value: count, selected: count === plan.count, disabled: count > limit }, whole(count)),
          ),
        ),
      ),
      ...PLACES.map((place) => placeField(plan, place)),
      el('hr'),
      el(
        'div',
        { class: 'pairs' },
        Object.keys(FIELDS)
          .filter((name) => !isAxis(plan, name))
          .map((name) => settingField(name, settings)),
      ),
      wrong,
      el('hr'),
      cuttingField(cutting),
    );
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    setText(wrong, '');
  }
  const change = (part) => changed({ ...now(), ...part });
  const row = (id, name, field) => el('div', { class: 'line' }, el('label', { for: id }, name), field);

  /** Which setting stands in a place, and its values. */
  function placeField(plan, place) {
    const name = plan[place];
    const others = PLACES.filter((other) => other !== place).map((other) => plan[other]);
    const options = Object.keys(AXES)
      .filter((one) => !others.includes(one))
      .map((one) => el('option', { value: one, selected: one === name }, t(`many_${one}`)));
    if (place === 'panels') options.unshift(el('option', { value: '', selected: !name }, t('many_none')));
    const choose = (event) => change({ plan: { ...plan, [place]: event.target.value || null } });
    return el(
      'div',
      { class: 'place', id: `${place}-field` },
      row(`many-${place}`, t(`many_place_${place}`), el('select', { id: `many-${place}`, onchange: choose }, options)),
      name && valuesField(plan, name),
    );
  }

  /** A range typed or dragged, or a list. */
  function valuesField(plan, name) {
    const axis = AXES[name];
    const range = rangeOf(plan, name);
    const id = `many-${name}-values`;
    const take = (text) => {
      const values = readValues(name, text);
      if (values) return change({ plan: { ...plan, values: { ...plan.values, [name]: values } } });
      return setText(wrong, t('many_wrong_values', { name: t(`many_${name}`), value: text }));
    };
    const field = (key, value, word, act) =>
      el('input', {
        type: 'text',
        id: `${id}-${key}`,
        value,
        inputmode: axis.list ? null : 'decimal',
        autocomplete: 'off',
        spellcheck: 'false',
        'aria-label': `${t(`many_${name}`)}, ${word}`,
        onchange: act,
      });
    if (axis.list)
      return el(
        'div',
        { class: 'values' },
        field('list', range.list.join(name === 'hidden' ? '  ' : ' '), t('many_values'), (event) =>
          take(event.target.value.trim().replace(/\s+/g, ';')),
        ),
      );
    if (axis.scale === 'whole')
      return el(
        'div',
        { class: 'values' },
        el('span', { class: 'hint' }, t('many_from')),
        field('low', range.low, t('many_from'), (event) => take(`${event.target.value}..`)),
      );
    const low = field('low', typed(range.low), t('many_from'), () => take(`${low.value}..${high.value}`));
    const high = field('high', typed(range.high), t('many_to'), () => take(`${low.value}..${high.value}`));
    return el(
      'div',
      { class: 'values' },
      low,
      slider(
        name,
        range,
        (from, to) => {
          low.value = typed(from);
          high.value = typed(to);
        },
        take,
      ),
      high,
    );
  }

  /** Two thumbs on one line: each is an input of its own, for keys and screen readers. */
  function slider(name, range, show, take) {
    const { scale, ends } = AXES[name];
    const log = scale === 'log';
    const to = (value) => (log ? Math.log10(value) : value);
    const back = (value) => Number((log ? 10 ** value : value).toPrecision(2));
    const least = Math.min(to(ends[0]), to(range.low));
    const most = Math.max(to(ends[1]), to(range.high));
    const thumb = (key, word) =>
      el('input', {
        type: 'range',
        id: `many-${name}-${key}`,
        min: least,
        max: most,
        step: log ? 0.05 : 0.01,
        value: to(range[key]),
        'aria-label': `${t(`many_${name}`)}, ${word}`,
        'aria-valuetext': num(range[key]),
      });
    const low = thumb('low', t('many_from'));
    const high = thumb('high', t('many_to'));
    const both = el('span', { class: 'span' }, low, high);
    const values = () => [
      low.valueAsNumber === to(range.low) ? range.low : back(low.valueAsNumber),
      high.valueAsNumber === to(range.high) ? range.high : back(high.valueAsNumber),
    ];
    const paint = () => {
      both.style.setProperty('--from', `${(100 * (low.valueAsNumber - least)) / (most - least)}%`);
      both.style.setProperty('--to', `${(100 * (high.valueAsNumber - least)) / (most - least)}%`);
    };
    for (const input of [low, high]) {
      input.addEventListener('input', () => {
        const room = log ? 0.3 : 0.02; // the thumbs never pass each other
        if (input === low) low.value = Math.min(low.valueAsNumber, high.valueAsNumber - room);
        else high.value = Math.max(high.valueAsNumber, low.valueAsNumber + room);
        const [from, until] = values();
        input.setAttribute('aria-valuetext', num(input === low ? from : until));
        show(from, until);
        paint();
      });
      input.addEventListener('change', () => take(values().join('..')));
    }
    paint();
    return both;
  }

  function settingField(name, settings) {
    const { of, read, write = String } = FIELDS[name];
    const id = `many-${name}`;
    const value = settings[name];
    const set = (next) => change({ settings: { ...settings, [name]: next } });
    const type = (event) => {
      const next = read(event.target.value);
      if (next === null) setText(wrong, t('many_wrong_values', { name: t(`many_${name}`), value: event.target.value }));
      else set(next);
    };
    const field = of
      ? el(
          'select',
          { id, onchange: (event) => set(event.target.value) },
          of.map((one) => el('option', { value: one, selected: one === value }, one)),
        )
      : el('input', {
          type: 'text',
          id,
          value: write(value ?? 0),
          autocomplete: 'off',
          spellcheck: 'false',
          onchange: type,
        });
    return el('div', { class: 'line', id: `${name}-field` }, el('label', { for: id }, t(`many_${name}`)), field);
  }

  function cuttingField(cutting) {
    const on = makeButton(
      () => change({ cutting: cutting ? null : { eta: 2, epochs: 64 } }),
      { class: 'switch', id: 'many-halving', role: 'switch', 'aria-checked': Boolean(cutting) },
      el('span', {}, t('many_halving')),
      el('i'),
    );
    if (!cutting) return el('div', { class: 'cutting' }, on, el('p', { class: 'note' }, t('many_halving_about')));
    return el(
      'div',
      { class: 'cutting' },
      on,
      row(
        'many-eta',
        t('many_eta'),
        el(
          'select',
          { id: 'many-eta', onchange: (event) => change({ cutting: { ...cutting, eta: Number(event.target.value) } }) },
          ETAS.map((eta) => el('option', { value: eta, selected: eta === cutting.eta }, t('many_one_in', { n: eta }))),
        ),
      ),
      row(
        'many-epochs',
        t('many_epochs'),
        el('input', {
          type: 'text',
          id: 'many-epochs',
          inputmode: 'numeric',
          value: cutting.epochs,
          onchange: (event) => {
            const epochs = positive(event.target.value);
            if (Number.isInteger(epochs) && epochs >= 1 && epochs <= 1e6) change({ cutting: { ...cutting, epochs } });
            else setText(wrong, t('many_wrong_values', { name: t('many_epochs'), value: event.target.value }));
          },
        }),
      ),
    );
  }
  build();
  return { node, update: build, relabel: build };
}
