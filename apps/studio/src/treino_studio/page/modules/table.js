/** A table whose head sorts. Of many rows only those in view are made, so that thousands stay quick. */

import { el, makeButton } from './dom.js';

const ALL = 200; // rows up to which all are made
const AROUND = 30; // rows that are made above and below those in view
const HEIGHT = 31; // pixels of a row, until one is there to be measured
const letters = new Intl.Collator(undefined, { numeric: true });

/**
 * columns: [{key, name, value(row), show(row), start, still}]; a still one doesn't sort, a name may be an element.
 * pick(row): a row was chosen; point(row or null): the pointer is on it. most: rows that are shown. sort: {key, down};
 * sorted(sort): another was chosen. → {node, fill(rows, isChosen), use(columns), reveal(row's start value)}; fill
 * answers how many are shown, and draws those of the columns in use.
 */
export function sortedTable(
  label,
  columns,
  { pick = null, point = null, sort = null, sorted = (_sort) => {}, most = Infinity } = {},
) {
  const head = el('tr', {});
  const body = el('tbody', {});
  const table = el('table', { 'aria-label': label }, el('thead', {}, head), body);
  const node = el(
    'div',
    {
      class: 'rows',
      tabindex: 0,
      role: 'region',
      'aria-label': label,
      onscroll: () => {
        if (order.length > ALL && Math.abs(inView() - from) > AROUND / 2) show();
      },
    },
    table,
  );
  let by = sort;
  let rows = [];
  let order = [];
  let chosen = (_row) => false;
  let from = 0;
  let height = HEIGHT;
  let heads;
  let start;
  // row → its element, until the next drawing: one that is used stays where it is while others come
  const made = new Map();
  if (point) body.addEventListener('pointerleave', () => point(null));

  function use(next) {
    const same = heads && next.map(({ key }) => key).join() === columns.map(({ key }) => key).join();
    columns = next;
    start = columns.find((column) => column.start);
    if (same)
      return columns.forEach(({ name }, k) => {
        if (name instanceof Element) replaced(heads[k].firstChild, name);
      });
    heads = columns.map((column) => {
      const press = () => {
        by = { key: column.key, down: by?.key === column.key ? !by.down : false };
        sorted(by);
        node.scrollTop = 0;
        draw();
      };
      return el(
        'th',
        { scope: 'col' },
        column.still ? el('span', {}, column.name) : makeButton(press, { class: 'quiet' }, column.name),
      );
    });
    head.replaceChildren(...heads);
  }

  /** Put an element in the place of a heading's, and the keyboard where it was. */
  function replaced(place, name) {
    const held = place.contains(document.activeElement);
    place.replaceChildren(name);
    if (held) name.focus();
  }

  /** A row's own name is a button where rows are chosen, so that the keyboard can choose them. */
  function first(row) {
    if (!pick) return start.show(row);
    return makeButton(
      (event) => {
        event.stopPropagation();
        pick(row);
      },
      { class: 'quiet own', 'aria-pressed': chosen(row) },
      start.show(row),
    );
  }
  function draw() {
    heads.forEach((cell, k) => {
      if (!columns[k].still)
        cell.setAttribute('aria-sort', by?.key === columns[k].key ? (by.down ? 'descending' : 'ascending') : 'none');
    });
    const column = columns.find(({ key }) => key === by?.key);
    order = (column ? [...rows].sort((a, b) => compare(column.value(a), column.value(b), by.down)) : rows).slice(
      0,
      most,
    );
    made.clear();
    table.setAttribute('aria-rowcount', order.length + 1);
    show();
  }
  const make = (row, place) =>
    el(
      'tr',
      {
        class: chosen(row) ? 'chosen' : null,
        'data-row': start?.value(row),
        'aria-rowindex': place + 2,
        onclick: pick ? () => pick(row) : null,
        onpointerenter: point ? () => point(row) : null,
      },
      columns.map((each) =>
        el(each.start ? 'th' : 'td', each.start ? { scope: 'row' } : {}, each.start ? first(row) : each.show(row)),
      ),
    );
  const inView = () => Math.floor(node.scrollTop / height);
  const gap = (count) => {
    const empty = el('tr', { 'aria-hidden': true });
    empty.style.height = `${count * height}px`;
    return count > 0 ? empty : '';
  };
  function show() {
    const many = order.length > ALL;
    const seen = many ? Math.ceil((node.clientHeight || 480) / height) + 2 * AROUND : order.length;
    from = inView();
    const begin = many ? Math.max(0, Math.min(from - AROUND, order.length - seen)) : 0;
    const shown = order.slice(begin, begin + seen);
    const held = /** @type {HTMLTableCellElement | null} */ (document.activeElement?.closest('td, th'));
    const within = body.contains(held) && [held.parentElement.dataset.row, held.cellIndex];
    body.replaceChildren(
      gap(begin),
      ...shown.map((row, k) => {
        if (!made.has(row)) made.set(row, make(row, begin + k));
        return made.get(row);
      }),
      gap(order.length - begin - shown.length),
    );
    if (within)
      (
        [...body.rows]
          .find((row) => row.dataset.row === within[0])
          ?.cells[within[1]]?.querySelector('button, a, input') ?? node
      ).focus({ preventScroll: true });
    if (!many) return;
    height = body.querySelector('[data-row]')?.offsetHeight || height;
    for (const cell of heads) cell.style.minWidth = `${cell.offsetWidth}px`; // or columns would move while it scrolls
  }
  use(columns);
  return {
    node,
    use,
    fill(next, isChosen = () => false) {
      rows = next;
      chosen = isChosen;
      draw();
      return order.length;
    },
    reveal(value) {
      const place = order.findIndex((row) => start.value(row) === value);
      const top = place * height;
      if (place >= 0 && (top < node.scrollTop || top + 3 * height > node.scrollTop + node.clientHeight))
        node.scrollTop = top - node.clientHeight / 2;
    },
  };
}

/** Numbers by size, texts by letters; what is missing comes last either way. */
function compare(a, b, down) {
  if (a == null || b == null) return Number(a == null) - Number(b == null);
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : letters.compare(String(a), String(b));
  return down ? -order : order;
}
