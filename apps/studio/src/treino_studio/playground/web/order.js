/** The order of many networks by their losses, which change all the time: it stays calm. */

const CLEARLY = 0.97; // of a loss is clearly less

/**
 * A stable order: one passes another only where it is clearly better, so that equals don't dance.
 * worth: of each network, its loss; the lower the better, Infinity last.
 */
export function settle(order, worth) {
  const list = [...order];
  for (let i = 1; i < list.length; i++) {
    const id = list[i];
    let j = i;
    while (j > 0 && passes(worth[id], worth[list[j - 1]])) {
      list[j] = list[j - 1];
      j--;
    }
    list[j] = id;
  }
  return list;
}
const passes = (mine, theirs) => mine < theirs && (!Number.isFinite(theirs) || mine < CLEARLY * theirs);
