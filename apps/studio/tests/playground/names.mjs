/** Names cut to a room: {names, room} from stdin, as they would be drawn beside each other to stdout. */

import { readFileSync } from 'node:fs';
import { shortened } from '../../src/treino_studio/page/modules/axes.js';

const { names, room } = JSON.parse(readFileSync(0, 'utf8'));
const context = { measureText: (text) => ({ width: [...text].length }) };
process.stdout.write(JSON.stringify(names.map((name) => shortened(context, name, room, names))));
