/** Successive halving, as search/halving.py has it: after each rung one network in `eta` goes on. */

/** One bracket: [{members, epochs}], the last of which trains all epochs. */
export function halving(members, epochs, eta = 3, least = 1) {
  const cuts = Math.min(log(members, eta), log(epochs / least, eta));
  return Array.from({ length: cuts + 1 }, (_, i) => ({
    members: Math.max(1, Math.floor(members / eta ** i)),
    epochs: Math.max(1, roundHalfEven(epochs / eta ** (cuts - i))),
  }));
}

/**
 * The places of the `count` lowest figures, in ascending order; what is no number never goes on; ties to the earlier.
 */
export function survivors(figures, count) {
  const alive = [...figures.keys()].filter((place) => Number.isFinite(figures[place]));
  return alive
    .sort((a, b) => figures[a] - figures[b] || a - b)
    .slice(0, count)
    .sort((a, b) => a - b);
}

/** The largest k with eta^k <= x, by whole numbers, as a logarithm is just below them. */
function log(x, eta) {
  let k = 0;
  while (eta ** (k + 1) <= x + 1e-9) k++;
  return k;
}

/** Python's round: a half goes to the even number. */
function roundHalfEven(x) {
  const below = Math.floor(x);
  const rest = x - below;
  return rest === 0.5 ? below + (below % 2) : Math.round(x);
}
