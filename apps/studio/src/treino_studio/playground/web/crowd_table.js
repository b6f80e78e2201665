/** Many networks as a table, for screen readers and for who wants the numbers. */

import { num } from '../../page/modules/numbers.js';
import { sortedTable } from '../../page/modules/table.js';
import { language, t } from '../../page/modules/words.js';
import { percent } from './crowd_best.js';
import { valueText } from './tile_map.js';

const LISTED = 200; // rows

/** enlarge(id): a network was chosen. → {fill(crowd)}, which answers the table's element. */
export function makeTable({ enlarge }) {
  let table = null;
  let key = '';

  function build({ plan, classes }) {
    const finite = ({ loss }) => Number.isFinite(loss);
    const names = ['across', 'down', 'panels'].map((place) => plan[place]).filter(Boolean);
    const columns = [
      {
        key: 'id',
        name: t('network_number'),
        start: true,
        value: (n) => n.member.id,
        show: (n) => String(n.member.id),
      },
      {
        key: 'loss',
        name: t('validation_loss'),
        value: (n) => (finite(n) ? n.loss : null),
        show: (n) => (finite(n) ? num(n.loss, 4) : t('folder_diverged')),
      },
      ...(classes
        ? [
            {
              key: 'right',
              name: t('many_right_word'),
              value: (n) => n.right ?? null,
              show: (n) => (n.right === undefined ? '–' : percent(n.right)),
            },
          ]
        : []),
      ...names.map((name) => ({
        key: name,
        name: t(`many_${name}`),
        value: ({ member: { own } }) => (typeof own[name] === 'number' ? own[name] : valueText(name, own[name])),
        show: ({ member: { own } }) => valueText(name, own[name]),
      })),
      {
        key: 'gone',
        name: t('status'),
        value: (n) => Number(n.gone),
        show: (n) => (n.gone ? t('many_cut') : finite(n) ? '' : t('folder_diverged')),
      },
    ];
    table = sortedTable(t('networks'), columns, {
      pick: (n) => enlarge(n.member.id),
      most: LISTED,
      sort: { key: 'loss', down: false },
    });
  }
  return {
    fill(crowd) {
      const now = [language.now, crowd.classes > 0, crowd.plan.across, crowd.plan.down, crowd.plan.panels].join();
      if (now !== key) build(crowd);
      key = now;
      table.fill(crowd.networks, (n) => n.member.id === crowd.best);
      return table.node;
    },
  };
}
