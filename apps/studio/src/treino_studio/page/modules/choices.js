/** What a reader chooses to see of many rows: columns, and what colours mean. The browser remembers both. */

import { el } from './dom.js';
import { makeScale, scaleKey } from './scale.js';
import { t } from './words.js';

/** What was kept under a name; the other value without it, as in a private window. */
export function kept(name, other) {
  try {
    return JSON.parse(localStorage.getItem(`treino.${name}`)) ?? other;
  } catch {
    return other;
  }
}
export function keep(name, value) {
  try {
    localStorage.setItem(`treino.${name}`, JSON.stringify(value));
  } catch {
    /* a private window keeps nothing */
  }
}

/**
 * A menu of columns. name: it is kept under. usual(key): it is shown until somebody chooses. changed(): others are.
 * → {node, fill(columns), of(columns)}: a column with always: true is no choice; of answers those to be shown.
 */
export function columnChoice(name, usual, changed) {
  const list = el('div', { class: 'choices' });
  const node = el('details', { class: 'choice' }, el('summary', {}, t('columns')), list);
  let offered = '';
  const own = kept(name, {});
  const on = ({ key }) => own[key] ?? usual(key);
  const close = (event) => {
    if (event.key === 'Escape' || !node.contains(event.target)) node.open = false;
  };
  node.addEventListener('toggle', () => {
    for (const kind of ['pointerdown', 'keydown'])
      document[node.open ? 'addEventListener' : 'removeEventListener'](kind, close);
  });
  const choose = (key, shown) => {
    own[key] = shown;
    keep(name, own);
    changed();
  };
  return {
    node,
    fill(columns) {
      const next = columns.filter((column) => !column.always);
      const keys = next.map(({ key }) => key).join();
      if (keys === offered) return;
      offered = keys;
      list.replaceChildren(
        ...next.map((column) =>
          el(
            'label',
            { class: 'tick' },
            el('input', {
              type: 'checkbox',
              checked: on(column),
              onchange: (event) => choose(column.key, event.target.checked),
            }),
            column.name,
          ),
        ),
      );
    },
    of: (columns) => columns.filter((column) => column.always || on(column)),
  };
}

/**
 * What colours mean. name: it is kept under. changed(): something else. → {node, key, fill(options), scale(rows), now};
 * options: [{key, name, value(row)}], the first being what is usual; scale(rows) writes the key, and answers null for
 * it.
 */
export function colourChoice(name, changed) {
  const field = el('select', {
    id: `colour-${name}`,
    onchange: () => {
      keep(`colour.${name}`, field.value);
      changed();
    },
  });
  const key = el('ul', { class: 'legend scale' });
  let options = [];
  return {
    key,
    node: el('div', { class: 'ask beside' }, el('label', { for: field.id }, t('colour_by')), field),
    fill(next) {
      const before = options.map((each) => each.key).join();
      const wanted = field.value || kept(`colour.${name}`, '');
      options = next;
      if (next.map((each) => each.key).join() === before) return;
      field.replaceChildren(...next.map((each) => el('option', { value: each.key }, each.name)));
      field.value = next.some((each) => each.key === wanted) ? wanted : next[0].key;
    },
    get now() {
      return options.find((each) => each.key === field.value) ?? options[0];
    },
    scale(rows) {
      const { now } = this;
      const values = rows.map((row) => now.value?.(row));
      const scale = now.value && values.some((v) => v != null) ? makeScale(values) : null;
      key.replaceChildren(...(scale ? scaleKey(scale) : []));
      return scale && { ...scale, of: (row) => scale.colour(now.value(row)) };
    },
  };
}
