/**
 * In a worker: trains networks in groups of one kernel each (shape, activation, batch), all by equal steps, and paints
 * what they answer over a plane.
 *
 * The page sends over a port
 *   {begin: {problem, settings, members: [{id, slot, own}], plane: {axes, low, high}, cells, range}}
 *   {play: yes}       as fast as it goes; else steps come with the frames
 *   {until: step}     where everybody waits (null: nowhere)
 *   {frame: {steps, look}}    take so many steps, answer with the tiles that are next in turn
 *   {alive: [id]}     the others train no more
 *   {scores: {key, part, ids}}    every row's loss of these networks on a part (1: validation, 2: test)
 *   {luck: {key, …}}  what luckOf in luck.js is asked
 *   {row: {key, id}}  the parameters of a network
 *   {close: true}
 * and is answered {begun}, {frame: {step, tiles, big, spent, idle}}, {answer, key} or {failure: {message}}.
 * A tile is [cells cells 2] bytes, the lowest row first: see paint in door.cpp.
 */

import { luckOf } from './luck.js';
import { kindOf } from './members.js';
import { prepare } from './problems.js';
import { batchesOf, factorsOf, makePopulation } from './training.js';

const SLICE = 8; // milliseconds of training between two looks at messages
const PAINT = 5; // milliseconds of painting tiles in a frame
const FIRST = 30; // ... until all have one
const MOST = 256; // steps in one call of the kernel
const CHUNK = 32; // networks whose tiles are painted in one go; slots of a group begin at a multiple
const BIG = 96; // cells of the large picture
const QUESTIONS = { scores: scoresOf, row: rowOf, luck: (_crowd, scores) => luckOf(scores) };

/** Answer what comes over a port. */
export function serveCrowd(lanes, port) {
  let crowd = null;
  let generation = 0;
  let playing = false;
  let owed = 0;
  let frame = null;
  let turning = false;
  const again = new MessageChannel();
  again.port1.onmessage = turn;
  const go = () => {
    if (turning) return;
    turning = true;
    again.port2.postMessage(null);
  };

  port.onmessage = ({ data }) => {
    try {
      if (data.begin) begin(data.begin);
      if (data.close) end();
      if (data.play !== undefined) playing = data.play;
      if (data.until !== undefined && crowd) crowd.until = data.until ?? Infinity;
      if (data.frame) {
        frame = data.frame;
        owed = Math.max(owed, data.frame.steps ?? 0);
      }
      if (data.alive && crowd) keep(crowd, new Set(data.alive));
      for (const [verb, answer] of Object.entries(QUESTIONS))
        if (data[verb] && crowd) port.postMessage({ answer: answer(crowd, data[verb]), key: data[verb].key });
      go();
    } catch (error) {
      fail(error);
    }
  };

  function begin(plan) {
    end();
    generation = plan.generation ?? 0; // tells what still comes of a crowd before from what is of this one
    crowd = openCrowd(lanes, plan);
    owed = 0;
    port.postMessage({ begun: { generation } });
  }
  function end() {
    crowd?.close();
    crowd = frame = null;
    playing = false;
  }
  function fail(error) {
    end();
    port.postMessage({ failure: { rule: error.rule ?? null, message: error.message, hint: error.hint ?? '' } });
  }

  function turn() {
    turning = false;
    if (!crowd) return;
    try {
      const limit = performance.now() + SLICE;
      while ((playing || owed > 0) && crowd.step < crowd.until) {
        const count = train(crowd, playing ? MOST : owed);
        owed = Math.max(0, owed - count);
        if (performance.now() + crowd.pace > limit) break;
      }
      if (crowd.step >= crowd.until) owed = 0;
      if (frame && owed === 0) {
        const [message, moved] = paintFrame(crowd, frame);
        frame = null;
        port.postMessage({ frame: { ...message, generation } }, moved);
      }
    } catch (error) {
      return fail(error);
    }
    if ((playing || owed > 0) && crowd.step < crowd.until) go();
  }
}

/** The groups of a crowd, and the places in memory where pictures and scores are made. */
function openCrowd(lanes, { problem, settings, members, plane, cells, range }) {
  const prepared = prepare(problem);
  const kinds = new Map();
  for (const member of members) {
    const all = { ...settings, ...member.own };
    const key = kindOf(all);
    if (!kinds.has(key)) kinds.set(key, { all, own: [] });
    kinds.get(key).own.push(member);
  }
  const groups = [...kinds.values()].map(({ all, own }) => ({
    net: makePopulation(
      lanes,
      prepared,
      all,
      own.map((member) => member.own),
    ),
    settings: all,
    own,
    batchOf: batchesOf(prepared, all),
    factorOf: factorsOf(all),
    alive: [...own.keys()],
    train: new Float32Array(own.length).fill(NaN),
    alone: null,
  }));
  const held = [];
  const hold = (values) => {
    const place = lanes.allocate(values.byteLength) >>> 0;
    if (!place) throw Object.assign(new Error('not enough memory for so many networks'), { rule: 'no_memory' });
    held.push(place);
    new Uint8Array(lanes.memory.buffer, place, values.byteLength).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
    return place;
  };
  const C = prepared.outputs;
  const classes = prepared.task === 'classification';
  const parts = prepared.parts.map(({ x, y, rows }) => ({
    rows: rows.length,
    x: hold(Float32Array.from(x)),
    y: hold(classes ? BigInt64Array.from(y, BigInt) : Float32Array.from(y)),
  }));
  const widest = Math.max(BIG * BIG, CHUNK * cells * cells, CHUNK * parts[1].rows, parts[2].rows, parts[1].rows);
  const crowd = {
    lanes,
    prepared,
    groups,
    parts,
    C,
    classes,
    cells,
    range,
    step: 0,
    until: Infinity,
    pace: 1,
    next: 0,
    fresh: 0,
    painted: 0,
    chunks: [],
    small: hold(planeRows(prepared, plane, cells)),
    big: hold(planeRows(prepared, plane, BIG)),
    z: hold(new Float32Array(widest * C)),
    bytes: hold(new Uint8Array(2 * Math.max(CHUNK * cells * cells, BIG * BIG))),
    loss: hold(new Float32Array(widest)),
    right: hold(new Float32Array(widest)),
    spent: { train: 0, paint: 0, modelSteps: 0, tiles: 0 },
    where: new Map(groups.flatMap((group) => group.own.map((member, p) => [member.id, { group, p }]))),
    close() {
      for (const group of groups) {
        group.net.close();
        group.alone?.close();
      }
      for (const place of held) lanes.release(place);
    },
  };
  listChunks(crowd);
  return crowd;
}

/** The inputs of a plane of two columns; the others are as is typical of the training rows. */
function planeRows(prepared, { axes: [across, down], low, high }, cells) {
  const K = prepared.columns.length;
  const raw = new Float64Array(cells * cells * K);
  for (let y = 0, i = 0; y < cells; y++)
    for (let x = 0; x < cells; x++, i += K) {
      raw.set(prepared.typical, i);
      if (down !== null) raw[i + down] = low[1] + ((y + 0.5) / cells) * (high[1] - low[1]);
      raw[i + across] = low[0] + ((x + 0.5) / cells) * (high[0] - low[0]);
    }
  return prepared.inputs(raw);
}

/** Networks whose tiles are painted together: neighbours of one group. Those that were cut keep their last picture. */
function listChunks(crowd) {
  for (const { group, members } of crowd.chunks) group.net.free(members);
  crowd.chunks = crowd.groups.flatMap((group) => {
    const chunks = [];
    for (let first = 0; first < group.own.length; first += CHUNK) {
      const places = group.alive.filter((p) => p >= first && p < first + CHUNK);
      if (places.length) chunks.push({ group, places, members: group.net.members(places) });
    }
    return chunks;
  });
  crowd.next = crowd.fresh = 0;
}

function keep(crowd, alive) {
  for (const group of crowd.groups) group.alive = [...group.own.keys()].filter((p) => alive.has(group.own[p].id));
  listChunks(crowd);
}

/** All groups take as many steps, at most as fill a slice. → how many. */
function train(crowd, most) {
  const began = performance.now();
  const count = Math.max(1, Math.min(most, MOST, crowd.until - crowd.step, Math.round(SLICE / crowd.pace)));
  for (const { net, own, alive, batchOf, factorOf, train: smooth } of crowd.groups) {
    if (!alive.length) continue;
    const loss_SR = net.train(count, batchOf, factorOf, alive.length < own.length ? alive : null);
    const share = 1 / Math.max(1, Math.min(20, 20 / count));
    for (let r = 0; r < alive.length; r++) {
      let sum = 0;
      for (let s = 0; s < count; s++) sum += loss_SR[s * alive.length + r];
      const p = alive[r];
      const mean = sum / count;
      smooth[p] = Number.isFinite(smooth[p]) ? smooth[p] + share * (mean - smooth[p]) : crowd.step ? NaN : mean;
    }
    crowd.spent.modelSteps += count * alive.length;
  }
  const took = performance.now() - began;
  crowd.step += count;
  crowd.fresh = 0;
  crowd.pace = 0.8 * crowd.pace + (0.2 * took) / count;
  crowd.spent.train += took / 1000;
  return count;
}

/**
 * Loss and right answers of each row of a part, by networks of one group: views of the memory, good until it is written
 * again.
 */
function judged(crowd, net, members, count, part) {
  const { lanes, parts, C, classes, z, loss, right } = crowd;
  const { rows, x, y } = parts[part];
  net.outputs(x, rows, z, members);
  lanes.judge(z, count, rows, C, classes ? y : 0, classes ? 0 : y, loss, right);
  const view = (place) => new Float32Array(lanes.memory.buffer, place, count * rows);
  return [view(loss), view(right)];
}

const meanOf = (values, first, count) => {
  let sum = 0;
  for (let i = first; i < first + count; i++) sum += values[i];
  return sum / count;
};

function painted(crowd, cells) {
  const { lanes, z, C, range, bytes } = crowd;
  lanes.paint(z, cells, C, range[0], range[1], bytes);
  return lanes.memory.buffer.slice(bytes, bytes + 2 * cells);
}

/** The tiles that are next in turn, judged on the validation rows, and the large picture of one network. */
function paintFrame(crowd, { look = null }) {
  const began = performance.now();
  const { parts, cells, chunks } = crowd;
  const rows = parts[1].rows;
  const tiles = [];
  const moved = [];
  let big = null;
  const found = look === null ? null : crowd.where.get(look);
  if (found) {
    const bytes = largePicture(crowd, found);
    big = { id: look, cells: BIG, bytes };
    moved.push(bytes);
  }
  while (crowd.fresh < chunks.length) {
    const { group, places, members } = chunks[crowd.next];
    const count = places.length;
    const [loss, right] = judged(crowd, group.net, members, count, 1);
    const tile = {
      ids: places.map((p) => group.own[p].id),
      slots: places.map((p) => group.own[p].slot),
      train: places.map((p) => group.train[p]),
      loss: [],
      right: [],
    };
    for (let r = 0; r < count; r++) {
      tile.loss.push(meanOf(loss, r * rows, rows));
      tile.right.push(meanOf(right, r * rows, rows));
    }
    group.net.outputs(crowd.small, cells * cells, crowd.z, members);
    tile.bytes = painted(crowd, count * cells * cells);
    moved.push(tile.bytes);
    tiles.push(tile);
    crowd.spent.tiles += count;
    crowd.painted += count;
    crowd.next = (crowd.next + 1) % chunks.length;
    crowd.fresh++;
    if (performance.now() - began > (crowd.painted < crowd.where.size ? FIRST : PAINT)) break;
  }
  crowd.spent.paint += (performance.now() - began) / 1000;
  return [
    {
      step: crowd.step,
      tiles,
      big,
      spent: { ...crowd.spent },
      idle: crowd.fresh >= chunks.length,
      bytes: crowd.lanes.memory.buffer.byteLength,
    },
    moved,
  ];
}

/** A network alone has its units in the vectors: its large picture takes a fraction of the time so. */
function largePicture(crowd, { group, p }) {
  group.alone ??= makePopulation(crowd.lanes, crowd.prepared, group.settings, [{}]);
  group.alone.row(0).set(group.net.row(p));
  group.alone.outputs(crowd.big, BIG * BIG, crowd.z);
  return painted(crowd, BIG * BIG);
}

/** Every row's loss and right answer, network by network in the order of their numbers. */
function scoresOf(crowd, { part, ids = null }) {
  const wanted = ids ?? [...crowd.where.keys()];
  const rows = crowd.parts[part].rows;
  const loss_MN = new Float32Array(wanted.length * rows);
  const right_MN = new Float32Array(wanted.length * rows);
  const place = new Map(wanted.map((id, m) => [id, m]));
  for (const group of crowd.groups) {
    const some = [...group.own.keys()].filter((p) => place.has(group.own[p].id));
    for (let first = 0; first < some.length; first += CHUNK) {
      const places = some.slice(first, first + CHUNK);
      const members = group.net.members(places);
      const [loss, right] = judged(crowd, group.net, members, places.length, part);
      group.net.free(members);
      places.forEach((p, r) => {
        const at = place.get(group.own[p].id) * rows;
        loss_MN.set(loss.subarray(r * rows, (r + 1) * rows), at);
        right_MN.set(right.subarray(r * rows, (r + 1) * rows), at);
      });
    }
  }
  return { ids: wanted, rows, step: crowd.step, loss_MN, right_MN };
}

function rowOf(crowd, { id }) {
  const { group, p } = crowd.where.get(id);
  return group.net.row(p).slice();
}
