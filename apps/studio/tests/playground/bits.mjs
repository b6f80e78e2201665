// For test_bits.py: a node process that reads {kernel: path, relaxed, cases} and answers what each case ends with.
import { readFileSync } from 'node:fs';
import { trained } from './bits.js';

const { kernel, relaxed, cases } = JSON.parse(readFileSync(0, 'utf8'));
const bytes = readFileSync(kernel);
const found = [];
for (const one of cases) found.push(await trained(bytes, relaxed, one));
process.stdout.write(JSON.stringify(found));
