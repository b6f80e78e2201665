/** The command line that trains a run's network of now to the same bits. */

const FLAGS = { weight_decay: 0, momentum: 0, eps: 1e-8, clip: null, dropout: 0, ema: 0, schedule: 'constant', warmup: 0, keep: 'best' }; // left out where they are so
const LOSS = { classification: 'cross_entropy', regression: 'mse' };

/** null where something was changed on the way: only a link replays that. */
export function commandOf(run) {
  if (run.replay.some(([step]) => step > 0)) return null;
  const { prepared, step, segment: { plan } } = run, settings = run.settingsAt(0), { data, flags } = prepared.command;
  const own = prepared.command.file ? ['--recipe', 'plain'] : []; // for a file of one's own the usual recipe is an ensemble
  const words = ['treino', 'train', data, ...flags.filter((word, i) => word !== '--data-seed' && flags[i - 1] !== '--data-seed'), ...own];
  words.push('--hidden', settings.hidden.join(',') || 'none', '--activation', settings.activation, '--optimizer', settings.optimizer, '--lr', settings.lr);
  words.push('--batch-size', settings.batch_size, '--seed', settings.seed, '--data-seed', settings.data_seed ?? settings.seed);
  if (settings.loss !== LOSS[prepared.task]) words.push('--loss', settings.loss);
  if (settings.beta1 !== 0.9 || settings.beta2 !== 0.999) words.push('--betas', `${settings.beta1},${settings.beta2}`);
  for (const [name, usual] of Object.entries(FLAGS)) if ((settings[name] ?? usual) !== usual) words.push(`--${name.replaceAll('_', '-')}`, settings[name]);
  if (settings.fault?.length) words.push('--fault', settings.fault.join(','));
  words.push('--steps', settings.schedule === 'constant' && !settings.warmup && step ? step : plan.steps);
  return words.map(quoted).join(' ');
}

const quoted = (word) => (/^[\w.,:/=+-]+$/.test(word) ? String(word) : `'${String(word).replaceAll("'", `'\\''`)}'`);
