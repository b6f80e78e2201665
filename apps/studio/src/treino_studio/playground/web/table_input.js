/**
 * A table of the reader's own: a file that is chosen or dropped, or cells that are pasted; its target; what is wrong
 * with it.
 */

import { refusalText } from '../../page/modules/connection.js';
import { el, setText } from '../../page/modules/dom.js';
import { language, t } from '../../page/modules/words.js';
import { likelyTargets } from './columns.js';
import { readTable, textOf } from './tables.js';

const OPTIONS = {
  header: { yes: true, no: false },
  delimiter: { comma: ',', semicolon: ';', tab: '\t', bar: '|' },
  decimal: { point: '.', comma: ',' },
};

/** taken(table): it is read, and its target chosen. → {node, show(table or null), relabel()}. */
export function makeTableInput({ taken }) {
  let source = null;
  let table = null;
  const file = el('input', {
    id: 'table-file',
    type: 'file',
    class: 'vh',
    accept: '.csv,.tsv,.txt,.tab,text/*',
    onchange: () => open(file.files[0]),
  });
  const drop = el('label', { class: 'drop', for: 'table-file' });
  const pasted = el('textarea', { id: 'table-paste', rows: 3, spellcheck: 'false', autocomplete: 'off' });
  const pastedLabel = el('label', { for: 'table-paste', class: 'note' });
  const fault = el('p', { id: 'table-fault', class: 'bad', role: 'alert', hidden: true });
  const options = el('div', { class: 'asks', id: 'table-options', hidden: true });
  const target = el('select', { id: 'table-target', onchange: choose });
  const targetField = el('div', { class: 'pick', hidden: true }, el('label', { for: 'table-target' }), target);
  const notes = el('ul', { class: 'notes note', id: 'table-notes' });
  const node = el('div', { class: 'own-table' }, file, drop, pastedLabel, pasted, fault, options, targetField, notes);

  pasted.addEventListener('paste', (event) => {
    const text = event.clipboardData?.getData('text/plain');
    if (!text || text.length < 1e5) return; // a field of many lines is slow
    event.preventDefault();
    read(text, 'table.csv');
  });
  pasted.addEventListener('input', () => {
    if (pasted.value.trim()) read(pasted.value, 'table.csv');
  });
  pasted.addEventListener('keydown', (event) => event.stopPropagation());

  async function open(chosen) {
    if (!chosen) return;
    file.value = '';
    pasted.value = '';
    attempt(chosen.name, () => textOf(chosen));
  }
  const read = (text, name) => attempt(name, () => text);

  async function attempt(name, find) {
    for (const select of options.querySelectorAll('select')) select.value = '';
    try {
      source = { text: await find(), name };
      cut();
    } catch (refusal) {
      refused(refusal);
    }
  }
  /** The text cut into cells, as the options say; the target that is likely, until another is chosen. */
  function cut() {
    const asked = Object.fromEntries(
      Object.keys(OPTIONS).map((name) => [name, OPTIONS[name][options.querySelector(`#table-${name}`)?.value]]),
    );
    try {
      const { notes: said, ...rest } = readTable(source.text, { file: source.name, ...asked });
      const before =
        table?.file === rest.file && rest.columns.some(({ name }) => name === table.target) ? table.target : null;
      table = { name: rest.name, file: rest.file, columns: rest.columns, target: before ?? likelyTargets(rest)[0] };
      fault.hidden = true;
      options.hidden = !Object.values(asked).some((value) => value !== undefined);
      notes.replaceChildren(...said.map((sentence) => el('li', {}, sentence)));
      showTarget();
      taken(table);
    } catch (refusal) {
      refused(refusal);
    }
  }
  function refused(refusal) {
    if (!refusal.rule) throw refusal;
    fault.hidden = false;
    setText(fault, refusalText(refusal));
    if (/^(csv_header|csv_delimiter|decimal_)/.test(refusal.rule)) options.hidden = false;
  }
  function choose() {
    table = { ...table, target: target.value };
    taken(table);
  }
  function showTarget() {
    targetField.hidden = !table;
    if (!table) return;
    const likely = likelyTargets(table);
    const names = [...likely, ...table.columns.map(({ name }) => name).filter((name) => !likely.includes(name))];
    target.replaceChildren(...names.map((value) => el('option', { value }, value)));
    target.value = table.target;
  }
  function relabel() {
    setText(drop, t('table_drop'));
    setText(pastedLabel, t('table_paste'));
    setText(targetField.firstChild, t('target'));
    if (options.dataset.language === language.now) return;
    options.dataset.language = language.now;
    options.replaceChildren(
      ...Object.entries(OPTIONS).map(([name, values]) =>
        el(
          'div',
          { class: 'ask' },
          el('label', { for: `table-${name}` }, t(`table_${name}`)),
          el(
            'select',
            { id: `table-${name}`, onchange: cut },
            el('option', { value: '' }, t('table_as_recognised')),
            Object.keys(values).map((value) => el('option', { value }, t(`table_${name}_${value}`))),
          ),
        ),
      ),
    );
  }
  relabel();
  return {
    node,
    relabel,
    open,
    show(next) {
      table = next;
      showTarget();
    },
  };
}
