/** One of many names: a list to choose from, or, of more than a screenful, a field to search in. */

import { el } from './dom.js';
import { whole } from './numbers.js';
import { t } from './words.js';

const FEW = 40; // names that a plain list shows
const FOUND = 12; // matches that are shown at once

/** root: an empty element; data-field is the key of its name. chosen(name) is called for what is picked. */
export function makePicker(root, chosen) {
  let names = [];
  let value = null;
  let control = null;

  function set(list, now) {
    const same = list.length === names.length && list.every((name, k) => name === names[k]);
    value = now;
    if (!same || !control) {
      names = list;
      control = (list.length > FEW ? searchField : plainList)(root, () => names, choose);
    }
    control.field.setAttribute('aria-label', t(root.dataset.field));
    if (document.activeElement !== control.field) control.show(value);
  }
  function choose(name) {
    value = name;
    chosen(name);
  }
  return {
    set,
    get value() {
      return value;
    },
    disable: (off) => {
      if (control) control.field.disabled = off;
    },
  };
}

function plainList(root, names, choose) {
  const field = el(
    'select',
    { 'aria-label': t(root.dataset.field) },
    el('option', { value: '', hidden: true }, '–'),
    names().map((name) => el('option', { value: name }, name)),
  );
  field.addEventListener('change', () => choose(field.value));
  root.replaceChildren(field);
  return {
    field,
    show: (value) => {
      field.value = value ?? '';
    },
  };
}

function searchField(root, names, choose) {
  const id = `${root.id}-found`;
  const list = el('ul', { id, role: 'listbox', class: 'found', 'aria-label': t(root.dataset.field), hidden: true });
  const field = el('input', {
    type: 'text',
    role: 'combobox',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-label': t(root.dataset.field),
    'aria-controls': id,
    'aria-expanded': 'false',
    'aria-autocomplete': 'list',
  });
  let shown = null;
  let at = -1;

  function open() {
    const wanted = field.value === shown ? '' : field.value.toLowerCase();
    const found = [];
    let more = 0;
    for (const name of names())
      if (name.toLowerCase().includes(wanted)) found.length < FOUND ? found.push(name) : more++;
    at = -1;
    list.replaceChildren(
      ...found.map((name, k) =>
        el(
          'li',
          {
            role: 'option',
            id: `${id}-${k}`,
            'aria-selected': 'false',
            onpointerdown: (e) => {
              e.preventDefault();
              pick(name);
            },
          },
          name,
        ),
      ),
      more
        ? el('li', { role: 'option', 'aria-disabled': 'true', class: 'more' }, t('and_more', { n: whole(more) }))
        : '',
    );
    toggle(found.length > 0);
  }
  function toggle(on) {
    list.hidden = !on;
    field.setAttribute('aria-expanded', on);
    if (!on) field.removeAttribute('aria-activedescendant');
  }
  function move(by) {
    const options = [...list.querySelectorAll('[role=option]:not(.more)')];
    if (!options.length) return;
    options[at]?.setAttribute('aria-selected', 'false');
    at = (at + by + options.length) % options.length;
    options[at].setAttribute('aria-selected', 'true');
    field.setAttribute('aria-activedescendant', options[at].id);
  }
  function pick(name) {
    toggle(false);
    shown = field.value = name;
    choose(name);
  }
  field.addEventListener('input', open);
  field.addEventListener('focus', () => {
    field.select();
    open();
  });
  field.addEventListener('blur', () => {
    toggle(false);
    field.value = shown ?? '';
  });
  field.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) open();
      move(event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === 'Enter') {
      const option = list.querySelectorAll('[role=option]:not(.more)')[Math.max(0, at)];
      if (option && !list.hidden) pick(option.textContent);
    } else if (event.key === 'Escape' && !list.hidden) {
      event.stopPropagation();
      toggle(false);
    }
  });
  root.replaceChildren(field, list);
  return {
    field,
    show: (value) => {
      shown = value;
      field.value = value ?? '';
    },
  };
}
