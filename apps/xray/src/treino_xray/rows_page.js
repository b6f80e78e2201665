// The page of rows: a click on a heading sorts by it; the filter hides rows.
(() => {
  const table = /** @type {HTMLTableElement} */ (document.getElementById('rows'));
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  const column = /** @type {HTMLSelectElement} */ (document.getElementById('column'));
  const wanted = /** @type {HTMLInputElement} */ (document.getElementById('wanted'));
  const shown = document.getElementById('shown');

  const value = (row, at) => {
    const cell = row.cells[at];
    return 'value' in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
  };

  const order = (a, b) => {
    if (typeof a === typeof b) return typeof a === 'number' ? a - b : a.localeCompare(b, undefined, { numeric: true });
    return typeof a === 'number' ? -1 : 1;
  };

  const sort = (at) => {
    const down = heads[at].getAttribute('aria-sort') !== 'descending';
    heads.forEach((head) => head.removeAttribute('aria-sort'));
    heads[at].setAttribute('aria-sort', down ? 'descending' : 'ascending');
    rows.sort((one, other) => order(value(one, at), value(other, at)) * (down ? -1 : 1));
    body.append(...rows);
  };

  const fits = (cell, text) => {
    const limit = /^([<>])\s*(-?[\d.]+)$/.exec(text);
    if (limit && typeof cell === 'number') return limit[1] === '>' ? cell > +limit[2] : cell < +limit[2];
    if (typeof cell === 'number') return cell === Number(text);
    return cell.toLowerCase().includes(text.toLowerCase());
  };

  const filter = () => {
    const text = wanted.value.trim();
    const at = Number(column.value);
    rows.forEach((row) => {
      row.hidden = text !== '' && !fits(value(row, at), text);
    });
    const left = rows.filter((row) => !row.hidden).length;
    shown.textContent = WORDS.shown.replace('{n}', String(left)).replace('{of}', String(rows.length));
  };

  heads.forEach((head, at) => {
    head.addEventListener('click', () => sort(at));
    head.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        sort(at);
      }
    });
  });
  column.addEventListener('change', filter);
  wanted.addEventListener('input', filter);
  filter();
})();
