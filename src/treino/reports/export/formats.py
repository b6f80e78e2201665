"""``export``: write a run as a PyTorch script, ONNX model, torch.export program, or bare weights.

https://docs.pytorch.org/docs/stable/export.html
"""

import io
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from treino.base.apps import brought, entries
from treino.base.errors import Refusal, cause, nearest
from treino.base.files import as_portable
from treino.base.words import _
from treino.engine.arguments import Unpacking, unpacking_of, without_arguments
from treino.engine.user_module import module_copy
from treino.folders.stored_run import StoredRun
from treino.inspection.outputs import outputs
from treino.reports.export import Exported as Exported
from treino.reports.export import has_weights, need_weights
from treino.reports.export.onnx_file import onnx_file
from treino.reports.export.script import script

PT2_DIFFERS = Refusal(
    "On {n:,} rows the exported program answers otherwise than {run}: by up to {apart:.2g}.",
    "Nothing was kept. A network that behaves otherwise from call to call can't be exported.",
)
FORMAT_UNKNOWN = Refusal("There is no format {name!r} to export to.", "{hint}")
NOTHING_TO_EXPORT = Refusal(
    "{run} ended before its settings were written.", "Delete the folder and train again."
)
PT2_NETWORK = Refusal(
    "torch can't export the network of {run}: {cause}", "Its weights can be exported: [[format=safetensors]]."
)

# ---- ``exports/NAME.pt2``

TOLERANCE = 1e-5
CHECKED = 2000  # maximum number of rows checked


def pt2_file(run: StoredRun) -> Exported:
    """Write the network as a program from prepared rows ``[B, D]`` (for a user's network,
    ``[B, *item_shape]``, or its forward's arguments) to its outputs, for any B. The file includes
    ``preparation.json`` as an extra file.

    Raises:
        TreinoError: torch can't export the network; the program's outputs differ from the run's.
    """
    net, shape = run.module.eval(), run.item_shape
    data = run.data
    part = next(part for part in (data.test, data.validation, data.train) if len(part))
    rows = part[:CHECKED].x
    x = rows.reshape(len(rows), *shape) if shape else rows
    program = _program(run, net, x[: min(len(x), 3)])
    unpacking = unpacking_of(net)
    content = io.BytesIO()
    more = {
        "preparation.json": json.dumps(replace(run.preparation, columns=()).to_json()),
        "run.json": json.dumps({"run": run.name, "versions": dict(run.spec.versions)}),
    }
    torch.export.save(program, content, extra_files=more)
    content.seek(0)
    again = torch.export.load(content).module()
    wanted = outputs(net, rows, item_shape=shape)
    asked = {n: _asked(again, *_arguments(unpacking, x[:n])) for n in {1, len(x)}}
    apart = max(float((own - wanted[:n]).abs().max()) for n, own in asked.items())
    if not apart <= TOLERANCE * max(1.0, float(wanted.abs().max())):
        raise PT2_DIFFERS(n=len(x), run=run.name, apart=apart)
    path = run.folder.write_bytes(f"exports/{as_portable(run.name)}.pt2", content.getvalue())
    return Exported((path,), len(x), apart)


def _program(run: StoredRun, net: nn.Module, x: Tensor) -> "torch.export.ExportedProgram":
    if len(x) == 1:
        x = torch.cat([x, x])  # torch.export treats a size of 1 as constant
    args, kwargs = _arguments(unpacking_of(net), x)
    batch = {0: torch.export.Dim("batch", min=1)}
    shapes = (batch,) * len(args) or dict.fromkeys(kwargs, batch)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plain = without_arguments(module_copy(net)).eval()
            return torch.export.export(plain, args, kwargs, dynamic_shapes=shapes)
    except Exception as error:
        raise PT2_NETWORK(run=run.name, cause=cause(error)) from error


def _arguments(unpacking: Unpacking | None, x: Tensor) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """What the network's forward is called with for prepared rows."""
    if unpacking is None:
        return (x,), {}
    given = unpacking.arguments(x)
    names = [array.name for array in unpacking.arrays]
    return ((), dict(zip(names, given, strict=True))) if names[0] else (tuple(given), {})


def _asked(program: nn.Module, args: tuple[Tensor, ...], kwargs: dict[str, Tensor]) -> Tensor:
    with torch.no_grad():
        output: Tensor = program(*args, **kwargs)
    return output.reshape(len(output), -1)


# ---- ``export``


def exported(run: StoredRun, format: str = "script", without_rows: bool = False) -> Exported:
    """Write the run, or its refit, into its ``exports/`` folder.

    ``script``: plain PyTorch that trains to the same numbers and predicts from raw columns, with its weights
    and other needed files; for a run that continued from other weights, it only predicts, and so it does
    ``without_rows``: it comes without them then, as all other formats do. ``onnx``: raw
    columns in, predictions out, checked in onnxruntime. ``pt2``: the network as a torch.export program.
    ``safetensors``: the kept weights under plain ``state_dict`` names. Apps bring further ones.

    Raises:
        TreinoError: an unknown format; a run that lacks something the format needs; something that the format
            can't express; data that is gone or changed; a package that is not installed.
    """
    of_apps = entries("treino.formats")
    if format not in (*FORMATS, *of_apps):
        raise FORMAT_UNKNOWN(name=format, hint=nearest(str(format), [*FORMATS, *of_apps]))
    if not run.folder.has("spec.json"):
        raise NOTHING_TO_EXPORT(run=run.name)
    write: Format = FORMATS[format] if format in FORMATS else brought("treino.formats", format)
    run = run.refit or run
    made = script(run, without_rows) if format == "script" else write(run)
    return made._replace(held=tuple(_held(run, format, [path.name for path in made.paths])))


def _held(run: StoredRun, format: str, files: Sequence[str]) -> Iterator[str]:
    """Yield what an export holds of the training rows. files: the names of its files."""
    if of_rows := [name for name in files if name.endswith("_data.npz")]:
        yield _("all rows, prepared, and their targets ({file})").format(file=of_rows[0])
    if of_pictures := [name for name in files if name.endswith("_files.json")]:
        yield _("the names of all pictures, and their targets ({file})").format(file=of_pictures[0])
    if has_weights(run) and "limits" in run.tensors:
        yield _("the target's lowest and highest value")
    if format == "safetensors":
        return
    programs, classes = run.preparation.programs, run.preparation.classes
    yield _("figures of the columns, such as means and deviations")
    if not classes:
        yield _("the target's mean and deviation")
    if classes or any(program.words for program in programs):
        yield _("the names of known classes")
    if any(program.measure == "length" for program in programs):
        yield _("words and pieces of words of the texts")
    if means := sum(len(p.step("place").values) for p in programs if p.step("means")):
        yield _("the mean target of {n:,} single values of columns").format(n=means)


def weights(run: StoredRun) -> Exported:
    """Write ``exports/NAME.safetensors``: tensors under their ``state_dict`` names, nothing else.

    Format: https://huggingface.co/docs/safetensors
    """
    from safetensors.torch import save

    need_weights(run)
    return Exported(
        (run.folder.write_bytes(f"exports/{as_portable(run.name)}.safetensors", save(dict(run.tensors))),)
    )


Format = Callable[[StoredRun], Exported]
FORMATS: dict[str, Format] = {"script": script, "onnx": onnx_file, "pt2": pt2_file, "safetensors": weights}
