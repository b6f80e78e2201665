/** What the canvases show, as tables for those who read the page by ear; they stand behind the pictures, unseen. */

import { tableNode } from './blocks.js';
import { $, el } from './dom.js';
import { fixed, num, whole } from './numbers.js';
import { answers } from './rows.js';
import { partOf } from './store.js';
import { t } from './words.js';

const REST = 1000; // milliseconds between two writings: a screen reader shall be able to read them
const EPOCHS = 20; // the newest that are listed
const CLASSES = 12; // more classes make no table

export function makeTables() {
  const places = { network: $('.net'), picture: $('.bound'), curves: $('.curves') };
  for (const place of Object.values(places)) place.append(el('div', { class: 'vh table-behind' }));
  let written = -Infinity;
  let timer = 0;

  /** Every frame; while it trains not each of them is written. */
  function draw(store) {
    clearTimeout(timer);
    const left = store.state?.playing ? written + REST - performance.now() : 0;
    if (left > 0) timer = setTimeout(draw, left, store);
    else write(store);
  }
  function write(store) {
    written = performance.now();
    const { frame, state } = store;
    if (!frame?.layers || !state) return;
    show(places.network, network(store));
    show(places.picture, state.data.classes?.length ? confusion(store) : figures(store));
    show(places.curves, epochs(store));
  }
  return {
    draw,
    relabel: () => {
      written = -Infinity;
    },
  };
}

/** Write a table behind a place that holds room for it. */
export function show(place, { name, head, rows }) {
  $('.table-behind', place).replaceChildren(rows.length ? tableNode({ caption: name, head, rows }) : '');
}

function network({ frame }) {
  const rows = frame.layers.map((layer, k) => [
    layer.what || t(k ? 'network' : 'inputs'),
    whole(layer.total),
    whole(layer.dead?.length ?? 0),
  ]);
  return { name: t('network'), head: [t('layer'), t('units'), t('dead_units')], rows };
}

/** How many rows of each class are taken for which: training and validation rows, and test rows at the end. */
function confusion({
  frame,
  points,
  state: {
    data: { classes, target },
  },
}) {
  const rows = [];
  if (classes.length <= CLASSES)
    for (const split of points?.rows ?? []) {
      const said = answers(frame, split);
      if (!said?.length) continue;
      const counts = classes.map(() => classes.map(() => 0));
      split.true.forEach((right, i) => {
        if (counts[right] && said[i] >= 0) counts[right][said[i]] += 1;
      });
      counts.forEach((of, right) => rows.push([`${t(split.split)}, ${classes[right]}`, ...of.map(whole)]));
    }
  const parts = (points?.rows ?? []).filter((split) => split.true.length < split.total);
  const said = parts.map(
    ({ split, true: { length }, total }) =>
      `${t(split)}, ${t('drawn_rows', { n: whole(length), total: whole(total) })}`,
  );
  return { name: [t('confusion'), ...said].join('. '), head: [t('true_value', { target }), ...classes], rows };
}

/** The figures on the rows that are drawn. */
function figures({ frame, state }) {
  const names = [...new Set(Object.values(frame.evaluation ?? {}).flatMap((split) => Object.keys(split ?? {})))];
  const rows = Object.entries(frame.evaluation ?? {}).map(([split, found]) => {
    const [n, total] = partOf(frame, split) ?? [];
    const of = n == null ? t(split) : `${t(split)}, ${t('drawn_rows', { n: whole(n), total: whole(total) })}`;
    return [of, ...names.map((name) => num(found?.[name]))];
  });
  return { name: state.data.target ?? '', head: [t('rows'), ...names.map((name) => t(name))], rows };
}

function epochs(store) {
  const all = store.curves.get(store.name)?.epochs ?? [];
  const metric = ['accuracy', 'rmse'].find((name) => all.some((each) => each.validation?.[name] != null));
  const rows = all
    .slice(-EPOCHS)
    .map(({ epoch, step, train, validation }) => [
      whole(epoch),
      whole(step),
      fixed(train?.loss),
      fixed(validation?.loss),
      ...(metric ? [fixed(validation?.[metric])] : []),
    ]);
  const head = [
    t('word_epoch'),
    t('word_step'),
    `${t('loss')}, ${t('train')}`,
    `${t('loss')}, ${t('validation')}`,
    ...(metric ? [`${t(metric)}, ${t('validation')}`] : []),
  ];
  return { name: t('loss'), head, rows };
}
