"""The exported script of a run: the program with the run's values, without branches that they exclude."""

import ast
import contextlib
import io
import re
import shlex
import sys
import textwrap
from collections.abc import Callable, Iterable
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.files import as_portable
from treino.base.own_objects import is_own
from treino.data.dataset import Data
from treino.data.plain_cells import second_of
from treino.data.preparation.interpreter import FUNCTIONS, results, side_by_side
from treino.data.preparation.trees import tree_answers, tree_tables
from treino.data.rows import generator
from treino.data.splits import split
from treino.data.table import plain
from treino.engine import ACTIVATIONS, INITS, MLP
from treino.engine.augmentation import coarse, cut_out, pixel_places, resampled, uniform, whole_below
from treino.engine.defaults import dropout_of, plain_of
from treino.engine.ensemble import best_half
from treino.engine.gates import NO_TREES, gates_of
from treino.engine.nets import Residual, described, input_shape
from treino.engine.registries import foreign
from treino.engine.rng import member_seeds, mix, step_seed
from treino.folders.network_source import UserFiles, network_files, sealed_copy
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import newest
from treino.reports.export import Exported, has_weights, need_weights
from treino.reports.export.folding import before, class_name, copied, fixed
from treino.reports.export.script_data import (
    WIDTH,
    ScriptPart,
    definition,
    listing,
    literal,
    scale_of,
    source_part,
    target_scale_of,
    words_alone,
)
from treino.reports.export.script_training import planned_steps, training_part
from treino.settings.network_call import NetworkCall
from treino.settings.network_settings import LAYERS
from treino.settings.spec import read_settings

EXPORT_FOREIGN = Refusal(
    "A script of {run} would lack {names}, whose code is not treino's.",
    "Export the network alone: [[format=pt2]].",
)
EXPORT_NET_GIVEN = Refusal(
    "{run} trained a network that existed only in Python, so its first weights are gone.",
    "Write its class into a file and train with [[net=FILE.py:NAME]]; or use [[format=safetensors]].",
)
EXPORT_PRECISION = Refusal(
    "{run} was trained in bf16, and a script trains in float32: other numbers would come out.",
    "Use [[format=pt2]] or [[format=safetensors]] for its weights.",
)
EXPORT_NET_MADE = Refusal(
    "{name} in {file} is no class or function, so its first weights can't be had again.",
    "Train with its class, or a function that makes it; or use [[format=safetensors]].",
)

PROGRAM = {"program_data.py": "# ---- settings", "program.py": "# ---- network"}
"""The program's files, and the first line of each after its docstring and imports."""

COPIED: tuple[Callable[..., Any], ...] = (generator, step_seed, split)
COPIED += (plain, second_of, tree_tables, tree_answers, best_half, pixel_places, resampled, cut_out)
COPIED += (mix, whole_below, uniform, coarse)
COPIED += (results, side_by_side, *FUNCTIONS.values())
"""Functions of treino that the program calls; below, imports that only these functions need."""
IMPORTS = ("import datetime", "import itertools")

OF_FIRST_WEIGHTS = {"hidden", "activation", "seed", "data_seed"}
"""Settings of the first weights; if a segment from step 0 changes one, the run doesn't start from scratch."""


def script(run: StoredRun, without_rows: bool = False) -> Exported:
    """Write ``exports/NAME.py``, NAME.pt (the kept weights) and other files it needs; return the paths.

    The script trains from scratch; for a run that continued from other weights, or without the rows, it only
    predicts.

    Raises:
        TreinoError: a network that exists only in the process that trained it; data that is gone or changed;
            a run that didn't start from scratch and has no weights yet.
    """
    if names := foreign(run.first_settings):
        raise EXPORT_FOREIGN(run=run.name, names=", ".join(names))
    if run.resolved.precision == "bf16":
        raise EXPORT_PRECISION(run=run.name)
    part, data = script_parts(run, without_rows), run.data
    if not part.values["TRAINS"]:
        need_weights(run)
    text = f'"""{_head(run, data, part)}"""\n\n{script_body(part)}'
    apart = {name for name in part.files if name.partition(".")[0] not in text}
    part.files = {name: content for name, content in part.files.items() if name not in apart}
    for name in apart:  # of a script that was exported before
        (run.folder.path / "exports" / name).unlink(missing_ok=True)
    if has_weights(run):
        part.files[f"{_stem(run)}.pt"] = _weights(run, data)
    others = [run.folder.write_bytes(f"exports/{name}", content) for name, content in part.files.items()]
    return Exported((run.folder.write_bytes(f"exports/{_stem(run)}.py", text.encode()), *others))


def script_parts(run: StoredRun, without_rows: bool = False) -> ScriptPart:
    """Return everything in which the run's script differs from the program."""
    trains = _begins_anew(run) and not without_rows
    part = ScriptPart({"TRAINS": trains, "WEIGHTLESS": not has_weights(run)})
    for more in (training_part(run, run.data), source_part(run, run.data), _network(run)):
        part |= more
    return part


def script_body(part: ScriptPart, whole: bool = False) -> str:
    """Return the program with these values and texts; ``whole``: keep branches that they exclude."""
    source = program(part.imports)
    values: dict[str, Any] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign):
            with contextlib.suppress(ValueError):  # not a literal
                values |= {ast.unparse(name): ast.literal_eval(node.value) for name in node.targets}
    comments = dict(re.findall(r"^(\w+) = [^=\n]*?(  # .*)?$", source, re.M))
    texts = {}
    for name in comments.keys() & part.values.keys() - part.texts.keys():
        value = part.values[name]
        written = listing(name, value) if isinstance(value, list | tuple | dict) else literal(value)
        line, comment = f"{name} = {written}", comments[name]
        texts[name] = line + comment if len(line + comment) <= WIDTH else f"{comment.strip()}\n{line}".strip()
    return fixed(source, {} if whole else values | part.values, texts | part.texts)


def program(imports: Iterable[str] = ()) -> str:
    """Return the whole program, from its imports on, with the functions of treino that it calls.

    imports: additional import lines.
    """
    texts = [(Path(__file__).parent / name).read_text("utf-8") for name in PROGRAM]
    heads, (data, training) = zip(*map(str.split, texts, PROGRAM.values(), (1, 1)), strict=True)
    lines = set(re.findall(r"^(?:import|from) (?!treino).*", "\n".join([*heads, *IMPORTS, *imports]), re.M))
    standard = {line for line in lines if line.split()[1] in sys.stdlib_module_names}
    groups = ["\n".join(sorted(group, key=_place)) for group in (standard, lines - standard)]
    settings, _mark, data = data.partition("# ---- data")
    functions = "\n\n\n".join(copied(COPIED).values())
    parts = [f"# ---- settings{settings.rstrip()}", functions, f"# ---- data{data.rstrip()}"]
    return "\n\n".join([*groups, "\n\n\n".join([*parts, f"# ---- network{training}"])])


def _place(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line.split()[1]


def _begins_anew(run: StoredRun) -> bool:
    """Whether the run trained from the first weights of its seed, with its present settings."""
    changed = {name for change in run.timeline.held() for name in change.settings}
    return not run.spec.weights and newest(run.spec).start == 0 and not changed & OF_FIRST_WEIGHTS


def _stem(run: StoredRun) -> str:
    """Return the script's name: the run's, unless it would hide a library from the script."""
    libraries = {*sys.stdlib_module_names, "numpy", "scipy", "sklearn", "torch"}
    stem = as_portable(run.name)
    return f"{stem}_script" if stem in libraries else stem


def _weights(run: StoredRun, data: Data) -> bytes:
    """Return the file that the script would save after training, with the run's kept weights."""
    saved: dict[str, Any] = {"net": dict(run.tensors)}
    if data.preparation.normalise:
        mean, std = scale_of(data)
        saved |= {"mean": torch.as_tensor(mean), "std": torch.as_tensor(std)}
    if not data.classes:
        saved["target"] = torch.tensor(target_scale_of(data), dtype=torch.float64)
    kept = io.BytesIO()
    torch.save(saved, kept)
    return kept.getvalue()


# ---- the head


def _head(run: StoredRun, data: Data, part: ScriptPart) -> str:
    """Return the text of the script's docstring."""
    s = run.first_settings
    columns = f"{len(data.features)} columns" if len(data.features) > 1 else "one column"
    row = "row"
    if data.preparation.fit is not None and data.preparation.picture_shape is not None:
        channels, height, width = data.preparation.picture_shape
        row, columns = "picture", f"{width} × {height} pixels in {'grey' if channels == 1 else 'colour'}"
    learnt = " and ".join(
        f"one of {len(one.classes)} classes" if one.classes else words_alone(one.target)
        for one in data.by_target
    )
    what = f"{learnt} for each {row} of {words_alone(data.name)}, from {columns}"
    notes = []
    if s["engine"] != "module":
        notes.append(
            f"The run was trained by other code (the engine {words_alone(s['engine'])}) that rounds "
            "differently: losses agree closely in the first epoch and may drift apart later, as they would "
            "on another machine."
        )
    if run.status not in ("finished", "diverged"):
        notes.append(
            f"The run was {run.status} after {len(run.losses)} steps; this trains all "
            f"{planned_steps(run)} that were planned."
        )
    if s["ensemble"] > 1:
        best = "The best half by the validation figure answer" if len(data.validation) else "They answer"
        networks = sum(map(bool, s["member_epochs"])) if s["member_epochs"] else s["ensemble"]
        notes.append(
            f"{networks} networks are trained, one after the other. {best} together: the mean of their "
            f"{'probabilities' if data.classes else 'values'}."
        )
    if not has_weights(run):
        notes.append("No weights were kept so far: train before you predict.")
    if not part.values["TRAINS"] and _begins_anew(run):
        notes = ["It was exported without the rows: this predicts with the run's weights, and doesn't train."]
    elif not part.values["TRAINS"]:
        notes = [
            f"The run began with the weights of {words_alone(run.spec.weights)}, and not anew: this predicts "
            "with those that it kept, and doesn't train."
            if run.spec.weights
            else "The run went on from one of its steps with other settings: this predicts with the weights "
            "that it kept, and doesn't train."
        ]
    if run.judged is not None:
        notes.append(
            f"It is the refit of {words_alone(run.name)}: it was trained on all rows, also on those that the "
            "run's figures are of."
        )
    printed = (
        "The last line that training prints is JSON: `loss` and `losses`, the mean training loss of the last "
        "and of all epochs, and `test`, the figures on test rows."
    )
    paragraphs = [
        textwrap.fill(f"{words_alone(run.name)}: {what}, in plain PyTorch.", WIDTH - 3),
        _usage(run, part),
        *([textwrap.fill(printed, WIDTH)] if part.values["TRAINS"] else []),
        *([textwrap.fill(" ".join(notes), WIDTH)] if notes else []),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _usage(run: StoredRun, part: ScriptPart) -> str:
    """Describe the script's commands, in two columns if they fit."""
    typed = words_alone("python " + shlex.quote(f"{_stem(run)}.py"))
    table = {
        typed: f"trains from scratch; the weights go to {words_alone(_stem(run))}.pt",
        f"{typed} predict FILE.csv": "prints a prediction for each row of a CSV file",
    }
    if part.values.get("FILES"):
        table = {
            typed: table[typed],
            f"{typed} FOLDER": "trains on the pictures where they lie now",
            f"{typed} predict FOLDER": "prints a prediction for each picture of a folder",
        }
    if not part.values["TRAINS"]:
        table = {words: does for words, does in table.items() if " predict " in words}
    elif part.values.get("READS_TABLE"):
        table[f"{typed} FILE.csv"] = "trains on the table where it lies now"
    wide = max(map(len, table))
    between = "  " if wide + max(map(len, table.values())) + 6 <= WIDTH else "\n        "
    words = [(typed if "\n" in between else typed.ljust(wide), does) for typed, does in table.items()]
    return "\n".join(f"    {typed}{between}{does}" for typed, does in words)


# ---- the network


def _network(run: StoredRun) -> ScriptPart:
    s, device = run.first_settings, run.first_settings["device"]
    part = ScriptPart(
        {
            "SEEDS": list(member_seeds(s["seed"], s["ensemble"])),
            "DEVICE": device,
            "ON_DEVICE": device != "cpu",
            "CUDA": device.startswith("cuda"),
        }
    )
    if device != "cpu":
        there = f"torch.{'cuda' if device.startswith('cuda') else 'backends.mps'}.is_available()"
        part.texts["DEVICE"] = f'DEVICE = {literal(device)} if {there} else "cpu"'
    part |= _layers(run) if run.spec.net in LAYERS else _own(run)
    return part


def _own(run: StoredRun) -> ScriptPart:
    """Return the part for a user's network: its file beside the script, under a name made from the run's."""
    if run.spec.net == "given":
        raise EXPORT_NET_GIVEN(run=run.name)
    call = NetworkCall.read(str(run.asked_settings["net"]))
    word = call.of
    if any(map(is_own, call.arguments.values())):  # classes or functions given in Python
        raise EXPORT_NET_GIVEN(run=run.name)
    if (net_file := run.access.net_file) is not None:
        file = network_files(UserFiles(net_file), [word])[word]
        name, content = file.name, file.source
    else:
        name, content = sealed_copy(run.folder, word)
    if not _constructs(content, name):
        raise EXPORT_NET_MADE(name=name, file=word.rpartition(":")[0])
    module = re.sub(r"\W", "_", f"{run.name}_net", flags=re.ASCII)
    module = module if module.isidentifier() else f"net_{module}"
    part = ScriptPart({"OWN": True, "DROPS": True}, files={f"{module}.py": content})
    if b"Lazy" in content:
        part.values |= {"LAZY": True, "ITEM": tuple(run.spec.item_shape)}
    part.imports = (f"from {module} import {name}",)
    made = f"{name}({', '.join(f'{argument}={value!r}' for argument, value in call.arguments.items())})"
    part.texts["architecture"] = definition(
        "architecture()", "the network of the run's own", f"return {made}"
    )
    return part


def _constructs(content: bytes, name: str) -> bool:
    """Whether the file defines a class or function of this name."""
    try:
        body = ast.parse(content).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # not the file that was trained
        return False
    return any(isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name for node in body)


def _layers(run: StoredRun) -> ScriptPart:
    """Return the part for layers of treino's: fully connected ones, perhaps after convolutions."""
    s, part = run.first_settings, ScriptPart()
    init, act = INITS[s["init"] or "default"], ACTIVATIONS[s["activation"]]
    requested = read_settings(run.asked_settings)
    rates, plain = dropout_of(requested), plain_of(requested)
    part.values = {
        "DROPS": run.dropout > 0,
        "DROPOUT": s["dropout"],
        "DROPOUTS": rates if isinstance(rates, list) else [],
        "GATES": s["gates"],
    }
    lines = []
    if s["gates"]:
        preparation = run.preparation
        columns, bins = preparation.input_columns, preparation.input_bins
        gates = gates_of(run.spec.inputs, columns, bins, s["gates"])
        lines = ["ColumnGates(),"]
        closed = {member: gates.closed(kind) for member, kind in enumerate(plain) if gates.closed(kind)}
        part.values |= {"GATE_OF": list(gates.column_D), "CLOSED_GATES": closed}
        if preparation.trees:
            part.values["TREELESS"] = [kind >= NO_TREES for kind in plain]
    layers = described(run.resolved, s["hidden"], run.dropout)
    net = layers.module(input_shape(layers, run.spec.item_shape), run.spec.outputs)
    for layer in net:
        lines += _layer(layer, sum(line.startswith("Dropout") for line in lines))
    flat = isinstance(layers, MLP)
    drawn = [init.source.format(gain=act.gain), "nn.init.zeros_(layer.bias)"]
    named = re.search(r"\bg\b", init.source)  # it draws by the generator
    if init.draw is None:
        drawn = ["bound = layer.in_features**-0.5" if flat else "bound = layer.weight[0].numel() ** -0.5"]
        drawn += [f"nn.init.uniform_(layer.{name}, -bound, bound)" for name in ("weight", "bias")]
    blocks = any(isinstance(layer, Residual) for layer in net)
    classes = before(type(act.module())) + (before(Residual) if blocks else "")
    part.texts["new_net"] = classes + definition(
        "new_net(seed)",
        "a network with the first weights of this seed",
        "net = nn.Sequential(",
        *(f"    {line}" for line in lines),
        ")",
        f'{"g = " if named else ""}torch.manual_seed(generator(seed, "init").initial_seed())',
        f"for layer in net{'' if flat else '.modules()'}:  # {init.about}",
        f"    if isinstance(layer, {'nn.Linear' if flat else 'nn.Conv2d | nn.Linear'}):",
        *(f"        {line}" for line in drawn),
        "return net",
    )
    return part


def _layer(layer: nn.Module, drops: int) -> list[str]:
    """Return the lines that construct a layer. drops: number of dropout layers before it."""
    if isinstance(layer, Residual):
        inner = [f"    {line}" for part in layer for line in _layer(part, drops)]
        return ["Residual(", *inner, "),"]
    if isinstance(layer, nn.Dropout):
        return [f"Dropout({drops}),"]
    place = class_name(type(layer)).removesuffix(type(layer).__name__)
    if not place:  # a class that the script contains
        return [f"{layer!r},".replace("'", '"')]
    words, usual = [], getattr(layer, "kernel_size", None)  # the stride of a pool
    for name, parameter in signature(type(layer)).parameters.items():
        value = getattr(layer, name, parameter.default)
        if isinstance(value, Tensor) or value in (parameter.default, usual if name == "stride" else None):
            continue
        if isinstance(value, tuple) and len({*value}) == 1:
            value = value[0]
        if value != parameter.default:
            words.append(
                literal(value) if parameter.default is Parameter.empty else f"{name}={literal(value)}"
            )
    return [f"{place}{type(layer).__name__}({', '.join(words)}),"]
