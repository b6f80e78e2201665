/** What a finding asks for, tried: the future with its remedy beside the one without, and which of them is better. */

import { smallButton } from './dom.js';
import { num, whole } from './numbers.js';
import { t } from './words.js';

const STEPS = 200; // of each of the two

/**
 * page.remedy(finding): the button that tries it; null where no setting mends it. start(kind, fields): opens a fan.
 *
 * @import { RunPage } from './run.js'
 * @param {RunPage} page
 */
export function makeRemedies(page, start) {
  page.remedy = ({ rule, remedy }) =>
    remedy &&
    smallButton(
      () => start('remedy', { rule, step: remedy.step, count: 2, steps: STEPS }),
      { disabled: !page.store.state.steers, title: t('from_step', { step: whole(remedy.step) }) },
      t('try_it', { what: remedy.text }),
    );
}

/**
 * Which of the two is better on the validation rows, whether that may be the luck of these rows, and whence they came.
 */
export const verdict = (fan) => [judged(fan), t('try_from', { step: whole(fan.step) })].join(' ');

function judged({ futures: [plain, changed], comparison }) {
  const what = changed.text;
  const lost = (future) => future.status === 'diverged';
  if (lost(changed)) return t(lost(plain) ? 'try_both_diverge' : 'try_diverges', { what });
  if (lost(plain)) return t('try_cures', { what });
  if (!comparison) return t('try_unknown', { what });
  const { a, b, rows, interval } = comparison;
  const [low, high] = interval ?? [0, 0];
  const key = high < 0 ? 'try_better' : low > 0 ? 'try_worse' : 'try_even';
  let digits = 3;
  while (digits < 9 && a !== b && num(a, digits) === num(b, digits)) digits++; // as many as tell them apart
  return t(key, {
    what,
    rows: whole(rows),
    a: num(a, digits),
    b: num(b, digits),
    low: num(low, 2),
    high: num(high, 2),
  });
}
