/** What the playground keeps of curves: {losses: [parts], entries, most, epochs} from stdin, thinned to stdout. */

import { readFileSync } from 'node:fs';
import { drawnEntries, Losses, Records, ThinnedCurve } from '../../src/treino_studio/playground/web/history.js';

const { parts, entries, most, epochs } = JSON.parse(readFileSync(0, 'utf8'));
const losses = new Losses();
const curve = new ThinnedCurve();
const sent = parts.map((part) => {
  losses.add(Float32Array.from(part));
  return curve.more(losses);
});
const drawn = drawnEntries(entries, most, ({ value }) => value).map(({ step }) => step);
const records = new Records();
for (const epoch of epochs) records.addEpoch(epoch);
process.stdout.write(JSON.stringify({ sent, drawn, epochs: records.listed().epochs }));
