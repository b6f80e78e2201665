// What a list of cells are to the playground: nothing, date, time, number, or "" for words.

import { readFileSync } from 'node:fs';
import {
  AMOUNT,
  DATE,
  MORE_NOTHING,
  NAMED_DATE,
  NOTHING,
  TIME,
} from '../../src/treino_studio/playground/web/cell_forms.js';

const kindOf = (cell) => {
  if (NOTHING.has(cell.toLowerCase()) || MORE_NOTHING.test(cell)) return 'nothing';
  if (DATE.test(cell) || NAMED_DATE.test(cell)) return 'date';
  return TIME.test(cell) ? 'time' : AMOUNT.test(cell) ? 'number' : '';
};
console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(kindOf)));
