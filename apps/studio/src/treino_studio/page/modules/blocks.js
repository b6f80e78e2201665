/** Blocks: the sentences, lists and tables that are told of a training, as the terminal and a report tell them. */

import { el } from './dom.js';

/** A table of texts under headings, the first of each row being its name. */
export function tableNode({ caption, head, rows }) {
  const heading = (name) => (name ? el('th', { scope: 'col' }, name) : el('td'));
  const line = ([name, ...cells]) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, name),
      cells.map((cell) => el('td', {}, cell)),
    );
  return el(
    'table',
    {},
    caption && el('caption', {}, caption),
    el('thead', {}, el('tr', {}, head.map(heading))),
    el('tbody', {}, rows.map(line)),
  );
}

/**
 * The elements of blocks. beside(block): what a page adds to a sentence. turned: a table's columns become its rows, for
 * a narrow panel.
 *
 * @import { ListBlock, Paragraph, TableOfTexts } from '../protocol.d.ts'
 * @param {(Paragraph | ListBlock | TableOfTexts)[]} blocks
 */
export function blockNodes(blocks, { beside = (_block) => null, turned = false } = {}) {
  return blocks.map((block) => {
    if ('text' in block) return el('p', { class: block.tone }, block.text, ' ', beside(block));
    if ('items' in block)
      return el(
        'ul',
        {},
        block.items.map((item) => el('li', {}, item)),
      );
    const lines = [block.head, ...block.rows];
    const [head, ...rows] = turned ? block.head.map((_, k) => lines.map((line) => line[k])) : lines;
    return el('div', { class: 'figures', tabindex: 0 }, tableNode({ caption: block.caption, head, rows }));
  });
}
