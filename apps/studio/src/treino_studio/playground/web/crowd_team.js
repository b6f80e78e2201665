/**
 * The workers of a crowd, which share its networks and keep step with each other. See crowd_worker.js for what they are
 * told.
 */

const AHEAD = 32; // steps that one may be before the others at full speed

/**
 * ports: one to each worker. take(frame, worker): tiles and pictures came; failed(failure).
 * team.play: steps a frame, 0: as fast as it goes, null: pause. team.owe: steps to be taken. team.stop: where all wait.
 */
export function makeTeam(ports, { take, failed }) {
  const team = { play: null, owe: 0, stop: Infinity, closed: false };
  const questions = new Map();
  let workers = [];
  let key = 0;
  let generation = 0;

  ports.forEach((port, k) => {
    port.onmessage = ({ data }) => {
      const worker = workers[k];
      if (team.closed || !worker) return;
      if (data.failure) return failed(data.failure);
      if (data.begun) {
        worker.begun = data.begun.generation === generation;
        return;
      }
      if ('answer' in data) {
        questions.get(data.key)?.(data.answer);
        questions.delete(data.key);
        return;
      }
      if (data.frame.generation !== generation) return; // of the crowd before
      Object.assign(worker, {
        waiting: false,
        step: data.frame.step,
        idle: data.frame.idle,
        spent: data.frame.spent,
        bytes: data.frame.bytes,
      });
      take(data.frame, k);
    };
  });

  /** shares: the members of each worker. plan: the rest of what begin says. */
  team.begin = (shares, plan) => {
    generation++;
    Object.assign(team, { play: null, owe: 0, stop: Infinity });
    questions.clear();
    workers = shares.map((members) => ({
      members,
      begun: false,
      waiting: false,
      idle: false,
      step: 0,
      fast: null,
      until: null,
      target: 0,
      spent: { train: 0, paint: 0, modelSteps: 0, tiles: 0 },
    }));
    ports.forEach((port, k) => port.postMessage({ begin: { ...plan, members: shares[k], generation } }));
  };
  /** The step that all have reached, and the furthest one. */
  team.step = () => (workers.length ? Math.min(...workers.map((worker) => worker.step)) : 0);
  const furthest = () => Math.max(0, ...workers.map((worker) => worker.step));
  team.together = () => team.step() === furthest() && team.owe === 0;
  team.ready = () => workers.length > 0 && workers.every((worker) => worker.begun);
  team.quiet = () => team.play === null && team.together() && workers.every((worker) => worker.idle && !worker.waiting);
  /** Whether all wait at the step where they were to stop, and every picture is of that step. */
  team.stopped = () => team.step() >= team.stop && workers.every((worker) => worker.idle && !worker.waiting);
  team.counters = () =>
    workers.reduce(
      (sum, { spent }) => ({
        modelSteps: sum.modelSteps + spent.modelSteps,
        trainSeconds: sum.trainSeconds + spent.train,
        paintSeconds: sum.paintSeconds + spent.paint,
        tiles: sum.tiles + spent.tiles,
      }),
      { modelSteps: 0, trainSeconds: 0, paintSeconds: 0, tiles: 0 },
    );

  /**
   * Every frame of the page. look: the network whose large picture is wanted, or null. → whether that was asked for.
   */
  team.frame = (look) => {
    if (!team.ready()) return false;
    let asked = false;
    const step = team.step();
    const full = team.play === 0;
    if (team.owe && team.together()) team.owe = 0;
    const target = Math.min(team.stop, team.play ? step + team.play : Math.max(furthest(), team.target ?? 0));
    workers.forEach((worker, k) => {
      const port = ports[k];
      const until = full ? Math.min(team.stop, step + AHEAD) : null;
      if (worker.fast !== full || worker.until !== until) {
        port.postMessage({ play: full, until });
        Object.assign(worker, { fast: full, until });
      }
      if (worker.waiting) return;
      const steps = full ? 0 : Math.max(0, target - worker.step);
      const mine = look !== null && worker.members.some(({ id }) => id === look);
      if (!steps && worker.idle && !mine && (!full || worker.step >= team.stop)) return;
      worker.waiting = true;
      port.postMessage({ frame: { steps, look: mine ? look : null } });
      asked ||= mine;
    });
    if (team.owe && step >= target) team.owe = 0;
    return asked;
  };
  /** Take so many steps more: from where all are, or will be. */
  team.take = (count) => {
    team.play = null;
    team.owe = count;
    team.target = Math.min(team.stop, Math.max(furthest(), team.target ?? 0) + count);
  };
  /** Ask the worker of a number. */
  team.ask = (k, verb, fields) =>
    new Promise((resolve) => {
      questions.set(++key, resolve);
      ports[k].postMessage({ [verb]: { ...fields, key } });
    });
  /** Every validation row's loss by these networks (a set; null: all), in the order of their numbers. */
  team.scores = async (some = null) => {
    const parts = await Promise.all(workers.map((_, k) => team.ask(k, 'scores', { part: 1 })));
    const rows = parts[0].rows;
    const all = parts
      .flatMap((part) => part.ids.map((id, m) => ({ id, part, m })))
      .filter(({ id }) => some?.has(id) ?? true)
      .sort((a, b) => a.id - b.id);
    const loss_MN = new Float32Array(all.length * rows);
    const right_MN = new Float32Array(all.length * rows);
    all.forEach(({ part, m }, k) => {
      loss_MN.set(part.loss_MN.subarray(m * rows, (m + 1) * rows), k * rows);
      right_MN.set(part.right_MN.subarray(m * rows, (m + 1) * rows), k * rows);
    });
    return { ids: all.map(({ id }) => id), members: all.length, rows, loss_MN, right_MN, step: parts[0].step };
  };
  team.keep = (alive) => {
    ports.forEach((port) => port.postMessage({ alive: [...alive] }));
    for (const worker of workers) worker.idle = false;
  };
  team.wake = () => {
    for (const worker of workers) worker.idle = false;
  };
  team.close = () => {
    team.closed = true;
    for (const port of ports) {
      port.postMessage({ close: true });
      port.close();
    }
  };
  return team;
}

export const meanLosses = ({ members, rows, loss_MN }) =>
  Array.from(
    { length: members },
    (_, m) => loss_MN.subarray(m * rows, (m + 1) * rows).reduce((a, b) => a + b, 0) / rows,
  );
