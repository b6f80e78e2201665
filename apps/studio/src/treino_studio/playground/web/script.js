/**
 * A run as a plain PyTorch script: the rows, the network, and the loop that trains it to the same losses
 * (export/program.py).
 */

import { unread } from './growth.js';
import { KERNEL } from './lanes.js';
import { batchSize, convolutionsOf, faulty, lossOf, sizesOf, stepsPerEpoch } from './training.js';

const MODULES = {
  relu: 'nn.ReLU()',
  leaky_relu: 'nn.LeakyReLU(0.01)',
  gelu: 'nn.GELU()',
  silu: 'nn.SiLU()',
  tanh: 'nn.Tanh()',
  sigmoid: 'nn.Sigmoid()',
  identity: 'nn.Identity()',
};
const LOSSES = {
  cross_entropy: 'nn.CrossEntropyLoss()',
  bce: 'nn.BCEWithLogitsLoss()',
  mse: 'nn.MSELoss()',
  l1: 'nn.L1Loss()',
  huber: 'nn.HuberLoss()',
};
const CURVES = {
  constant: '1.0',
  cosine: '(1 + math.cos(math.pi * progress)) / 2',
  step: '1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01',
  'one-cycle': `(
        0.52 - 0.48 * math.cos(math.pi * progress / 0.3)
        if progress < 0.3
        else 0.500002 + 0.499998 * math.cos(math.pi * (progress - 0.3) / 0.7)
    )`,
};
const READS = {
  sgd: ['momentum', 'weight_decay', 'nesterov'],
  adam: ['betas', 'weight_decay', 'eps'],
  adamw: ['betas', 'weight_decay', 'eps'],
};
const CLASSES = { sgd: 'SGD', adam: 'Adam', adamw: 'AdamW' };

const text = JSON.stringify;
const list = (values, of = number) => `[${Array.from(values, of).join(', ')}]`;
/** A number as Python reads it. */
function number(value) {
  if (value === Infinity) return 'math.inf';
  return String(value).replace(/e\+?(-?)/, 'e$1');
}
const when = (condition, lines) => (condition ? lines : '');

/**
 * run: its name, prepared rows. settings: at its first step. sets: [{step, name, value}] changed on the way. planned:
 * the schedule's steps. kept: the step whose weights are kept; null: the last.
 */
export function scriptOf({ name, prepared }, settings, sets, steps, planned, kept = null) {
  const { classes, parts } = prepared;
  const loss = lossOf(prepared, settings);
  const sizes = sizesOf(prepared, settings);
  const convolutions = convolutionsOf(prepared, settings);
  const twice = faulty(settings, 'softmax_before_cross_entropy');
  const drops = settings.dropout > 0;
  const each = stepsPerEpoch(prepared, settings);
  const full = batchSize(prepared, settings) >= parts[0].rows.length;
  const plain = loss === 'cross_entropy';
  const scheduled = (settings.schedule ?? 'constant') !== 'constant' || settings.warmup > 0;
  const clips = settings.clip != null || sets.some((set) => set.name === 'clip');
  const changes = sets.filter((set) => !unread(settings.optimizer).includes(set.name));
  const names = changes.map((set) => set.name);
  const lr = names.includes('lr') ? 'lr' : 'LR';
  const clip = names.includes('clip') ? 'clip' : 'CLIP';
  const answer = classes.length ? `one of ${classes.length} classes` : 'a number';
  const worded = prepared.made.some(({ word }) => word !== undefined) || prepared.words.some(Boolean);
  const table = prepared.name.replace(/["\\]/g, "'");
  const group = changes.length ? 'group' : 'optimizer.param_groups[0]';
  const decay = when(settings.weight_decay > 0, `WEIGHT_DECAY = ${number(settings.weight_decay)}\n`);
  const dropout = when(drops, `DROPOUT = ${number(settings.dropout)}\n`);
  const limit = when(clips, `CLIP = ${number(settings.clip ?? Infinity)}\n`);
  const best = '# the updates after which the validation loss was least: those weights are kept';
  const keeping = when(kept !== null, `KEPT = ${kept}  ${best}\n`);
  const schedule = `PLANNED = ${number(planned)}  # steps of the schedule\nWARMUP = ${settings.warmup ?? 0}\n`;
  const truths = `TRUTHS = ${list(prepared.truths, text)}\n`;
  const words = `WORDS = {${wordsOf(prepared)}}  # which a column's numbers stand for\n${truths}`;
  const cell = worded ? 'number(name, row[name])' : 'float(row[name])';
  const changed = `# changed while it trained: {updates done: {name: value}}\nCHANGES = {${changesOf(changes)}}\n`;
  const scale = `${number(prepared.targetMean)}, ${number(prepared.targetScale)}`;
  const target = classes.length ? `CLASSES = ${list(classes, text)}` : `TARGET_MEAN, TARGET_SCALE = ${scale}`;
  const shape = convolutions.length ? '[N, 1, H, W] float32: the pictures' : "[N, D] float32: the network's inputs";
  const pictures = when(convolutions.length, `.reshape(-1, 1, ${prepared.picture?.join(', ')})`);
  const before = [
    when(drops, '    Dropout.p = DROPOUT\n'),
    when(changes.length, '    (group,) = optimizer.param_groups\n'),
    when(lr === 'lr', '    lr = LR\n'),
    when(clip === 'clip', '    clip = CLIP\n'),
  ].join('');
  const shuffled = `        order = torch.randperm(len(x_train), generator=generator(DATA_SEED, "order", epoch))
        batches = order.split(BATCH_SIZE)`;
  const batches = full ? '        batches = [torch.arange(len(x_train))]' : shuffled;
  const first = [
    when(changes.length, changing(names)),
    when(scheduled || lr === 'lr', `            ${group}["lr"] = ${lr}${scheduled ? ' * factor(step)' : ''}\n`),
    when(drops, '            Dropout.step = step\n'),
    faulty(settings, 'missing_zero_grad')
      ? '            # missing_zero_grad, on purpose: the old gradients are still there\n'
      : '            optimizer.zero_grad()  # backward() adds to the old gradients\n',
  ].join('');
  const copying = `            if step == KEPT:
                kept = copy.deepcopy(net.state_dict())
`;
  return `"""${name}: ${answer} for each row of ${table}, in plain PyTorch.

    python ${name}.py                   trains from scratch; the weights go to ${name}.pt
    python ${name}.py predict FILE.csv  prints a prediction for each row of a CSV file

The last line that training prints is JSON: \`loss\` and \`losses\`, the mean training loss of the last and of all
epochs, and \`test\`, the figures on test rows. Sums are rounded in another order than in the page, so that the
last digits of losses differ.
"""

${when(kept !== null, 'import copy\n')}import csv
import hashlib
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

# ---- settings

SEED = ${settings.seed}  # of the first weights${drops ? ' and of dropout' : ''}
DATA_SEED = ${settings.data_seed ?? settings.seed}  # of the rows' order
LR = ${number(settings.lr)}
${decay}${dropout}${limit}BATCH_SIZE = ${batchSize(prepared, settings)}
STEPS = ${steps}  # updates; an epoch has ${each}
${keeping}${when(scheduled, schedule)}${when(changes.length, changed)}
COLUMNS = ${list(prepared.columns, text)}
${when(worded, words)}${target}
# of the inputs, on training rows
MEAN = np.array(${list(prepared.mean)})
STD = np.array(${list(prepared.scale)})
WEIGHTS = Path(__file__).with_suffix(".pt")


def generator(seed, purpose, epoch=0):
    """A CPU generator that depends on its three arguments alone."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{epoch}".encode()).digest()
    return torch.Generator(device="cpu").manual_seed(int.from_bytes(digest[:8], "big") >> 1)


# ---- data


def inputs(raw):
    """${shape} of the columns' values [N, K], standardised."""
    x = np.column_stack([${inputsOf(prepared, worded).join(', ')}])
    return torch.from_numpy(((x - MEAN) / np.where(STD == 0, np.inf, STD)).astype(np.float32))${pictures}


def load_splits():
    """(x, y) of the rows of each split."""
    splits = {}
    for name, rows in ROWS.items():
        table = np.array([[float(cell) for cell in row.split(",")] for row in rows.split()])
        table = table.reshape(-1, len(COLUMNS) + 1)
        y = torch.from_numpy(table[:, -1])
        splits[name] = inputs(table[:, :-1]), ${plain ? 'y.long()' : 'y.float().unsqueeze(1)'}
    return splits


# ---- network

${when(drops, DROPOUT)}
def new_net(seed):
    """A network with the first weights of this seed."""
    net = nn.Sequential(
${layersOf(sizes, convolutions, settings, drops)
  .map((line) => `        ${line},\n`)
  .join('')}    )
    g = generator(seed, "init")
    for layer in net:  # torch's own first weights: uniform within 1 / √inputs
        if isinstance(layer, ${convolutions.length ? '(nn.Conv2d, nn.Linear)' : 'nn.Linear'}):
            bound = ${convolutions.length ? 'layer.weight[0].numel()' : 'layer.in_features'}**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator=g)
            nn.init.uniform_(layer.bias, -bound, bound, generator=g)
    return net


${
  twice && plain
    ? `def loss_function(output, y):
    """Cross-entropy of a softmax: the fault softmax_before_cross_entropy, on purpose."""
    return nn.functional.cross_entropy(output.softmax(-1), y)`
    : `loss_function = ${LOSSES[loss]}`
}


def evaluate(net, x, y):
    """The figures on these rows: in evaluation mode and without gradients, in float64."""
    if not len(x):
        return {}
    net.eval()
    with torch.no_grad():
        output = net(x).double()
${figuresOf(loss, classes)}


# ---- training


${when(
  scheduled,
  `def factor(step):
    """The factor of LR after so many steps."""
    if step < WARMUP:
        return (step + 1) / WARMUP
    progress = (step - WARMUP) / max(1, PLANNED - WARMUP)
    return ${CURVES[settings.schedule ?? 'constant']}


`,
)}def train():
    """Train from scratch, save the weights, and print the losses and test figures."""
    splits = load_splits()
    x_train, y_train = splits["train"]
    net = new_net(SEED)
    optimizer = torch.optim.${CLASSES[settings.optimizer]}(${argumentsOf(settings)})
${before}    losses, step, epochs = [], 0, -(-STEPS // ${each})
${when(kept !== null, '    kept = copy.deepcopy(net.state_dict())\n')}    for epoch in range(epochs):
        net.train()
        step_losses = []
${batches}
        for rows in batches[: STEPS - step]:
${first}            loss = loss_function(net(x_train[rows]), y_train[rows])
            loss.backward()
${when(clips, `            nn.utils.clip_grad_norm_(net.parameters(), ${clip})\n`)}            optimizer.step()
            step += 1
            step_losses.append(loss.item())
${when(kept !== null, copying)}        losses.append(float(np.mean(step_losses)))
        if not math.isfinite(losses[-1]):
            print("the loss is not finite any more: a smaller LR may help")
            break
        if epoch + 1 == epochs or (epoch + 1) % max(1, epochs // 20) == 0:
            words = ", ".join(f"{k} {v:.4f}" for k, v in evaluate(net, *splits["validation"]).items())
            print(f"epoch {epoch + 1:3d}: loss {losses[-1]:.4f}; on validation rows: {words}")
${when(kept !== null, '    net.load_state_dict(kept)\n')}    torch.save(net.state_dict(), WEIGHTS)
    test = evaluate(net, *splits["test"])  # once, at the end: nothing is selected by it
    print(json.dumps({"loss": losses[-1] if losses else None, "losses": losses, "test": test}))


# ---- predictions

${when(worded, READING)}
def predict(path):
    """Print a prediction for each row of a CSV file, as CSV."""
    net = new_net(SEED)
    net.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    net.eval()
    with open(path, newline="", encoding="utf-8-sig") as file:
        raw = np.array([[${cell} for name in COLUMNS] for row in csv.DictReader(file)])
    with torch.no_grad():
        output = net(inputs(raw.reshape(-1, len(COLUMNS)))).double()
    writer = csv.writer(sys.stdout, lineterminator="\\n")
${predictionOf(loss, classes)}


# ---- the rows: the columns' values, and ${plain || classes.length ? "the class's number" : 'the target, standardised'}

ROWS = {
${parts.map((part, k) => `    "${['train', 'validation', 'test'][k]}": """\n${rowsOf(part, prepared)}""",\n`).join('')}}

if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) == 3 and sys.argv[1] == "predict":
        predict(sys.argv[2])
    elif len(sys.argv) == 1:
        train()
    else:
        sys.exit(__doc__)
`;
}

const READING = `
def number(name, cell):
    """A cell as a number, of a word its place; NaN where it is missing, -1 for a class that no row had."""
    if name not in WORDS or not cell:
        return float(cell or "nan")
    if cell not in WORDS[name] and name in TRUTHS:
        sys.exit(f"{name} holds {cell}, and one of {WORDS[name]} is wanted")
    return float(WORDS[name].index(cell)) if cell in WORDS[name] else -1.0

`;

const DROPOUT = `
def mix(x):
    """64 random bits of a number's 64 bits: splitmix64."""
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return x ^ x >> np.uint64(31)


class Dropout(nn.Module):
    """Like nn.Dropout, but its mask depends only on seed, layer and step, so it is reproducible."""

    p, step = 0.0, 0

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, h):
        if not self.training or not self.p:
            return h
        key = mix(mix(mix(np.array([SEED], np.uint64)) + np.uint64(self.layer)) + np.uint64(self.step))
        a, b = (key | np.uint64(1)).view(np.int32)
        element = mix(np.arange(h.numel(), dtype=np.uint64) + np.uint64(0x9E3779B9)).view(np.int32)[::2]
        with np.errstate(over="ignore"):
            kept = element * a + b >= round(self.p * 2**32) - 2**31
        mask = torch.from_numpy(kept).float() * (1 / (1 - self.p))  # keeps the expected sum
        return h * mask.view_as(h)

`;

function layersOf(sizes, convolutions, { activation }, drops) {
  const deep = convolutions.flatMap(({ inputs, outputs }) => [
    `nn.Conv2d(${inputs}, ${outputs}, ${KERNEL}, padding=${KERNEL >> 1})`,
    MODULES[activation],
    'nn.MaxPool2d(2)',
  ]);
  const drop = (layer) => (drops ? [`Dropout(${layer})`] : []);
  if (deep.length)
    return [
      ...deep,
      'nn.Flatten()',
      ...sizes
        .slice(1)
        .flatMap((H, l) => [
          ...drop(l),
          `nn.Linear(${sizes[l]}, ${H})`,
          ...(l + 2 < sizes.length ? [MODULES[activation]] : []),
        ]),
    ];
  return sizes
    .slice(1)
    .flatMap((H, l) => [
      `nn.Linear(${sizes[l]}, ${H})`,
      ...(l + 2 < sizes.length ? [MODULES[activation], ...drop(l)] : []),
    ]);
}

/** Each input in terms of the columns' values: as they are, squares, products, sines; gaps and classes. */
function inputsOf({ made }, worded) {
  return made.map(({ at, form, step, word, code }) => {
    const x = form.replace(/\b[xy]\b/g, (axis) => `raw[:, ${at[axis === 'x' ? 0 : 1]}]`);
    if (step.do === 'fill') return worded ? `np.where(np.isnan(${x}), ${number(step.value)}, ${x})` : x;
    return word ? `${x} == ${code}` : `np.isnan(${x})`;
  });
}

const wordsOf = ({ columns, words }) =>
  columns.flatMap((name, j) => (words[j] ? `${text(name)}: ${list(words[j], text)}` : [])).join(', ');

function rowsOf({ y, rows, raw }, { columns: { length: K } }) {
  return Array.from(rows, (_, r) => `${[...raw.subarray(r * K, (r + 1) * K), y[r]].map(number).join()}\n`).join('');
}

function argumentsOf(settings) {
  const reads = READS[settings.optimizer];
  const known = {
    momentum: settings.momentum > 0 && number(settings.momentum),
    weight_decay: settings.weight_decay > 0 ? 'WEIGHT_DECAY' : settings.optimizer === 'adamw' && '0.0',
    nesterov: settings.nesterov && settings.momentum > 0 && 'True',
    betas:
      (settings.beta1 !== 0.9 || settings.beta2 !== 0.999) && `(${number(settings.beta1)}, ${number(settings.beta2)})`,
    eps: settings.eps !== 1e-8 && number(settings.eps),
  };
  return [
    'net.parameters()',
    'lr=LR',
    ...reads.filter((name) => known[name]).map((name) => `${name}=${known[name]}`),
  ].join(', ');
}

function changesOf(sets) {
  const at = new Map();
  for (const { step, name, value } of sets) at.set(step, { ...at.get(step), [name]: value });
  return [...at]
    .sort(([a], [b]) => a - b)
    .map(
      ([step, values]) =>
        `${step}: {${Object.entries(values)
          .map(([name, value]) => `${text(name)}: ${number(value ?? Infinity)}`)
          .join(', ')}}`,
    )
    .join(', ');
}

/** What is set from this step on, in the loop of `train`. */
function changing(names) {
  const group = (name) => `group["${name}"] = changed.get("${name}", group["${name}"])`;
  const has = (name) => names.includes(name);
  const lines = [
    'changed = CHANGES.get(step, {})',
    ...(has('lr') ? ['lr = changed.get("lr", lr)'] : []),
    ...['weight_decay', 'momentum'].filter(has).map(group),
  ];
  if (has('beta1') || has('beta2'))
    lines.push(
      'beta1, beta2 = group["betas"]',
      'group["betas"] = changed.get("beta1", beta1), changed.get("beta2", beta2)',
    );
  if (has('clip')) lines.push('clip = changed.get("clip", clip)');
  if (has('dropout')) lines.push('Dropout.p = changed.get("dropout", Dropout.p)');
  return lines.map((line) => `            ${line}\n`).join('');
}

function figuresOf(loss, classes) {
  if (!classes.length)
    return `    y = y.double()
    rmse = (output - y).square().mean().sqrt().item() * TARGET_SCALE
    return {"loss": loss_function(output, y).item(), "rmse": rmse}`;
  if (loss === 'bce')
    return `    right = ((output > 0) == (y > 0.5)).double().mean().item()
    return {"loss": loss_function(output, y.double()).item(), "accuracy": right}`;
  return `    right = (output.argmax(1) == y).double().mean().item()
    return {"loss": loss_function(output, y).item(), "accuracy": right}`;
}

function predictionOf(loss, classes) {
  if (!classes.length)
    return `    writer.writerow(["row", "prediction"])
    writer.writerows(enumerate((output[:, 0] * TARGET_SCALE + TARGET_MEAN).tolist()))`;
  const probability = loss === 'bce' ? 'torch.cat([1 - output.sigmoid(), output.sigmoid()], 1)' : 'output.softmax(1)';
  return `    probability = ${probability}
    writer.writerow(["row", "prediction", *(f"probability_{label}" for label in CLASSES)])
    for row, p in enumerate(probability.tolist()):
        writer.writerow([row, CLASSES[p.index(max(p))], *p])`;
}
