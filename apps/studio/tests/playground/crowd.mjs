// A node process for test_crowd.py: reads {build: the module's path, tasks: [{do, …}]}, answers a list.
import { readFileSync } from 'node:fs';

const web = new URL('../../src/treino_studio/playground/web/', import.meta.url);
const load = (name) => import(new URL(name, web));
const { loadLanes } = await load('lanes.js');
const { luckOf, verdictOf, wilson } = await load('luck.js');
const { carried, makeMembers, planFields, readPlan, readValues, shareOut } = await load('members.js');
const { halving, survivors } = await load('rungs.js');
const { settle } = await load('order.js');
const { serveCrowd } = await load('crowd_worker.js');

const { build, tasks } = JSON.parse(readFileSync(0, 'utf8'));
const lanes = await loadLanes(readFileSync(build));
const numbers = (list) => Float32Array.from(list, (value) => value ?? NaN);

/** A crowd as a page drives it: turns [{steps, alive}], then what is asked of it. */
async function crowd({ plan, turns, rows = [], scores = [] }) {
  const { port1, port2 } = new MessageChannel();
  const frames = [];
  const answers = [];
  serveCrowd(lanes, port2);
  let next = null;
  const came = () =>
    new Promise((resolve, reject) => {
      next = { resolve, reject };
    });
  port1.onmessage = ({ data }) => {
    if (data.failure) next.reject(new Error(JSON.stringify(data.failure)));
    else next.resolve(data.begun ?? data.frame ?? data.answer);
  };
  const told = (message) => {
    port1.postMessage(message);
    return came();
  };
  await told({ begin: plan });
  for (const { steps, alive } of turns) {
    if (alive) port1.postMessage({ alive });
    let frame = await told({ frame: { steps, look: plan.members[0].id } });
    for (;;) {
      frames.push({
        step: frame.step,
        ids: frame.tiles.flatMap((tile) => tile.ids),
        loss: frame.tiles.flatMap((tile) => tile.loss),
        bytes: frame.tiles.flatMap((tile) => [...new Uint8Array(tile.bytes)]),
        big: [...new Uint8Array(frame.big.bytes)],
      });
      if (frame.idle) break;
      frame = await told({ frame: { steps: 0, look: plan.members[0].id } });
    }
  }
  for (const id of rows) answers.push([...new Uint32Array((await told({ row: { key: 1, id } })).buffer)]);
  const judged = [];
  for (const one of scores) {
    const answer = await told({ scores: { key: 1, ...one } });
    judged.push({ ...answer, loss_MN: [...answer.loss_MN], right_MN: [...answer.right_MN] });
  }
  port1.postMessage({ close: true });
  port1.close();
  return { frames, rows: answers, scores: judged };
}

const DO = {
  luck: (task) =>
    luckOf({
      ...task,
      loss_MN: numbers(task.loss_MN),
      right_MN: numbers(task.right_MN),
      left_M: Uint8Array.from(task.left),
    }),
  wilson: ({ right, rows }) => wilson(right, rows),
  verdict: (task) => verdictOf({ ...task, loss_N: numbers(task.loss_N), right_N: numbers(task.right_N) }),
  halving: ({ members, epochs, eta }) => halving(members, epochs, eta),
  survivors: ({ figures, count }) =>
    survivors(
      figures.map((value) => value ?? NaN),
      count,
    ),
  settle: ({ order, worth }) =>
    settle(
      order,
      worth.map((value) => value ?? Infinity),
    ),
  plan: ({ fields }) => readPlan(fields),
  fields: ({ plan }) => planFields(plan),
  values: ({ name, text }) => readValues(name, text),
  members: ({ plan, settings, workers, each }) => {
    const made = makeMembers(plan);
    return { ...made, ...shareOut(made.members, settings, workers, each) };
  },
  carried: ({ machine }) => carried(machine),
  crowd,
};

const answers = [];
for (const task of tasks) answers.push(await DO[task.do](task));
process.stdout.write(JSON.stringify(answers), () => process.exit());
