"""``export``: write a run as a PyTorch script, an ONNX model, a program of torch.export, or bare weights."""

from collections.abc import Callable
from pathlib import Path

from treino.errors import TreinoError, nearest
from treino.export import Exported, need_weights
from treino.export.onnx_file import onnx_file
from treino.export.pt2_file import pt2_file
from treino.export.script import script
from treino.records.stored_run import StoredRun
from treino.words import _


def export(run: StoredRun, format: str = "script") -> Path:
    """Write the run into its ``exports/`` folder and return the file's path; see ``exported``.

    Raises:
        TreinoError: as ``exported``.
    """
    return exported(run, format).paths[0]


def exported(run: StoredRun, format: str = "script") -> Exported:
    """Write the run into its ``exports/`` folder.

    ``script``: plain PyTorch that trains to the same numbers and predicts from raw columns, its weights and
    what else it needs beside it; of a run that went on from other weights it predicts alone. ``onnx``: raw
    columns in, answers out, checked in onnxruntime. ``pt2``: the network as a program of torch.export.
    ``safetensors``: the kept weights under plain ``state_dict`` names.

    Raises:
        TreinoError: an unknown format; a run that holds too little for it, or what the format can't hold;
            data that is gone or changed; a package that is not installed.
    """
    if format not in FORMATS:
        raise TreinoError(
            "format_unknown",
            _("There is no format {name!r} to export to.").format(name=format),
            nearest(str(format), FORMATS),
        )
    if not run.folder.has("spec.json"):
        raise TreinoError(
            "nothing_to_export",
            _("{run} ended before its settings were written.").format(run=run.name),
            _("Delete the folder and train again."),
        )
    return FORMATS[format](run)


def weights(run: StoredRun) -> Exported:
    """``exports/NAME.safetensors``: tensors under their ``state_dict`` names, nothing else.

    Format: https://huggingface.co/docs/safetensors
    """
    from safetensors.torch import save

    need_weights(run)
    return Exported((run.folder.write_bytes(f"exports/{run.name}.safetensors", save(dict(run.tensors))),))


FORMATS: dict[str, Callable[[StoredRun], Exported]] = {
    "script": script, "onnx": onnx_file, "pt2": pt2_file, "safetensors": weights
}  # fmt: skip
