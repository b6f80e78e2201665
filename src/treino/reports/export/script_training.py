"""The training part of the exported script: loss, optimizer, schedule, loop, and changes in between."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from inspect import signature
from typing import Any

from treino.data.dataset import Data
from treino.engine import HP, LOSSES, METRICS, OPTIMIZERS, SCHEDULES
from treino.engine.augmentation import Augmentation
from treino.engine.hyperparameters import checked_numbers
from treino.engine.kernels.selection import torch_threads_of
from treino.engine.losses import LossKind
from treino.engine.metrics import of_all_targets
from treino.engine.optim import BETAS
from treino.engine.step_plan import EVALUATION_SPACING
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import newest
from treino.reports.export.folding import before, class_name, copied
from treino.reports.export.script_data import ScriptPart, definition, literal
from treino.settings.network_settings import LAYERS

OF_UPDATES = ("batch_size", "clip", "ema", "eps", "label_smoothing", "lr", "momentum", "weight_decay")
AS_SET = (*OF_UPDATES, "data_seed", "metric", "patience", "seed", "test", "validation")
"""Settings that the script has under their own names, in capitals."""


POINTS = {
    "exp": ["output = output.exp()"],
    "quantiles": ["output = output.sort(1).values[:, POINT : POINT + 1]"],
    "normal": ["output = output[:, :1]"],
}
"""For each link, the lines that make predicted numbers of outputs."""


def training_part(run: StoredRun, data: Data) -> ScriptPart:
    """Return the part for loss, optimizer, schedule, metrics, length of training, and kept weights."""
    s, own, loss = run.first_settings, run.spec.net not in LAYERS, LOSSES[run.first_settings["loss"]]
    rows = {split: len(r) for split, r in data.splits.items()}
    per, steps = int(run.spec.steps_per_epoch), planned_steps(run)
    epochs, every, unfinished = -(-steps // per), -(-EVALUATION_SPACING // per), steps % per > 0
    validates = rows["validation"] > 0
    warmup, curved = min(s["warmup"], steps), s["schedule"] != "constant"
    together, keeps_best = s["ensemble"] > 1, s["keep"] == "best" and validates
    measured = [n for n, m in METRICS.items() if m.task == data.task and (m.always or n == s["metric"])]
    if len(data.by_target) > 1:
        measured = [name for name in measured if of_all_targets(name)]
    weighted = data.train.weight is not None
    joint = run.loss_function.link.joint
    augmentation = Augmentation.of(s["augment"], s.get("flip"), run.spec.item_shape)
    part = ScriptPart(
        {
            **{name.upper(): s[name] for name in AS_SET},
            "WARMUP": warmup,
            **{name.upper(): value for name, value in asdict(augmentation).items()},
            "CHANGES_PICTURES": bool(augmentation),
            "MOVES": any(getattr(augmentation, name) for name in ("shift", "crop", "rotate", "flip")),
            "CLASS_WEIGHTS": list(s["class_weights"] or ()),
            "FULL_BATCH": s["batch_size"] == "full",
            "SHUFFLES_EACH": s["shuffle"] == "each",
            "SHUFFLES_ONCE": s["shuffle"] == "once",
            "EPOCHS": epochs,
            "MEMBER_EPOCHS": list(s["member_epochs"] or ()),
            "STEPS": steps,
            "UNFINISHED": unfinished,
            "EVALUATE_EVERY": every,
            "SELDOM": every > 1,
            "LESS_IS_BETTER": METRICS[s["metric"]].better < 0,
            "THREADS": torch_threads_of(s["engine"], s["threads"]),
            "SCHEDULED": curved or warmup > 0,
            "CURVED": curved,
            "OF_CLASSES": loss.of_classes,
            "MISSING_ZERO_GRAD": "missing_zero_grad" in s["fault"],
            "SOFTMAX_FIRST": "softmax_before_cross_entropy" in s["fault"],
            "VALIDATES": validates,
            "TESTS": rows["test"] > 0,
            "MAY_LACK": any(METRICS[name].may_lack for name in measured),
            "KEEPS_BEST": keeps_best,
            "SELECTS": validates and (keeps_best or s["patience"] > 0 or together),
            "TOGETHER": together,
            "CLIP_TARGET": bool(together and s["clip_target"] and loss.task == "regression" and not joint),
            "BETAS": tuple(s["betas"] or BETAS),
            "WEIGHTED": weighted,
        },
        {
            "evaluate": _evaluation(run, measured, loss, weighted),
            "new_optimizer": _optimizer(s),
        },
    )
    if not unfinished:
        part.texts["STEPS"] = f"STEPS = EPOCHS * {per}  # updates"
    if curved:
        schedule = SCHEDULES[s["schedule"]]
        part.texts["curve"] = definition("curve(progress)", schedule.about, f"return {schedule.source}")
    if run.loss_function.classes:
        part.texts["loss_function"] = _loss_of_several(s, loss, part.values["SOFTMAX_FIRST"], weighted)
    elif loss.criterion is None:
        part.texts["loss_function"] = _loss_of_formula(loss, weighted)
    elif weighted:
        part.texts["loss_function"] = _weighted_loss(s, loss, part.values["SOFTMAX_FIRST"])
    elif part.values["SOFTMAX_FIRST"] or s["class_weights"] is not None:
        part.texts["criterion"] = f"criterion = {loss.function}"
    else:
        smoothing = "label_smoothing=LABEL_SMOOTHING" if s["label_smoothing"] > 0 else ""
        note = f"  # {loss.note}" if loss.note else ""
        assert loss.criterion is not None
        made = f"{class_name(loss.criterion)}({smoothing})"
        part.texts["loss_function"] = f"{before(loss.criterion)}loss_function = {made}{note}"
    part |= _changes(run)
    part.values["COUNTS_STEPS"] = bool(
        curved or warmup or unfinished or own or run.dropout or part.values["CHANGES"]
    )
    return part


def _loss_of_several(s: Mapping[str, Any], loss: LossKind, softmax_first: bool, weighted: bool) -> str:
    """Return the source of the loss for several class targets, preceded by the loss for one."""
    smoothing = ", label_smoothing=LABEL_SMOOTHING" if s["label_smoothing"] > 0 else ""
    fault = "# FAULT softmax_before_cross_entropy: the loss applies softmax itself, so it is applied twice"
    logits = "output.softmax(-1)" if softmax_first else "output"
    one = definition(
        "one_loss(output, y)",
        "the loss of one target's outputs",
        *([fault] if softmax_first else []),
        f"return F.cross_entropy({logits}, y{smoothing})",
    )
    if weighted:
        one = _weighted_loss(s, loss, softmax_first).replace("def loss_function(", "def one_loss(")
    every = definition(
        "loss_function(output, y)",
        "the mean of the targets' losses",
        *(["y, weight = y"] if weighted else []),
        f"parts = zip(output.split(SIZES, 1), {_columns(False, weighted)}, strict=True)",
        "return torch.stack([one_loss(*part) for part in parts]).mean()",
    )
    return f"{one}\n\n\n{every}"


def _columns(numbers: bool, weighted: bool) -> str:
    """Return the source for selecting each target's columns, perhaps with the rows' weights."""
    columns = "y.split(1, 1)" if numbers else "y.T"
    return f"[(column, weight) for column in {columns}]" if weighted else columns


def _loss_of_formula(loss: LossKind, weighted: bool) -> str:
    """Return the source of a loss that is a formula, and of that."""
    assert loss.terms is not None
    form, name = copied([loss.terms.term]), loss.terms.term.__name__
    levels = ", QUANTILES" if loss.reads else ""
    each = f"{name}(output.unbind(1), y[:, 0]{levels})" if loss.joint else f"{name}(output, y).mean(1)"
    lines = [f"return {each}.mean()"]
    if weighted:
        lines = ["y, weight = y", f"return (weight * {each}).sum() / weight.sum()"]
    made = definition("loss_function(output, y)", "The loss of these outputs", *lines)
    return "\n\n\n".join([*form.values(), made])


def _weighted_loss(s: Mapping[str, Any], loss: LossKind, softmax_first: bool) -> str:
    """Return the source of the loss of rows with weights."""
    assert loss.criterion is not None
    lines, options, counts = ["y, weight = y"], "", "weight"
    if softmax_first:
        lines += ["output = output.softmax(-1)  # FAULT softmax_before_cross_entropy: applied twice"]
    if s["class_weights"] is not None:
        lines += ["class_weights = torch.tensor(CLASS_WEIGHTS, dtype=output.dtype, device=output.device)"]
        options, counts = "class_weights, ", "(weight * class_weights[y])"
    if s["label_smoothing"] > 0:
        options += "label_smoothing=LABEL_SMOOTHING, "
    each = f'{class_name(loss.criterion)}({options}reduction="none")(output, y)'
    lines += [f"each = {each}{'' if loss.of_classes else '.mean(1)'}"]
    lines += [f"return (weight * each).sum() / {counts}.sum()"]
    about = "The loss of these outputs, in which each row counts as much as its weight"
    return before(loss.criterion) + definition("loss_function(output, y)", about, *lines)


def _evaluation(run: StoredRun, measured: Sequence[str], loss: LossKind, weighted: bool) -> str:
    """Return the source of the function that measures these metrics, after the functions that it calls."""
    several, threshold, log = len(run.by_target) > 1, run.threshold is not None, run.preparation.target_log
    linked = run.preparation.link.kind != "identity"
    numbers, one_output = loss.task == "regression", loss.task != "regression" and loss.outputs == 1
    words = {
        "guess": "(output[:, 0] > 0).long()" if one_output else "output.argmax(1)",
        "label": "label" if one_output else "y",
        "score": "output[:, 0]" if one_output else "output[:, -1] - output[:, 0]",
    }
    guess = []
    if threshold:
        share = "output[:, 0].float().sigmoid()" if one_output else "output.float().softmax(1)[:, 1]"
        usual, words["guess"] = words["guess"], "guess"
        guess = [f"guess = {usual} if threshold is None else ({share} >= threshold).long()"]
    form = "weighted" if weighted else "source"
    figures = {name: text.format(**words) for name in measured if (text := getattr(METRICS[name], form))}
    spread = "(y - y.mean()).square().sum()"
    if weighted:
        spread = "(share * (y - (share * y).sum()).square()).sum()"
    loss_name = "one_loss" if several and not numbers else "loss_function"
    loss_figure = "value.item()" if weighted or log or linked else f"{loss_name}(output, y).item()"
    answered = [
        "net.eval()",
        "with torch.no_grad():",
        "    output = torch.cat([net(part) for part in x.split(1024)]).cpu().double()",
    ]
    lines = [
        *(
            [
                f"value = {loss_name}(output, (y[0].double(), y[1]))"
                if numbers or one_output
                else f"value = {loss_name}(output, y)",
                "y, weight = y",
                "share = (weight.double() / weight.double().sum())[:, None]"
                if numbers
                else "share = weight.double() / weight.double().sum()",
            ]
            if weighted
            else []
        ),
        *(["y = y.double()"] if numbers or one_output else []),
        *(["label = y[:, 0].long()"] if one_output else []),
        *guess,
        *(["value = loss_function(output, y)"] if (log or linked) and not weighted else []),
        *POINTS.get(run.preparation.link.kind, []),
        *(["output, y, unit = *((v * unit + mean).exp() for v in (output, y)), 1"] if log else []),
        *([f"error, spread = output - y, {spread}"] if numbers else []),
        "return {",
        *(f'    "{name}": {figure},' for name, figure in {"loss": loss_figure, **figures}.items()),
        "}",
    ]
    about = "The figures on these rows: in evaluation mode and without gradients, in float64"
    unit = ", unit" if numbers else ", threshold=None" if threshold else ""
    functions = list(copied(function for name in figures if (function := METRICS[name].function)).values())
    if several:
        functions.append(definition(f"figures_of(output, y{unit})", "the figures of one target", *lines))
        outputs = "output.split(1, 1)" if numbers else "output.split(SIZES, 1)"
        lines = [
            *(["y, weight = y"] if weighted else []),
            f"parts = zip({outputs}, {_columns(numbers, weighted)}{unit}, strict=True)",
            "each = [figures_of(*part) for part in parts]  # of each target",
            "return {name: sum(one[name] for one in each) / len(each) for name in each[0]}",
        ]
    if numbers:
        scale = "mean, unit = scale  # of the target" if log else "unit = scale[1]  # of the target"
        unit, answered = ", scale", [scale, *answered]
    functions.append(definition(f"evaluate(net, x, y{unit})", about, *answered, *lines))
    return "\n\n\n".join(functions)


def planned_steps(run: StoredRun) -> int:
    """Return the planned number of updates."""
    s = run.first_settings
    return int(s["steps"] if s["steps"] is not None else s["epochs"] * run.spec.steps_per_epoch)


def _optimizer(s: Mapping[str, Any]) -> str:
    kind = OPTIMIZERS[s["optimizer"]]
    differs = {
        "momentum": s["momentum"] > 0,
        "weight_decay": s["weight_decay"] != signature(kind.torch).parameters["weight_decay"].default,
        "betas": tuple(s["betas"] or BETAS) != BETAS,
        "eps": s["eps"] != HP["eps"],
    }
    names = [name for name, differ in differs.items() if differ and name in kind.reads]
    args = ["parameters", "lr=LR", *(f"{name}={name.upper()}" for name in names)]
    if "nesterov" in kind.reads and s["nesterov"] and s["momentum"] > 0:
        args.append("nesterov=True")
    call = f"return {class_name(kind.torch)}({', '.join(args)})"
    return before(kind.torch) + definition("new_optimizer(parameters)", kind.about, call)


def _changes(run: StoredRun) -> ScriptPart:
    """Return the part for commands applied while the run trained, as tables {updates done: value}."""
    s, reads = run.first_settings, OPTIMIZERS[run.first_settings["optimizer"]].reads
    tables: dict[str, dict[int, Any]] = {}
    betas = tuple(s["betas"] or BETAS)
    later = (change for change in run.timeline.held() if change.step > newest(run.spec).start)
    for step, name, given in ((change.step, *item) for change in later for item in change.settings.items()):
        value: Any = checked_numbers(name, math.inf if given is None else given, 1)[0]
        if name in ("beta1", "beta2"):
            betas = (value, betas[1]) if name == "beta1" else (betas[0], value)
            name, value = "betas", betas
        tables.setdefault(name, {})[step] = value
    of_group = {name: table for name, table in tables.items() if name in reads}
    part = ScriptPart({"CHANGES": bool(of_group), "GROUP_FROM": of_group})
    for name in ("lr", "clip", "ema", "dropout"):
        if (table := tables.get(name)) and (name != "ema" or s["ema"]):
            part.values |= {"CHANGES": True, f"{name.upper()}_FROM": table}
    if "clip" in tables:
        values = (
            f"{step}: {'math.inf' if v == math.inf else literal(v)}" for step, v in tables["clip"].items()
        )
        since = "changed during training: {updates done: new value}"
        part.texts["CLIP_FROM"] = f"CLIP_FROM = {{{', '.join(values)}}}  # {since}"
        if s["clip"] is None:
            part.values["CLIP"], part.texts["CLIP"] = math.inf, "CLIP = math.inf  # no limit at first"
    return part
