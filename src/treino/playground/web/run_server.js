/** (Placeholder.) */
const runs = new Map();
export function create(_lanes, request) { runs.set(request.name, request); }
export function serve(port, name) {
  const { problem, settings } = runs.get(name);
  port.onmessage = ({ data }) => {
    if (!data.id) return;
    port.postMessage({ reply: data.id, protocol: 1, steers: true });
    port.postMessage({ state: {
      kind: 'run', name, path: '', status: 'running', steers: true, can_steer: true, viewers: 1, playing: false, steps_per_second: 300, segment: 0, last_step: 0, planned_steps: 1000,
      letter: 'A', steps_per_epoch: 22, view: { step: null, axes: null, unit: null }, data: { name: problem.source, kind: 'table', task: 'classification', features: ['x1', 'x2'], axes: ['x1', 'x2'], classes: ['0', '1'], target: 'target', rows: { train: 700, validation: 150, test: 150 }, decisions: [] },
      settings, choices: { optimizer: ['sgd', 'adam', 'adamw'], activation: ['tanh', 'relu'], schedule: ['constant'], batch_size: [32, 'full'], loss: ['cross_entropy'], live: ['lr'] },
      network: { parameters: 100, hidden: settings.hidden, fixed: null }, segments: [{ number: 0, origin: null, text: '' }], marks: [], findings: [], beside: [], metrics: null, command: 'treino train moons', unseen: ['test'], replay: [], takes: ['weights', 'command'] } });
    port.postMessage({ curves: { run: name, from: 0, step: [], loss: [], epochs: [], vitals: [] } });
  };
}
