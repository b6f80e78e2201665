/** Which two columns separate the classes, or tell the value, best: the two that a plane shows first. */

const MOST = 30; // columns whose pairs are compared: those that are best alone

/**
 * Pairs of columns, the best first: whose class means explain most of their spread (the least of Wilks' lambda), or,
 * for a value, of the largest R² of a linear fit; a column alone likewise. columns: [training values] each. label:
 * class codes, or values. → the indices of two columns each, the better first.
 */
export function pairsBySeparation(columns, label, classes) {
  if (columns.length < 3) return [columns.map((_, j) => j)];
  const centred = columns.map(unit);
  const told = classes ? null : unit(label);
  const means = classes ? centred.map((x) => classMeans(x, label, classes)) : centred.map((x) => dot(x, told));
  const between = classes ? (i, j) => dot(means[i], means[j]) : (i, j) => means[i] * means[j];
  const alone = centred.map((_, j) => between(j, j));
  const order = alone
    .map((_, j) => j)
    .sort((a, b) => alone[b] - alone[a] || a - b)
    .slice(0, MOST);
  return order
    .flatMap((i, rank) =>
      order.slice(rank + 1).map((j) => {
        const r = dot(centred[i], centred[j]);
        const total = 1 - r * r;
        const rest = r - between(i, j);
        return {
          pair: [i, j],
          lambda: total < 1e-6 ? Infinity : ((1 - alone[i]) * (1 - alone[j]) - rest * rest) / total,
        }; // one column twice
      }),
    )
    .sort((a, b) => (a.lambda === b.lambda ? 0 : a.lambda - b.lambda))
    .map(({ pair }) => pair);
}

const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);

/** Mean 0 and length 1; a constant column is all 0. */
function unit(values) {
  const mean = values.reduce((a, v) => a + v / values.length, 0);
  const away = Float64Array.from(values, (v) => v - mean);
  const largest = away.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  if (!(largest > 1e-12 * Math.abs(mean)) || !Number.isFinite(largest)) return away.fill(0);
  const length = largest * Math.sqrt(away.reduce((a, v) => a + (v / largest) ** 2, 0));
  return away.map((v) => v / length);
}

/**
 * Of each class: the sum of its rows over the root of their count; products of these are sums of squares between
 * classes.
 */
function classMeans(x, label, classes) {
  const sum = new Float64Array(classes);
  const count = new Float64Array(classes);
  x.forEach((v, i) => {
    sum[label[i]] += v;
    count[label[i]]++;
  });
  return sum.map((v, c) => v / Math.sqrt(count[c] || 1));
}
