"""Network and training: second half of the program in plain PyTorch from which exported scripts are made."""
# ruff: noqa: F403, F405  (both halves are one program)
# ruff: noqa: SIM108, SIM114  (a script keeps one of the branches that settings decide)

import copy
import csv
import functools
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from treino.data.rows import generator
from treino.engine.augmentation import cut_out, resampled
from treino.engine.ensemble import best_half
from treino.engine.rng import mix, step_seed
from treino.reports.export.program_data import *

# ---- network


@functools.cache
def element_numbers(n):
    """Return a number for each of n elements: int32."""
    return mix(torch.arange(n) + 0x9E3779B9).int()


class Dropout(nn.Module):
    """Like nn.Dropout, but its mask depends only on seed, layer and step, so it is reproducible."""

    p, seed, step = 0.0, 0, 0

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def key(self):
        """Return 64 bits that depend on this layer and step."""
        return mix(mix(mix(torch.tensor([self.seed])) + self.layer) + self.step)

    def forward(self, h):
        if not self.training or not self.p:
            return h
        a, b = (self.key() | 1).view(torch.int32)
        kept = element_numbers(h.numel()) * a + b >= round(self.p * 2**32) - 2**31
        mask = kept.float() * (1 / (1 - self.p))  # keeps the expected sum
        return h * mask.view_as(h).to(h.device)


class RepeatedDropout(Dropout):
    """Dropout with its own rate; a network may call it several times in a step."""

    def __init__(self, layer, p):
        super().__init__(layer)
        self.p = p
        self.calls = (-1, 0)  # the step, and the number of calls in it

    def key(self):
        calls = self.calls[1] if self.calls[0] == self.step else 0
        self.calls = (self.step, calls + 1)
        return super().key() + (torch.tensor(calls) * 0x3C6EF372 << 32)


def exchange_dropout(module):
    """Replace every nn.Dropout by RepeatedDropout."""
    places = [
        (parent, name, child)
        for parent in list(module.modules())
        for name, child in parent.named_children()
        if type(child) is nn.Dropout
    ]
    for layer, (parent, name, child) in enumerate(places):
        setattr(parent, name, RepeatedDropout(layer, child.p))
    return module


class ColumnGates(nn.Module):
    """Multiplies all inputs of one column by a factor that is learned."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.full((max(GATE_OF) + 1,), 1 / GATES))

    def forward(self, x):
        weight = self.weight * (self.weight != 0)  # a factor of 0 stays 0
        return x * (GATES * weight)[torch.tensor(GATE_OF, device=x.device)]


def without_gates(net):
    """Return the same network, with the factors multiplied into its first layer's weights."""
    gates, first, *others = net.cpu()
    with torch.no_grad():
        first.weight *= (GATES * gates.weight)[torch.tensor(GATE_OF)]
    return nn.Sequential(first, *others)


def architecture():
    """Build the run's network, without its weights."""
    return nn.Sequential(nn.Linear(2, 2))


def new_net(seed):
    """Return a network with the initial weights of this seed."""
    torch.manual_seed(generator(seed, "init").initial_seed())  # seeds the initial weights
    net = architecture()
    if LAZY:
        # lazy layers get their sizes and weights at the first call
        torch.manual_seed(generator(seed, "lazy").initial_seed())
        with torch.no_grad():
            net.eval()(torch.zeros(2, *ITEM))
    return exchange_dropout(net)


class NetworkMean(nn.Module):
    """An ensemble: the mean of the networks' probabilities, as logits, or of their numbers."""

    def __init__(self, members):
        super().__init__()
        self.members = nn.ModuleList(members)
        if CLIP_TARGET and TARGETS:
            self.register_buffer(
                "limits", torch.zeros(2, len(TARGETS))
            )  # range of the training rows' targets
        elif CLIP_TARGET:
            self.register_buffer("limits", torch.zeros(2))  # range of the training rows' target

    def forward(self, x):
        output = torch.stack([member(x) for member in self.members])
        if TARGETS and CLASSES:
            each = [part.log_softmax(-1).logsumexp(0) for part in output.split(SIZES, -1)]
            return torch.cat(each, -1) - math.log(len(output))
        if CLASSES and OF_CLASSES:
            return output.log_softmax(-1).logsumexp(0) - math.log(len(output))
        if CLASSES:
            yes, no = (F.logsigmoid(sign * output).logsumexp(0) for sign in (1, -1))
            return yes - no
        if LOG_OUTPUT and CLIP_TARGET:
            return output.exp().mean(0).clamp(*self.limits).log()
        if LOG_OUTPUT:
            return output.exp().mean(0).log()
        if CLIP_TARGET:
            return output.mean(0).clamp(*self.limits)
        return output.mean(0)


criterion = F.cross_entropy


def loss_function(output, y):
    """The loss of these outputs."""
    if SOFTMAX_FIRST:
        # FAULT softmax_before_cross_entropy: the loss applies softmax itself, so it is applied twice
        output = output.softmax(-1)
    settings = {}
    if CLASS_WEIGHTS:
        settings["weight"] = torch.tensor(CLASS_WEIGHTS, dtype=output.dtype, device=output.device)
    if LABEL_SMOOTHING:
        settings["label_smoothing"] = LABEL_SMOOTHING
    return criterion(output, y, **settings)


def evaluate(net, x, y):
    """Return the metrics on these rows, in eval mode and float64, without gradients."""
    net.eval()
    with torch.no_grad():
        output = torch.cat([net(part) for part in x.split(1024)]).cpu().double()
    return {
        "loss": loss_function(output, y).item(),
        "accuracy": (output.argmax(1) == y).sum().item() / len(y),
    }


# ---- training


def new_optimizer(parameters):
    """Return the run's optimizer."""
    return torch.optim.Adam(parameters, lr=LR)


def curve(progress):
    """Half a cosine wave from 1 to 0 (Loshchilov & Hutter 2017)."""
    return (1 + math.cos(math.pi * progress)) / 2


def factor(step):
    """Return the factor of LR after ``step`` steps."""
    if WARMUP and step < WARMUP:
        return (step + 1) / WARMUP
    if CURVED and WARMUP:
        return curve((step - WARMUP) / (STEPS - WARMUP))
    if CURVED:
        return curve(step / STEPS)
    return 1.0


def latest(table, step, value):
    """Return the newest value of a table {step: value} at this step; before its first step, ``value``."""
    return [value, *(newer for since, newer in table.items() if since <= step)][-1]


def change_settings(group, step):
    """Apply the settings that were changed while the run trained."""
    if SCHEDULED:
        group["lr"] = latest(LR_FROM, step, LR) * factor(step)
    else:
        group["lr"] = latest(LR_FROM, step, LR)
    for name, table in GROUP_FROM.items():
        group[name] = latest(table, step, group[name])
    if DROPOUT_FROM:
        Dropout.p = latest(DROPOUT_FROM, step, Dropout.p)


def net_to_train(seed):
    """Return a network with the initial weights of this seed, on its device, with what it drops and leaves
    out."""
    net = new_net(seed)
    if ON_DEVICE:
        net.to(DEVICE)
    if DROPS:
        Dropout.seed = seed
    if DROPOUTS:
        Dropout.p = DROPOUTS[SEEDS.index(seed)]
    elif DROPS and not OWN:
        Dropout.p = DROPOUT
    if CLOSED_GATES and SEEDS.index(seed) in CLOSED_GATES:
        net[0].weight.data[CLOSED_GATES[SEEDS.index(seed)]] = 0
    return net


class MovingAverage:
    """The moving average of a network's weights; called after each update of the optimizer."""

    def __init__(self, net):
        self.net, self.step = net, 0
        self.weights = {name: p.detach().clone() for name, p in net.named_parameters() if p.requires_grad}

    def __call__(self, *_update):
        ema = EMA
        if EMA_FROM:
            ema = latest(EMA_FROM, self.step, EMA)
        share = 1 - min(ema, (2 + self.step) / (11 + self.step))  # the initial weights fade fast
        for name, value in self.weights.items():
            value.lerp_(self.net.get_parameter(name).detach(), share)
        self.step += 1

    def network(self):
        """Return a copy of the network, with the average as its weights."""
        net = copy.deepcopy(self.net)
        net.load_state_dict(self.weights, strict=False)
        return net


def train_epoch(net, optimizer, x_train, y_train, epoch):
    """Update the network by each batch of the training rows; return the mean of the batches' losses."""
    net.train()
    if FULL_BATCH:
        batches = [slice(None)]
    elif SHUFFLES_EACH:
        order = torch.randperm(len(x_train), generator=generator(DATA_SEED, "order", epoch - 1))
        batches = order.split(BATCH_SIZE)
    elif SHUFFLES_ONCE:
        order = torch.randperm(len(x_train), generator=generator(DATA_SEED, "order"))
        batches = order.split(BATCH_SIZE)
    else:
        batches = torch.arange(len(x_train)).split(BATCH_SIZE)
    if COUNTS_STEPS:
        step = (epoch - 1) * len(batches)  # updates so far
    if UNFINISHED:
        batches = batches[: STEPS - step]  # the last epoch is incomplete
    losses = []
    for rows in batches:
        if CHANGES:
            change_settings(optimizer.param_groups[0], step)
        elif SCHEDULED:
            optimizer.param_groups[0]["lr"] = LR * factor(step)
        if DROPS:
            Dropout.step = step
        if OWN:
            torch.manual_seed(step_seed(Dropout.seed, step))  # for the network's own random numbers
        if WEIGHTED:
            x, y = x_train[rows], tuple(part[rows] for part in y_train)
        else:
            x, y = x_train[rows], y_train[rows]
        if CHANGES_PICTURES and FULL_BATCH:
            hashed = hash_of(torch.arange(len(x)), epoch)
        elif CHANGES_PICTURES:
            hashed = hash_of(rows, epoch)
        if MIXUP:
            x = mixed(x, x_train, hashed)
        if MOVES:
            x = resampled(x, moves(hashed, *x.shape[2:]).to(x.device))
        if CONTRAST or BRIGHTNESS:
            x = toned(x, hashed)
        if CUTOUT:
            x = cut_out(x, square(hashed, *x.shape[2:]).to(x.device))
        if MISSING_ZERO_GRAD:
            # FAULT missing_zero_grad: optimizer.zero_grad() belongs here. backward() adds to the
            # old gradients, so every step uses the sum of all gradients since the first one
            loss = loss_function(net(x), y)
        elif OWN:
            optimizer.zero_grad(set_to_none=False)  # backward() adds to the old gradients
            loss = loss_function(net(x), y)
        else:
            optimizer.zero_grad()  # backward() adds to the old gradients
            loss = loss_function(net(x), y)
        loss.backward()
        if CLIP and CLIP_FROM:
            nn.utils.clip_grad_norm_(net.parameters(), latest(CLIP_FROM, step, CLIP))
        elif CLIP:
            nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        if COUNTS_STEPS:
            step += 1
        losses.append(loss.item())
    return float(np.mean(losses))


def train_network(seed, splits, scale):
    """Train a network from this seed's initial weights; return it (None if it diverged) and its losses."""
    x_train, y_train = splits["train"]
    if VALIDATES:
        x_validation, y_validation = splits["validation"]
    if DROPS or CLOSED_GATES or ON_DEVICE:
        net = net_to_train(seed)
    else:
        net = new_net(seed)
    if ON_DEVICE and WEIGHTED:
        x_train, *y_train = (part.to(DEVICE) for part in (x_train, *y_train))
    elif ON_DEVICE:
        x_train, y_train = x_train.to(DEVICE), y_train.to(DEVICE)
    if ON_DEVICE and VALIDATES:
        x_validation = x_validation.to(DEVICE)
    parameters = [p for p in net.parameters() if p.requires_grad]
    if OWN:
        for p in parameters:  # zeros, not None: parameters unused in a step still move by momentum
            p.grad = torch.zeros_like(p)
    optimizer = new_optimizer(parameters)
    if EMA:
        average = MovingAverage(net)
        optimizer.register_step_post_hook(average)
    losses = []
    if SELECTS:
        best = -math.inf
    if KEEPS_BEST:
        best_weights = None
    if PATIENCE:
        best_epoch = 0
    for epoch in range(1, EPOCHS + 1):
        if MEMBER_EPOCHS and epoch > MEMBER_EPOCHS[SEEDS.index(seed)]:
            break
        mean_loss = train_epoch(net, optimizer, x_train, y_train, epoch)
        if not math.isfinite(mean_loss):
            print("the loss is not finite any more: a smaller LR may help")
            break
        losses.append(mean_loss)
        if VALIDATES:
            if SELDOM and epoch % EVALUATE_EVERY and epoch < EPOCHS:
                continue
            if EMA:
                trained, net = net, average.network()  # which is validated and kept
            if OWN:
                torch.manual_seed(step_seed(seed, -1))
            if CLASSES:
                figures = evaluate(net, x_validation, y_validation)
            else:
                figures = evaluate(net, x_validation, y_validation, scale["target"])
            words = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
            print(f"epoch {epoch:3d}: loss {mean_loss:.4f}; on validation rows: {words}")
            if LESS_IS_BETTER and SELECTS:
                figure = -figures[METRIC]
            elif SELECTS:
                figure = figures[METRIC]
            if SELECTS and figure > best:
                best = figure
                if PATIENCE:
                    best_epoch = epoch
                if KEEPS_BEST:
                    best_weights = copy.deepcopy(net.state_dict())
            elif PATIENCE and epoch - best_epoch >= PATIENCE:
                print(f"no better {PATIENCE} epochs long: epoch {best_epoch} was the best")
                break
            if EMA:
                net = trained
        else:
            print(f"epoch {epoch:3d}: loss {mean_loss:.4f}")
    if EMA:
        net = average.network()
    if KEEPS_BEST and best_weights is not None:
        net.load_state_dict(best_weights)
    if ON_DEVICE:
        net.cpu()
    finite = all(p.isfinite().all() for p in net.parameters())
    if GATES:
        net = without_gates(net)
    if TOGETHER and VALIDATES:
        return net if finite else None, losses, best
    return net if finite else None, losses


def train():
    """Train from scratch, save the weights, and print the losses and test metrics."""
    splits, scale = load_splits()
    if TOGETHER:
        every, able = [], []  # all networks' losses; (metric, network) of those that didn't diverge
        if TREELESS:
            kinds = []
        for seed in SEEDS:
            if MEMBER_EPOCHS and not MEMBER_EPOCHS[SEEDS.index(seed)]:
                continue
            print(f"network {len(every) + 1} of {len(SEEDS)}, of seed {seed}")
            if VALIDATES:
                net, losses, best = train_network(seed, splits, scale)
            else:
                (net, losses), best = train_network(seed, splits, scale), 0.0
            every.append(losses)
            if net is not None:
                able.append((best, net))
                if TREELESS:
                    kinds.append(TREELESS[SEEDS.index(seed)])
        if VALIDATES and TREELESS:
            errors = [1 - best for best, _net in able]
            if LESS_IS_BETTER:
                errors = [-best for best, _net in able]
            able = [able[place] for place in best_half(errors, kinds, len(SEEDS))]
        elif VALIDATES:
            able.sort(key=lambda one: -one[0])
            able = able[: -(-len(SEEDS) // 2)]
        losses = [float(np.mean([of[e] for of in every if len(of) > e])) for e in range(max(map(len, every)))]
        net = NetworkMean([one for _best, one in able]) if able else None
        if CLIP_TARGET and net is not None:
            y_train = splits["train"][1]
            if WEIGHTED:
                y_train = y_train[0]
            if TARGETS:
                net.limits = torch.stack(y_train.aminmax(dim=0))
            else:
                net.limits = torch.stack(y_train.aminmax())
    else:
        net, losses = train_network(SEED, splits, scale)
    if net is not None:  # a network that diverged is not kept
        kept = {"net": net.state_dict(), **scale}
        if not CLASSES:
            kept["target"] = torch.from_numpy(np.array(scale["target"]))
        torch.save(kept, WEIGHTS)
    summary = {"loss": losses[-1] if losses else None, "losses": losses}
    if TESTS:
        x_test, y_test = splits["test"]  # once, at the end: nothing is selected by it
        if THRESHOLDED:
            figures = evaluate(net, x_test, y_test, THRESHOLD) if net is not None else {}
        elif CLASSES:
            figures = evaluate(net, x_test, y_test) if net is not None else {}
        else:
            figures = evaluate(net, x_test, y_test, scale["target"]) if net is not None else {}
        if MAY_LACK:
            figures = {name: value if math.isfinite(value) else None for name, value in figures.items()}
        summary["test"] = figures
    print(json.dumps(summary))


# ---- predictions


def predict(path):
    """Print a prediction for each row of a CSV file, or for each picture of a folder, as CSV."""
    if WEIGHTLESS and not WEIGHTS.exists():
        sys.exit(f"There are no weights in {WEIGHTS}: train it first")
    saved = torch.load(WEIGHTS, weights_only=True)
    if TOGETHER:
        count = 1 + max(int(name.split(".")[1]) for name in saved["net"] if name.startswith("members."))
        members = [new_net(seed) for seed in SEEDS[:count]]
        if GATES:
            members = [without_gates(net) for net in members]
        net = NetworkMean(members)
    else:
        net = new_net(SEED)
    if GATES and not TOGETHER:
        net = without_gates(net)
    net.load_state_dict(saved["net"])
    net.eval()
    if FILES:
        name, rows = "file", pictures_in(Path(path))
        with torch.no_grad():
            output = torch.cat([net(prepare(picture(file)[None], saved)) for file in rows])
    else:
        x = prepare(features_of(read_csv(path)), saved)
        name, rows = "row", range(len(x))
        with torch.no_grad():
            output = net(x)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if LOG_OUTPUT:
        output = output.exp()  # the logarithm of the mean was learnt
    if TARGETS and CLASSES:
        heads, columns = [name], [list(rows)]
        for names, classes, part in zip(COLUMNS_OF, CLASSES, output.split(SIZES, 1), strict=True):
            probability = part.softmax(1)
            heads += names
            columns += [[classes[winner] for winner in probability.argmax(1)], *probability.T.tolist()]
        writer.writerow(heads)
        writer.writerows(zip(*columns, strict=True))
    elif TARGETS:
        mean_y, std_y = saved["target"]
        writer.writerow([name, *(f"prediction_{target}" for target in TARGETS)])
        values = (output.double() * std_y + mean_y).tolist()
        writer.writerows([row, *each] for row, each in zip(rows, values, strict=True))
    elif CLASSES:
        if OF_CLASSES:
            probability = output.softmax(1)
        else:
            probability = torch.cat([torch.sigmoid(-output), torch.sigmoid(output)], dim=1)
        writer.writerow([name, "prediction", *(f"probability_{label}" for label in CLASSES)])
        for row, winner, p in zip(rows, probability.argmax(1), probability.tolist(), strict=True):
            if THRESHOLDED:
                winner = int(p[1] >= THRESHOLD)
            named = CLASSES[winner] if p[winner] == p[winner] else ""  # no prediction if the output is NaN
            writer.writerow([row, named, *p])
    else:
        mean_y, std_y = saved["target"]
        if QUANTILES:
            output = output.sort(1).values  # quantiles that don't cross
            writer.writerow([name, "prediction", *(f"quantile_{level:g}" for level in QUANTILES)])
            values = (output.double() * std_y + mean_y).tolist()
            writer.writerows([row, each[POINT], *each] for row, each in zip(rows, values, strict=True))
            return
        if SPREAD:
            writer.writerow([name, "prediction", "deviation"])
            deviation = (output[:, 1].double() / 2).exp() * std_y
            values = (output[:, 0].double() * std_y + mean_y).tolist()
            writer.writerows(zip(rows, values, deviation.tolist(), strict=True))
            return
        writer.writerow([name, "prediction"])
        values = output[:, 0].double() * std_y + mean_y
        if LOG_TARGET:
            values = values.exp()  # the logarithm was learnt
        writer.writerows(zip(rows, values.tolist(), strict=True))


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    if CUDA:
        torch.backends.cudnn.allow_tf32 = False  # full float32 precision
    if len(sys.argv) == 3 and sys.argv[1] == "predict":
        predict(sys.argv[2])
    elif TRAINS and (READS_TABLE or FILES) and len(sys.argv) <= 2 and sys.argv[-1] != "predict":
        train()
    elif TRAINS and not (READS_TABLE or FILES) and len(sys.argv) == 1:
        train()
    else:
        sys.exit(__doc__)
