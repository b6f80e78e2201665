// For test_bits.py: a node process that reads {builds: {name: path}, cases} and answers what each case ends with.
import { readFileSync } from 'node:fs';
import { trained } from './bits.js';

const { builds, cases } = JSON.parse(readFileSync(0, 'utf8'));
const bytes = Object.fromEntries(Object.entries(builds).map(([name, path]) => [name, readFileSync(path)]));
const found = [];
for (const one of cases) found.push(await trained(bytes, one));
process.stdout.write(JSON.stringify(found));
