"""The training part of the exported script: loss, optimizer, schedule, loop, and changes on the way."""

import math
from collections.abc import Mapping
from typing import Any

from treino.data.dataset import Data
from treino.engine import HP, LOSSES, METRICS, OPTIMIZERS, SCHEDULES
from treino.engine.chunk import EVALUATION_ROWS
from treino.engine.hyperparameters import checked_numbers
from treino.engine.kernels.selection import torch_threads_of
from treino.engine.optim import BETAS
from treino.engine.step_plan import EVALUATION_SPACING
from treino.engine.value_checks import known
from treino.export.own_classes import class_name
from treino.export.script_part import WIDTH, ScriptPart, listing, literal, words_alone
from treino.records.segments import newest, setting_commands
from treino.records.stored_run import StoredRun


def training_part(run: StoredRun, data: Data, reads_table: bool) -> ScriptPart:
    s, part, own = run.settings, ScriptPart(), run.spec.net != "mlp"
    rows = {split: len(r) for split, r in data.splits.items()}
    per, steps = int(run.spec.steps_per_epoch), planned_steps(run)
    epochs, every = -(-steps // per), -(-EVALUATION_SPACING // per)
    batches, device = s["batch_size"] != "full", s["device"] != "cpu"
    loss = LOSSES[s["loss"]]
    regression, bce = data.task == "regression", data.task != "regression" and loss.outputs == 1
    keeps_best = s["keep"] == "best" and rows["validation"] > 0
    scheduled = s["schedule"] != "constant" or s["warmup"] > 0
    smooth, weighted = s["label_smoothing"] > 0, s["class_weights"] is not None
    softmax = "softmax_before_cross_entropy" in s["fault"]
    unfinished = steps % per > 0
    measured = [n for n, m in METRICS.items() if m.task == data.task and (m.always or n == s["metric"])]
    functions = [METRICS[name].function.strip() for name in measured if METRICS[name].function]
    figures = [_figure(name, bce) for name in measured]
    part.flag(
        batches=batches, unfinished=unfinished, curved=s["schedule"] != "constant", scheduled=scheduled,
        warmup=s["warmup"] > 0, patience=s["patience"] > 0, keeps_best=keeps_best, clip=s["clip"] is not None,
        clips=s["clip"] is not None, ema=s["ema"] > 0, summed="missing_zero_grad" in s["fault"],
        softmax=softmax, bce=bce,
        validates=rows["validation"] > 0, tests=rows["test"] > 0,
        evaluates=rows["validation"] + rows["test"] > 0,
        many=max(rows["validation"], rows["test"]) > EVALUATION_ROWS,
        undefined=any(METRICS[name].may_lack for name in measured),
        figure_functions=bool(functions),
        evaluates_rarely=rows["validation"] > 0 and every > 1,
        once=s["shuffle"] == "once" and batches, unshuffled=s["shuffle"] == "off" and batches,
        each=s["shuffle"] == "each" and batches, function=weighted or softmax, class_weights=weighted,
        label_smoothing=smooth, stepped=scheduled or unfinished, group=scheduled, sets_lr=scheduled,
    )  # fmt: skip
    parts = [split for split in rows if rows[split]]
    smoothing = ["label_smoothing=LABEL_SMOOTHING"] if smooth else []
    progress = "(step - WARMUP) / (STEPS - WARMUP)" if s["warmup"] else "step / STEPS"
    schedule = SCHEDULES[s["schedule"]]
    curved = s["schedule"] != "constant"
    documents = [*(["a rise"] if s["warmup"] else []), *([schedule.about] if curved else [])]
    part.values |= {
        "lr": literal(s["lr"]),
        "warmup": literal(min(s["warmup"], steps)),
        "clip": literal(s["clip"]),
        "ema": literal(s["ema"]),
        "label_smoothing": literal(s["label_smoothing"]),
        "class_weights": listing("CLASS_WEIGHTS", s["class_weights"] or []),
        "batch_size": literal(s["batch_size"]),
        "epochs": literal(epochs),
        "steps": literal(steps),
        "steps_per_epoch": literal(per),
        "evaluate_every": literal(every),
        "patience": literal(s["patience"]),
        "metric": literal(s["metric"]),
        "metric_name": words_alone(s["metric"]),
        "threads": literal(torch_threads_of(s["engine"], s["threads"])),
        "loss": f"{class_name(loss.criterion)}({', '.join(smoothing)})",
        "loss_takes": f"  # {loss.note}" if loss.note else "",
        "loss_function": loss.function,
        "loss_args": "".join(f", {arg}" for arg in ["weight=weight"] * weighted + smoothing),
        "loss_doc": f"{loss.about[0].upper()}{loss.about[1:]}.",
        "schedule_doc": ", then ".join(documents),
        "schedule": schedule.source,
        "progress": progress,
        "unit": ", unit" if regression else "",
        "deviation": ", std_y" if regression else "",
        "to_cpu": ".cpu()" if device else "",
        "exact_y": "y.double()" if regression or bce else "y",
        "figure_functions": "\n\n\n".join(functions),
        "figure_lines": "\n    ".join(figures),
        "probability": "torch.cat([torch.sigmoid(-output), torch.sigmoid(output)], dim=1)"
        if bce else "net(x).softmax(1)",
        "prepare_part": _prepared(parts, data, bce),
        "load_part": "\n    ".join(_loaded(parts, data, run, bce)),
        "worst": "math.inf" if METRICS[s["metric"]].better < 0 else "-math.inf",
        "better": "<" if METRICS[s["metric"]].better < 0 else ">",
        "x_batch": "x_train[rows]" if batches else "x_train",
        "y_batch": "y_train[rows]" if batches else "y_train",
        "zero_args": "set_to_none=False" if own else "",
        "parameters": "trained" if own else "net.parameters()",
        "times_factor": " * factor(step)" if scheduled else "",
        "saved": _saved(data),
        "split_names": ", ".join(split if rows[split] else f"_{split}" for split in rows),
        "saved_scale": ', saved["mean"], saved["std"]' if data.preparation.normalise else "",
        "final_loss": "losses[-1] if losses else None",
        "json_test": ', "test": figures' if rows["test"] else "",
        "alone": 'len(sys.argv) <= 2 and sys.argv[-1] != "predict"'
        if reads_table
        else "len(sys.argv) == 1",
    }  # fmt: skip
    part |= _optimizer(s, "trained" if own else "net.parameters()")
    part |= _ensemble(s, rows["validation"] > 0)
    return part


def _ensemble(s: Mapping[str, Any], validates: bool) -> ScriptPart:
    """How several networks answer together, and which of them."""
    part, loss = ScriptPart(), LOSSES[s["loss"]]
    limited = s["clip_target"] and loss.task == "regression"
    part.flag(together=s["ensemble"] > 1, limited=limited)
    mean, of = ["return output.mean(0)"], "values"
    if limited:
        mean, of = ["return output.mean(0).clamp(*self.limits)"], "values, within those of the training rows"
    if loss.of_classes:
        mean = ["return output.log_softmax(-1).logsumexp(0) - math.log(len(output))"]
    elif loss.task == "classification":
        mean = ["yes, no = (F.logsigmoid(sign * output).logsumexp(0) for sign in (1, -1))", "return yes - no"]
    if loss.task == "classification":
        of = "probabilities, as logits"
    part.values |= {
        "mean": "\n        ".join(mean),
        "mean_doc": f"The mean of the networks' {of}.",
        "figure": "best" if validates else "0.0",
        "by_figure": "one[0]" if METRICS[s["metric"]].better < 0 else "-one[0]",
        "half": "able[: -(-len(SEEDS) // 2)]" if validates else "able",
        "each_name": 'saved["net"] if name != "limits"' if limited else 'saved["net"]',
    }
    return part


def _figure(name: str, one_logit: bool) -> str:
    """The line that measures it."""
    found = {
        "guess": "(output[:, 0] > 0).long()" if one_logit else "output.argmax(1)",
        "label": "label" if one_logit else "y",
        "score": "output[:, 0]" if one_logit else "output[:, -1] - output[:, 0]",
    }
    return f'figures["{name}"] = {METRICS[name].source.format(**found)}'


def planned_steps(run: StoredRun) -> int:
    """Planned updates."""
    s = run.settings
    return int(s["steps"] if s["steps"] is not None else s["epochs"] * run.spec.steps_per_epoch)


def _optimizer(s: Mapping[str, Any], parameters: str) -> ScriptPart:
    kind, part, args = OPTIMIZERS[s["optimizer"]], ScriptPart(), [parameters, "lr=LR"]
    used = {
        "momentum": s["momentum"] > 0,
        "weight_decay": s["weight_decay"] > 0,
        "betas": tuple(s["betas"] or ()) != BETAS,
        "eps": s["eps"] != HP["eps"],
    }
    for name, differs in used.items():
        if differs and name in kind.reads:
            part.flag(**{name: True})
            part.values[name] = literal(tuple(s[name]) if name == "betas" else s[name])
            args.append(f"{name}={name.upper()}")
    if "nesterov" in kind.reads and s["nesterov"] and s["momentum"] > 0:
        args.append("nesterov=True")
    head, inner = f"{class_name(kind.torch)}(", ", ".join(args)
    short = len(head) + len(inner) + 21 + 4 * (s["ensemble"] > 1) <= WIDTH
    part.values["optimizer"] = f"{head}{inner})" if short else f"{head}\n        {inner}\n    )"
    return part


def _prepared(parts: list[str], data: Data, bce: bool) -> str:
    scale = ", mean, std" if data.preparation.normalise else ""
    y = "torch.tensor(label[rows, None], dtype=torch.float32)" if bce else "torch.tensor(label[rows])"
    if not data.classes:
        y = "torch.tensor((target[rows, None] - mean_y) / std_y).float()"
    lines = [f"splits = {', '.join(parts)}" if len(parts) > 1 else f"splits = ({parts[0]},)"]
    for name, value in (("x", f"prepare(raw[rows]{scale})"), ("y", y)):
        names = ", ".join(f"{name}_{split}" for split in parts)
        line = f"{names if len(parts) > 1 else f'({names},)'} = ({value} for rows in splits)"
        if len(line) > WIDTH - 4:
            line = line.replace(" = (", " = (\n        ")[:-1] + "\n    )"
        lines.append(line)
    return "\n    ".join(lines)


def _loaded(parts: list[str], data: Data, run: StoredRun, bce: bool) -> list[str]:
    shape = run.item_shape
    shaped = f".reshape({', '.join(map(str, (-1, *shape)))})" if shape and len(shape) > 1 else ""
    lines = []
    for split in parts:
        float_y = ".float()[:, None]" if bce else ""
        lines.append(f'x_{split} = torch.tensor(rows["x_{split}"]){shaped}')
        lines.append(f'y_{split} = torch.tensor(rows["y_{split}"]){float_y}')
    if data.preparation.normalise:
        lines.append('mean, std = torch.tensor(rows["mean"]), torch.tensor(rows["std"])')
    if not data.classes:
        lines.append('mean_y, std_y = rows["target"].tolist()')
    return lines


def _saved(data: Data) -> str:
    names = [*(["mean", "std"] if data.preparation.normalise else [])]
    entries = ['"net": net.state_dict()', *(f'"{name}": {name}' for name in names)]
    if not data.classes:
        entries.append('"target": (mean_y, std_y)')
    return "{" + ", ".join(entries) + "}"


# ---- what was changed while it trained


def changes_part(run: StoredRun) -> ScriptPart:
    """The commands that were applied, as tables {updates done: value} and the lines that look into them."""
    s, part, reads = run.settings, ScriptPart(), OPTIMIZERS[run.settings["optimizer"]].reads
    found: dict[str, dict[int, float]] = {}
    for command in setting_commands(run.folder):
        if command.segment == newest(run.spec).number:
            name = known("setting", command.name, HP)
            value = math.inf if command.value is None else command.value
            found.setdefault(name, {})[command.step or 0] = checked_numbers(name, value, 1)[0]
    lines, settings = [], []
    for name, table in found.items():
        from_ = f"{name.upper()}_FROM"
        if name == "lr":
            lines.append(f"lr = {from_}.get(step, lr)")
        elif name == "clip":
            lines.append(f"clip = {from_}.get(step, clip)")
        elif name == "ema":
            lines.append(f"ema = {from_}.get(step, ema)")
        elif name == "dropout":
            lines.append(f"Dropout.p = {from_}.get(step, Dropout.p)")
        elif name in ("beta1", "beta2") and "betas" in reads:
            now = [f'group["betas"][{i}]' for i in range(2)]
            place = int(name[-1]) - 1
            now[place] = f"{from_}.get(step, {now[place]})"
            lines.append(f'group["betas"] = ({", ".join(now)})')
        elif name in reads:
            lines.append(f'group["{name}"] = {from_}.get(step, group["{name}"])')
        else:
            continue  # this optimizer does not look at it
        values = ", ".join(f"{step}: {_number(value)}" for step, value in table.items())
        settings.append(f"{from_} = {{{values}}}  # set while it trained: from so many updates on")
    part.flag(
        changes=bool(lines), stepped=bool(lines), group=bool(lines), change_lr="lr" in found,
        sets_lr="lr" in found, change_clip="clip" in found, clips="clip" in found,
        change_ema="ema" in found,
    )  # fmt: skip
    part.values |= {
        "changes": "\n".join(settings),
        "change_lines": "\n            ".join(lines),
        "base_lr": "lr" if "lr" in found else "LR",
        "first_clip": "CLIP" if s["clip"] is not None else "math.inf",
        "clip_value": "clip" if "clip" in found else "CLIP",
        "ema_now": "ema" if "ema" in found else "EMA",
    }
    return part


def _number(value: float) -> str:
    return "math.inf" if value == float("inf") else literal(value)
