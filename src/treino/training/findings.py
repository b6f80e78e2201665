"""The doctor's findings in a run of treino's own.

Nothing is watched while it trains: the facts are built afterwards from its settings, its rows and the losses
that it kept, and the same rules decide. Only where the loss ended badly the first steps are trained once
more, beside the run, to measure what a rule asks for; they give the same bits as the run's own.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.diagnosis.exam import decide
from treino.diagnosis.finding import Evidence, Finding, Site
from treino.diagnosis.rules import rules
from treino.diagnosis.rules.duplicate_leakage import numbers
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.seen import (
    BackwardSeen,
    ClipSeen,
    DepthSeen,
    LayerSeen,
    NetSeen,
    OptimizerSeen,
    ReluSeen,
    Seen,
)
from treino.diagnosis.watch.tables import DataSeen, TrainSeen, chance, hash_rows
from treino.documents import read_run_spec, read_tensors
from treino.documents.run_spec import RunSpec
from treino.engine import OPTIMIZERS, Training
from treino.engine.activations import modules_of
from treino.engine.user_module import module_copy
from treino.engine.warm_start import warm_start
from treino.records.segments import layers_from, losses_of, path_of, segments_of, setting_commands
from treino.spec import faults_of, read_settings
from treino.store import RunFolder
from treino.training.advice import lower_rate
from treino.training.resolution import Plan, plan
from treino.training.stored_training import START
from treino.words import _, setting

SETTINGS = Site("", 0)  # a run of treino's own has flags to change, not lines
HEAD, TAIL = 1024, 3072  # losses that the rules see: the first ones, then evenly spaced
AFTER = 64  # a diverged run is ended; the loop of a script would go on, with NaN
FIRST_STEPS = 48  # that are trained again, of a run whose loss ended badly
LOOKED_AT = 3  # batches of which gradients and units are measured, at the start and at the end
MOST_ROWS = 2000
HASHED = 10_000_000  # numbers; beyond, looking for copies would take seconds


@dataclass
class KnownLoss(LossSeen):
    """The run's loss, whose best constant the engine knows exactly (weights and smoothing included)."""

    constant: float = math.nan

    def baseline(self) -> float:
        return self.constant


def planned_faults(planned: Plan) -> list[dict[str, Any]]:
    """Findings that are known before the first step: the faults that were asked for, and copied rows."""
    seen, engine = Seen(), planned.training
    _faults(seen, planned, engine.steps)
    return _finding_documents(decide(seen)[0], planned)


def findings(folder: RunFolder, data: Data, planned: Plan) -> tuple[list[dict[str, Any]], list[str]]:
    """``findings[]`` of the document of a run that is over, and a note for each rule that raised."""
    engine = planned.training
    spec = read_run_spec(folder)
    losses = np.asarray(losses_of(folder, spec), dtype=np.float64)
    seen = _histories(losses, data, planned)
    _faults(seen, planned, len(losses) - _faulty_from(spec))
    main = seen.losses["loss", SETTINGS]
    end = engine.net(0, "last")
    _labels(main, data, planned, engine.net(0, "kept"))
    if _badly(main) or any(_alike(w) for w in _weights(end)):
        _measure(seen, folder, data, planned, end)
    found, defects = decide(seen)
    if any(f.rule == "symmetric_init" for f in found):  # which is why they are zero
        found = [f for f in found if f.rule != "dead_relu"]
    copies = _copies(data)
    if copies is not None:
        found.append(rules()["duplicate_leakage"].finding(copies))
    notes = [_("A defect of the doctor itself: {what}").format(what=d) for d in defects]
    return _finding_documents(found, planned), notes


# --- what is known without measuring ------------------------------------------------------------------
def _histories(losses: np.ndarray, data: Data, planned: Plan) -> Seen:
    """Settings, losses and labels in the rules' own tables."""
    engine, s = planned.training, planned.settings
    bad_S = np.flatnonzero(~np.isfinite(losses))
    diverged = engine.status_P[0] == "diverged"
    steps = len(losses)
    step_S = np.arange(min(HEAD, steps))
    if steps > HEAD:
        step_S = np.append(step_S, np.unique(np.linspace(HEAD, steps - 1, TAIL).astype(int)))
    values = losses[step_S].tolist() + [math.nan] * (AFTER if len(bad_S) else 0)
    loss = KnownLoss(
        name=engine.loss,
        site=SETTINGS,
        calls=steps,
        trained=steps + (AFTER if diverged else 0),
        values=values,
        weighted=s["class_weights"] is not None,
        rows=min(len(data.train), len(data.train) if s["batch_size"] == "full" else s["batch_size"]),
        constant=engine.loss_function.best_constant(data.train.y),
    )
    if data.classes:
        loss.classes = len(data.classes)
        loss.counts = torch.bincount(data.train.y.reshape(-1).long(), minlength=loss.classes).numpy()
        if s["shuffle"] == "off":
            loss.runs = list(_runs(data.train.y, loss.rows, min(steps, HEAD)))
    optimizer = OptimizerSeen(
        kind=s["optimizer"],
        site=SETTINGS,
        lr=s["lr"],
        first_lr=s["lr"],
        weight_decay=s["weight_decay"],
        steps=steps + (AFTER if diverged else 0),
        adaptive=OPTIMIZERS[s["optimizer"]].adaptive,
        filled=steps,
        never_moved=False,
    )
    backward = BackwardSeen(SETTINGS, calls=steps, loss=values)
    if len(bad_S):
        backward.first_bad, backward.bad_steps = int(bad_S[0]) + 1, 1
    net = NetSeen(_("the network"), SETTINGS, modal=False, trained=steps + (AFTER if diverged else 0))
    return Seen(
        finished=True,
        steps=steps,
        backwards={SETTINGS: backward},
        optimizers=[optimizer],
        losses={("loss", SETTINGS): loss},
        nets=[net],
        data=DataSeen(trains={0: _rows(data, net)}),
    )


def _faults(seen: Seen, planned: Plan, steps: int) -> None:
    """The faults that the run was asked to have."""
    asked, engine = planned.settings["fault"], planned.training
    if "missing_zero_grad" in asked:
        if not seen.optimizers:
            seen.optimizers = [OptimizerSeen(planned.settings["optimizer"], SETTINGS)]
        seen.optimizers[0].steps = max(steps, seen.optimizers[0].steps)
        seen.optimizers[0].judged = steps
        seen.optimizers[0].tainted_steps = max(steps - 1, 0)
        seen.optimizers[0].tainted_at = SETTINGS
    if "softmax_before_cross_entropy" in asked:
        loss = seen.losses.setdefault(("loss", SETTINGS), LossSeen(engine.loss, SETTINGS))
        loss.softmax, loss.softmax_at, loss.classes = steps, SETTINGS, engine.outputs


def _faulty_from(spec: RunSpec) -> int:
    """The step from which on the run has the faults that it has now."""
    path = path_of(spec)
    faults = [set(faults_of(read_settings(link.segment.asked))) for link in path]
    other = [place for place, of in enumerate(faults) if of != faults[-1]]
    return path[other[-1] + 1].first if other else 0


def _runs(y: Tensor, batch: int, steps: int) -> Iterator[tuple[int, int]]:
    """(the commonest label, its share in ‰) of each batch, in the order in which the rows stand."""
    parts = y.reshape(-1).long().split(batch)
    once = [torch.bincount(part) for part in parts]
    told = [(int(count.argmax()), round(1000 * int(count.max()) / int(count.sum()))) for count in once]
    return itertools.islice(itertools.cycle(told), steps)


def _rows(data: Data, net: NetSeen) -> TrainSeen:
    """The scale of the columns, as the network sees them."""
    some = data.train.x[:MOST_ROWS].double()
    return TrainSeen(
        net,
        site=SETTINGS,
        largest=float(max(abs(v) for v in torch.aminmax(data.train.x))) if data.train.x.numel() else 0.0,
        column_std=some.std(dim=0, correction=0).numpy() if len(some) >= 4 else None,
    )


def _labels(loss: LossSeen, data: Data, planned: Plan, net: nn.Module) -> None:
    """What the kept weights say of the training rows, where a class is rare enough to be given up."""
    if len(loss.counts) < 2 or loss.weighted or loss.counts.min() > 0.5 * loss.counts.sum() / loss.classes:
        return
    rows = data.train
    if len(rows) > MOST_ROWS:
        taken = torch.linspace(0, len(rows) - 1, MOST_ROWS).long()
        rows = Rows(rows.x[taken], rows.y[taken], rows.index[taken])
    with torch.no_grad():
        output_NC = net(_items(rows.x, planned))
    said = output_NC.argmax(-1) if output_NC.shape[-1] > 1 else (output_NC[:, 0] > 0).long()
    loss.newest.clear()
    loss.newest.append((rows.y.reshape(-1).long().numpy(), said.reshape(-1).long().numpy()))


def _copies(data: Data) -> Evidence | None:
    """Test rows that are training rows too, more than chance allows. A split of treino's own keeps equal
    rows on one side; rows that a source itself calls test rows need not be others.
    """
    if not len(data.test) or (len(data.train) + len(data.test)) * data.inputs > HASHED:
        return None
    trained, tested = (
        hash_rows(torch.cat([rows.x, rows.y.reshape(len(rows), -1).float()], dim=1).numpy())
        for rows in (data.train, data.test)
    )
    again = int(np.isin(tested, trained).sum())
    sample = [data.train.x[:512, :64].numpy()]
    if again < max(3, 0.02 * len(tested)):
        return None
    table = TrainSeen(NetSeen("", None, modal=False), rows=dict.fromkeys(trained.tolist(), 0), sample=sample)
    if chance(table) > 0.01:
        return None
    return Evidence(None, None, numbers(len(tested), again))


# --- what is measured of a run that ended badly -------------------------------------------------------
def _badly(loss: LossSeen) -> bool:
    """Whether the loss ended near or above that of the best constant, or where it began."""
    first = loss.values[: max(1, len(loss.values) // 4)]
    return loss.stuck(0.7) or loss.last() > 0.9 * sum(first) / len(first)


def _measure(seen: Seen, folder: RunFolder, data: Data, planned: Plan, end: nn.Module) -> None:
    """Steps, gradients and units: at the start, by training the first steps once more, and at the end."""
    optimizer, s = seen.optimizers[0], planned.settings
    if layers_from(read_run_spec(folder)):  # it began as another network
        seen.relus = list(_relus(data, planned, end))
        return
    again = _untrained_copy(folder, data, planned)
    start = again.net(0, "last")
    before = first = _wide(start)
    for number in range(min(FIRST_STEPS, max(8, seen.steps // 20), again.steps)):
        if again.done:
            break
        again.advance(until=number + 1)
        now = _wide(again.net(0, "last"))
        size = float(before.norm())
        if size > 0 and bool(now.isfinite().all()):
            optimizer.update_ratio.append(float((now - before).norm()) / size)
            optimizer.norm.append(size)
        before = now
    last = _wide(end)
    if bool(last.isfinite().all()) and float(first.norm()) > 0:
        optimizer.movement = float((last - first).norm() / first.norm())
        optimizer.norm.append(float(last.norm()))
    seen.layers = [
        LayerSeen("Linear" if b.dim() == 2 else "Conv", SETTINGS, len(b), 1, alike=_alike(a) and _alike(b))
        for a, b in zip(_weights(start), _weights(end), strict=True)
    ]
    _gradients(seen, data, planned, start, end, s)
    seen.relus = list(_relus(data, planned, end))


def _untrained_copy(folder: RunFolder, data: Data, planned: Plan) -> Training:
    """The same training before its first step, from the weights that it began with, with the commands that it
    obeyed.
    """
    shared = planned.training.shared
    kernel = {name: planned.settings[name] for name in ("engine", "threads", "device")}
    settings = read_settings({**segments_of(read_run_spec(folder))[0].asked} | kernel)
    own = None if shared.net is not None else module_copy(shared.template)
    training = plan(settings, data, own).training
    if folder.has(START):
        warm_start(training.shared, training.state, read_tensors(folder, START)[0])
    for command in setting_commands(folder):
        told = not command.segment
        if told and command.step is not None:
            training.set(command.name, command.value, command.step)
    return training


def _gradients(
    seen: Seen, data: Data, planned: Plan, start: nn.Module, end: nn.Module, s: dict[str, Any]
) -> None:
    """Sizes of gradients at the start and at the end: beside a clip, a decay, and from layer to layer."""
    loss, optimizer = planned.training.loss_function, seen.optimizers[0]
    batch = min(seen.losses["loss", SETTINGS].rows, MOST_ROWS)
    clip = ClipSeen(SETTINGS, s["clip"] or math.inf, calls=seen.steps)
    depth = DepthSeen(site=SETTINGS)
    for net, part in itertools.product((start, end), range(LOOKED_AT)):
        taken = torch.arange(part * batch, (part + 1) * batch) % len(data.train)
        net.zero_grad()
        loss(
            net(_items(data.train.x[taken], planned)), loss.target(data.train.y[taken], torch.float32)
        ).backward()
        grads = [p.grad for p in net.parameters() if p.grad is not None]
        norm = math.sqrt(sum(float(g.double().pow(2).sum()) for g in grads))
        wide = [p for p in net.parameters() if p.dim() in (2, 4) and p.grad is not None]
        if not math.isfinite(norm) or not wide or norm == 0:
            continue
        clip.share.append(clip.limit / norm)
        size = math.sqrt(sum(float(p.detach().double().pow(2).sum()) for p in wide))
        optimizer.decay_share.append(s["weight_decay"] * size / norm)
        sizes = [float(p.grad.pow(2).mean().sqrt()) for p in (wide[0], wide[-1]) if p.grad is not None]
        if sizes[1] > 0:
            depth.ratio += [sizes[0] / sizes[1]] * 2  # each of few batches stands for two steps
            depth.layers = len(wide)
    kinds = modules_of(lambda activation: activation.saturates)
    depth.saturating = sum(isinstance(m, kinds) for m in end.modules())
    seen.depth = depth
    if s["clip"]:
        seen.clips = {SETTINGS: clip}


def _relus(data: Data, planned: Plan, net: nn.Module) -> Iterator[ReluSeen]:
    """Units of ReLU layers that are zero for all of some training rows."""
    kinds = modules_of(lambda activation: activation.can_die)
    layers = [m for m in net.modules() if isinstance(m, kinds)]
    alive: dict[int, Tensor] = {}

    def look(layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        axis = 1 if output.dim() in (4, 5) else output.dim() - 1
        alive[id(layer)] = (output > 0).transpose(0, axis).flatten(1).any(1)

    hooks = [layer.register_forward_hook(look) for layer in layers]
    with torch.no_grad():
        net(_items(data.train.x[:MOST_ROWS], planned))
    for hook in hooks:
        hook.remove()
    called = [layer for layer in reversed(layers) if id(layer) in alive]  # a forward may leave some out
    for place, layer in enumerate(called):
        units = alive[id(layer)]
        # all at once, these rows are more than the newest batches of a script would be
        yield ReluSeen(place, len(units), int((~units).sum()), LOOKED_AT, SETTINGS)


def _wide(net: nn.Module) -> Tensor:
    """[n] float64: all trained weights but biases, which may start at zero and mean little by their size."""
    wide = [p.detach().double().flatten() for p in net.parameters() if p.requires_grad and p.dim() > 1]
    return torch.cat(wide) if wide else torch.zeros(0, dtype=torch.float64)


def _weights(net: nn.Module) -> list[Tensor]:
    return [
        m.weight.detach()
        for m in net.modules()
        if isinstance(m, (nn.Linear, nn.Conv1d, nn.Conv2d)) and m.weight.requires_grad and len(m.weight) > 1
    ]


def _alike(weight: Tensor) -> bool:
    """Whether all units of a layer have the same weights."""
    weight = weight.flatten(1)
    return bool(((weight - weight[:1]).abs() <= 1e-3 * weight.abs().max().clamp_min(1e-30)).all())


def _items(x: Tensor, planned: Plan) -> Tensor:
    shape = planned.training.shared.item_shape
    return x if shape is None else x.reshape(len(x), *shape)


# --- in the words of a run ----------------------------------------------------------------------------
def _finding_documents(found: list[Finding], planned: Plan) -> list[dict[str, Any]]:
    """Findings as JSON: no file and no line, and what to do as flags of the command line."""
    return [_flagged(f, planned.settings).as_json() for f in found]


def _flagged(finding: Finding, s: dict[str, Any]) -> Finding:
    lr, lower = s["lr"], setting("lr", lower_rate(s["lr"]))
    fixes = {
        "missing_zero_grad": _("Train without [[fault=missing_zero_grad]] or [[as_taught=True]]."),
        "softmax_before_cross_entropy": _(
            "Train without [[fault=softmax_before_cross_entropy]] or [[as_taught=True]]."
        ),
        "lr_too_high": _("Train with a lower rate: {lr}.").format(lr=lower),
        "lr_too_low": _("Train with ten times the rate, until the loss falls: {lr}.").format(
            lr=setting("lr", float(f"{lr * 10:.3g}"))
        ),
        "weight_decay_too_high": _("Train with {decay} or less.").format(
            decay=setting("weight_decay", float(f"{s['weight_decay'] / 100:.3g}"))
        ),
        "clip_too_small": _("Leave [[clip]] out, or raise it to the gradients' usual norm."),
        "class_imbalance": _("Weight the classes: [[class_weights=balanced]]; and look at f1_macro."),
        "unscaled_inputs": _("Bring the columns to one scale: leave [[normalise=False]] out."),
        "unshuffled_sorted": _("Mix the training rows: leave [[shuffle=off]] out."),
        "symmetric_init": _("Start from random weights: leave [[init=zeros]] out."),
        "dead_relu": _("Lower the rate ({lr}), or use {activation} or gelu.").format(
            lr=lower, activation=setting("activation", "leaky_relu")
        ),
        "vanishing_gradient": _("Use [[activation=relu]], [[init=kaiming]], or fewer layers."),
        "non_finite_loss": _("Train with a lower rate ({lr}), or bound its steps: {clip}.").format(
            lr=lower, clip=setting("clip", 1)
        ),
    }
    message = finding.message
    if finding.rule == "non_finite_loss":
        message = _("The loss was NaN or infinite at step {first}, and the training ended there.").format(
            **finding.evidence
        )
    fix = fixes.get(finding.rule, finding.fix)
    return replace(finding, message=message, fix=fix, file=None, line=None, seen=None)
