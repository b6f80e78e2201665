"""The exported script of a run: the flags and values with which its template is filled."""

import ast
import io
import re
import shlex
import sys
import textwrap
from collections.abc import Set
from typing import Any

import numpy as np
import torch
from torch import nn

from treino.data.dataset import Data
from treino.engine import ACTIVATIONS, INITS, mlp
from treino.engine.gates import Gates, gates_of
from treino.engine.rng import member_seeds
from treino.errors import TreinoError
from treino.export.exported import Exported, has_weights, need_weights
from treino.export.own_classes import class_name, definitions
from treino.export.predicting_half import predicting_half
from treino.export.script_data import scale_of, source_part
from treino.export.script_part import WIDTH, ScriptPart, listing, literal, words_alone
from treino.export.script_template import render
from treino.export.script_training import changes_part, planned_steps, training_part
from treino.records.network_source import UserFiles, network_files, sealed_copy
from treino.records.segments import path_of
from treino.records.stored_run import StoredRun
from treino.spec import read_settings
from treino.training.resolution import dropout_of, plain_of
from treino.words import _

LIBRARIES = {
    **{name: f"import {name}" for name in (
        "copy", "csv", "datetime", "functools", "gzip", "hashlib", "itertools", "json", "math",
        "os", "re", "sys")},
    "Path(": "from pathlib import Path",
    "np": "import numpy as np",
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
    "nn": "from torch import nn",
}  # fmt: skip

OF_FIRST_WEIGHTS = ("hidden", "activation", "seed", "data_seed")
"""Settings that are others than the first weights' where a run went on from step 0 with another one."""


def script(run: StoredRun) -> Exported:
    """``exports/NAME.py``, and beside it NAME.pt (the kept weights) and what else it needs; -> the script.

    It begins anew: of a run that went on from other weights it predicts, and doesn't train.

    Raises:
        TreinoError: a network that exists only in the process that trained it; data that is gone or changed;
            a run that didn't begin anew and has no weights yet.
    """
    trains = _begins_anew(run)
    if not trains:
        need_weights(run)
    part = _own(run)
    part.flag(trains=trains)
    data = run.data
    part |= source_part(run, data)
    part |= training_part(run, data, "csv" in part.flags)
    part |= _network(run, data)
    part |= _head(run, data, part)
    part.values["definitions"] = definitions(run)
    part.flag(defines=bool(part.values["definitions"]))
    part |= changes_part(run)
    text = render(part.flags, part.values, dedent="batches" not in part.flags)
    text = _with_imports(text if trains else predicting_half(text), part)
    part.files = {name: content for name, content in part.files.items() if name.partition(".")[0] in text}
    if has_weights(run):
        part.files[f"{_stem(run)}.pt"] = _weights(run, data)
    more = [run.folder.write_bytes(f"exports/{name}", content) for name, content in part.files.items()]
    return Exported((run.folder.write_bytes(f"exports/{_stem(run)}.py", text.encode()), *more))


def _begins_anew(run: StoredRun) -> bool:
    """Whether it was trained from first weights of its seed, with the settings that it has at its end."""
    path = [link.segment for link in path_of(run.spec)]
    asked = [[segment.asked.get(name) for name in OF_FIRST_WEIGHTS] for segment in path]
    return (
        not run.spec.weights
        and path[-1].start == 0
        and not any(segment.changes for segment in path)
        and asked[0] == asked[-1]
    )


def _stem(run: StoredRun) -> str:
    """The script's name: the run's, where that wouldn't hide a library from the script."""
    libraries = {*sys.stdlib_module_names, "numpy", "scipy", "sklearn", "torch"}
    return f"{run.name}_script" if run.name in libraries else run.name


def _weights(run: StoredRun, data: Data) -> bytes:
    """What the script itself saves after training, of the weights that the run kept."""
    saved: dict[str, Any] = {"net": dict(run.tensors)}
    if data.preparation.normalise:
        mean, std = scale_of(data)
        saved |= {"mean": torch.as_tensor(mean), "std": torch.as_tensor(std)}
    if not data.classes:
        prep = data.preparation
        saved["target"] = (prep.target_mean, prep.target_scale)
    kept = io.BytesIO()
    torch.save(saved, kept)
    return kept.getvalue()


# ---- the head


def _head(run: StoredRun, data: Data, made: ScriptPart) -> ScriptPart:
    s, part = run.settings, ScriptPart()
    columns = f"{len(data.features)} columns" if len(data.features) > 1 else "one column"
    learnt = f"one of {len(data.classes)} classes" if data.classes else words_alone(data.target)
    what = f"{learnt} for each row of {words_alone(data.name)}, from {columns}"
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
        notes.append(
            f"{s['ensemble']} networks are trained, one after the other. {best} together: the mean of their "
            f"{'probabilities' if data.classes else 'values'}."
        )
    if not has_weights(run):
        notes.append("No weights were kept so far: train before you predict.")
    if "trains" not in made.flags:
        notes = [
            f"The run began with the weights of {words_alone(run.spec.weights)}, and not anew: this predicts "
            "with those that it kept, and doesn't train."
            if run.spec.weights
            else "The run went on from one of its steps with other settings: this predicts with the weights "
            "that it kept, and doesn't train."
        ]
    part.flag(notes=bool(notes), weightless=not has_weights(run))
    part.values |= {
        "title": textwrap.fill(f"{words_alone(run.name)}: {what}, in plain PyTorch.", WIDTH - 3),
        "usage": _usage(run, made.flags),
        "notes": "\n" + textwrap.fill(" ".join(notes), WIDTH),
        "seed": literal(s["seed"]),
        "seeds": listing("SEEDS", member_seeds(s["seed"], s["ensemble"])),
        "seed_of": "of the first weights"
        + (" and of what dropout leaves out" if s["dropout"] or run.spec.net != "mlp" else ""),
        "data_seed": literal(s["data_seed"]),
        "data_seed_of": "of the order of the rows" if "memory" in made.flags
        else "of the split and of the order of the rows",
    }  # fmt: skip
    return part


def _usage(run: StoredRun, flags: Set[str]) -> str:
    """What can be typed, and what it does; in two columns where they fit."""
    typed = words_alone("python " + shlex.quote(f"{_stem(run)}.py"))
    table = {
        typed: f"trains from scratch; the weights go to {words_alone(_stem(run))}.pt",
        f"{typed} predict FILE.csv": "prints a prediction for each row of a CSV file",
    }
    if "trains" not in flags:
        del table[typed]
    elif "csv" in flags:
        table[f"{typed} FILE.csv"] = "trains on the table where it lies now"
    wide = max(map(len, table))
    if wide + max(map(len, table.values())) + 6 <= WIDTH:
        return "\n".join(f"    {words.ljust(wide)}  {does}" for words, does in table.items())
    return "\n".join(f"    {words}\n        {does}" for words, does in table.items())


# ---- the network


def _own(run: StoredRun) -> ScriptPart:
    """A network of the user's own: its file beside the script, under a name of the run's."""
    kind = run.spec.net
    if kind == "mlp":
        return ScriptPart()
    if kind == "given":
        raise TreinoError(
            "export_net_given",
            _("{run} trained a network that existed only in Python, so its first weights are gone.").format(
                run=run.name
            ),
            _(
                "Write its class into a file and train with [[net=FILE.py:NAME]]; or use "
                "[[format=safetensors]]."
            ),
        )
    word = str(run.spec.asked["net"])
    if (given := run.access.net_file) is not None:
        file = network_files(UserFiles(given), [word])[word]
        name, content = file.name, file.source
    else:
        name, content = sealed_copy(run.folder, word)
    if not _constructs(content, name):
        raise TreinoError(
            "export_net_made",
            _("{name} in {file} is no class or function, so its first weights can't be had again.").format(
                name=name, file=word.rpartition(":")[0]
            ),
            _("Train with its class, or a function that makes it; or use [[format=safetensors]]."),
        )
    module = re.sub(r"\W", "_", f"{run.name}_net", flags=re.ASCII)
    module = module if module.isidentifier() else f"net_{module}"
    part = ScriptPart(files={f"{module}.py": content})
    part.flag(own=True, mix=True, hashed=True, lazy=b"Lazy" in content, stepped=True)
    part.values |= {
        "own_name": name,
        "own_module": module,
        "item": ", ".join(map(literal, run.spec.item_shape)),
    }
    return part


def _constructs(content: bytes, name: str) -> bool:
    """Whether the file defines a class or a function of that name."""
    try:
        body = ast.parse(content).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # it can't be the file that was trained
        return False
    return any(isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name for node in body)


def _network(run: StoredRun, data: Data) -> ScriptPart:
    s, part = run.settings, ScriptPart()
    part.flag(device=s["device"] != "cpu", cuda=s["device"].startswith("cuda"))
    own = run.spec.net != "mlp"
    part.values |= {
        "dropout_args": "p, layer" if own else "layer",
        "dropout": literal(s["dropout"]),
        "to_h": ".to(h.device)" if s["device"] != "cpu" else "",
        "on_device": ", device=output.device" if s["device"] != "cpu" else "",
        "device": literal(s["device"]),
        "backend": "cuda" if s["device"].startswith("cuda") else "backends.mps",
    }
    if own:
        return part
    init, act = INITS[s["init"] or "default"], ACTIVATIONS[s["activation"]]
    part.flag(
        dropout=s["dropout"] > 0, hashed=s["dropout"] > 0, mix=s["dropout"] > 0, stepped=s["dropout"] > 0,
        init_default=init.draw is None, draws=init.draw is None or _uses_generator(init.source),
    )  # fmt: skip
    gates = _gates(run) if s["gates"] else None
    part.flag(gated=gates is not None)
    if gates is not None:
        part.values |= {"gates": literal(gates.rate), "gate_of": listing("GATE_OF", gates.column_D)}
    asked = read_settings(run.spec.asked)
    rates, plain = dropout_of(asked), np.flatnonzero(plain_of(asked)).tolist()
    part.flag(spread=isinstance(rates, list), plain=bool(plain))
    part.values |= {"dropouts": listing("DROPOUTS", rates if isinstance(rates, list) else [])}
    if gates is not None:
        bins = np.flatnonzero(gates.bin_G).tolist()
        part.values |= {"plain_members": literal(plain), "bin_gates": listing("BIN_GATES", bins)}
    # its layers are there also where it was set to 0 on the way, and count in the weights' names
    dropout = s["dropout"] or run.spec.asked.get("dropout") or 0.0
    description = mlp(*s["hidden"], activation=s["activation"], dropout=dropout, batch_norm=s["batch_norm"])
    drops, lines = 0, [] if gates is None else ["    ColumnGates(),"]
    for layer in description.module(run.spec.inputs, run.spec.outputs):
        place = class_name(type(layer)).removesuffix(type(layer).__name__)
        line = f"{place}{layer!r}".replace("'", '"').replace("in_features=", "").replace("out_features=", "")
        if isinstance(layer, nn.Linear):
            line = f"nn.Linear({layer.in_features}, {layer.out_features})"
        if isinstance(layer, nn.BatchNorm1d):
            line = f"nn.BatchNorm1d({layer.num_features})"
        if isinstance(layer, nn.Dropout):
            line, drops = f"Dropout({drops})", drops + 1
        lines.append(f"    {line},")
    part.values |= {
        "layers": "\n".join(lines),
        "init_doc": init.about,
        "init_weight": init.source.format(gain=act.gain),
    }
    return part


def _gates(run: StoredRun) -> Gates:
    preparation = run.preparation
    columns, bins = preparation.input_columns, preparation.input_bins
    return gates_of(run.spec.inputs, columns, bins, run.settings["gates"])


def _uses_generator(source: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "g" for node in ast.walk(ast.parse(source)))


# ---- imports


def _with_imports(text: str, part: ScriptPart) -> str:
    """The imports of what the text uses, after its docstring."""
    head, _marks, body = text.partition('"""\n\n# ---- settings')
    body = "# ---- settings" + body
    used = [line for name, line in LIBRARIES.items() if _uses(body, name)]
    standard = [line for line in used if "torch" not in line and "numpy" not in line]
    others = [line for line in used if line not in standard]
    if "own" in part.flags:
        others = [*others, f"from {part.values['own_module']} import {part.values['own_name']}"]
    if "memory" not in part.flags and "loads" not in part.flags:
        name = part.values["load_call"].partition("(")[0]
        others = [*others, f"from sklearn.datasets import {name}"]
    order = sorted(others, key=lambda line: (line.startswith("from"), line.split()[1]))
    return "\n".join([f'{head}"""', "", *standard, "", *order, "", body])


def _uses(body: str, name: str) -> bool:
    return (
        re.search(r"(?<![\w.\"])" + (re.escape(name) if name.endswith("(") else name + r"\."), body)
        is not None
    )
