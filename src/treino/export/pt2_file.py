"""``exports/NAME.pt2``: the network as a program of torch.export, checked before it is kept.

https://docs.pytorch.org/docs/stable/export.html
"""

import io
import json
import warnings

import torch
from torch import Tensor, nn

from treino.errors import TreinoError, cause
from treino.export import Exported
from treino.inspection.outputs import outputs
from treino.records.stored_run import StoredRun
from treino.words import _

TOLERANCE = 1e-5
CHECKED = 2000  # rows


def pt2_file(run: StoredRun) -> Exported:
    """Write the network: prepared rows ``[B, D]`` (of a network of one's own ``[B, *item_shape]``) in, its
    outputs out, for any B. The preparation lies in the file as ``preparation.json`` among its extra files.

    Raises:
        TreinoError: torch can't export the network; the program answers otherwise than the run does.
    """
    net, shape = run.module.eval(), run.item_shape
    data = run.data
    part = next(part for part in (data.test, data.validation, data.train) if len(part))
    rows = part[:CHECKED].x
    x = rows.reshape(len(rows), *shape) if shape else rows
    program = _program(run, net, x[: min(len(x), 3)])
    content = io.BytesIO()
    more = {
        "preparation.json": json.dumps(run.preparation.to_json()),
        "run.json": json.dumps({"run": run.name, "versions": dict(run.spec.versions)}),
    }
    torch.export.save(program, content, extra_files=more)
    content.seek(0)
    again = torch.export.load(content).module()
    wanted = outputs(net, rows, item_shape=shape)
    apart = max(float((_asked(again, x[:n]) - wanted[:n]).abs().max()) for n in {1, len(x)})
    if not apart <= TOLERANCE * max(1.0, float(wanted.abs().max())):
        raise TreinoError(
            "pt2_differs",
            _(
                "On {n:,} rows the exported program answers otherwise than {run}: by up to {apart:.2g}."
            ).format(n=len(x), run=run.name, apart=apart),
            _("Nothing was kept. A network that behaves otherwise from call to call can't be exported."),
        )
    path = run.folder.write_bytes(f"exports/{run.name}.pt2", content.getvalue())
    return Exported((path,), len(x), apart)


def _program(run: StoredRun, net: nn.Module, x: Tensor) -> "torch.export.ExportedProgram":
    if len(x) == 1:
        x = torch.cat([x, x])  # torch takes a size of 1 for one that never changes
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            batch = {0: torch.export.Dim("batch", min=1)}
            return torch.export.export(net, (x,), dynamic_shapes=(batch,))
    except Exception as error:
        raise TreinoError(
            "pt2_network",
            _("torch can't export the network of {run}: {cause}").format(run=run.name, cause=cause(error)),
            _("Its weights can be exported: [[format=safetensors]]."),
        ) from error


def _asked(program: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        output: Tensor = program(x)
    return output.reshape(len(x), -1)
