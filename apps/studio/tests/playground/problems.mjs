// Answers a line of JSON by a line: {problem} is prepared; {text, options, target} is read as a table first.
// {programs, cells} asks for the inputs of cells, null of a program that the page can't carry out.
import readline from 'node:readline';
import { setWords } from '../../src/treino_studio/page/modules/words.js';
import { likelyTargets } from '../../src/treino_studio/playground/web/columns.js';
import { FUNCTIONS, inputsOf } from '../../src/treino_studio/playground/web/interpreter.js';
import { prepare } from '../../src/treino_studio/playground/web/problems.js';
import { readTable, textOf } from '../../src/treino_studio/playground/web/tables.js';

const hex = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('hex');

async function answer({ words, problem, text, bytes, size, options, target, programs, cells }) {
  if (words) return setWords('en', words);
  if (programs)
    return programs.map((program, k) =>
      program.steps.every((step) => step.do in FUNCTIONS) ? inputsOf(program, cells[k]) : null,
    );
  const told = {};
  if (bytes !== undefined)
    text = await textOf(Object.assign(new Blob([Buffer.from(bytes, 'hex')]), { name: options.file }));
  if (size) await textOf({ name: 'big.csv', size });
  if (text !== undefined) {
    const table = readTable(text, options);
    Object.assign(told, {
      likely: likelyTargets(table),
      reading: table.notes,
      names: table.columns.map(({ name }) => name),
    });
    problem = { ...problem, source: 'table', table: { ...table, target: target ?? told.likely[0] } };
  }
  const { parts, inputs, mean, scale, ...rest } = prepare(problem);
  const again = parts.map(({ raw }) => hex(inputs(raw)));
  return {
    ...told,
    ...rest,
    again,
    parts: parts.map(({ x, y, rows }) => ({ x: hex(x), y: hex(Float64Array.from(y)), rows: [...rows] })),
    mean: [...mean],
    scale: [...scale],
  };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify((await answer(JSON.parse(line))) ?? null));
  } catch (refusal) {
    if (!refusal.rule) throw refusal;
    console.log(JSON.stringify({ rule: refusal.rule, message: refusal.message, hint: refusal.hint }));
  }
}
