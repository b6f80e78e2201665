"""``export``: write a run as a plain PyTorch script or as bare weights."""

from collections.abc import Callable
from pathlib import Path

from treino.errors import TreinoError, nearest
from treino.export.script import script
from treino.records.stored_run import StoredRun
from treino.words import _


def export(run: StoredRun, format: str = "script") -> Path:
    """Write the run into its ``exports/`` folder and return the file's path.

    ``script``: plain PyTorch that trains to the same numbers and predicts from raw columns, its weights and
    what else it needs beside it. ``safetensors``: the kept weights under plain ``state_dict`` names.

    Raises:
        TreinoError: an unknown format; a run that holds too little for it; data that is gone or changed.
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


def weights(run: StoredRun) -> Path:
    """``exports/NAME.safetensors``: tensors under their ``state_dict`` names, nothing else.

    Format: https://huggingface.co/docs/safetensors
    """
    from safetensors.torch import save

    if run.folder.kind == "run" and not run.folder.has("model.safetensors"):
        raise TreinoError(
            "no_weights_yet",
            _("{run} is {status} and has kept no weights yet.").format(run=run.name, status=_(run.status)),
            _("Wait until it is over.")
            if run.status == "running"
            else _("Go on with: treino resume {path}").format(path=run.path),
        )
    return run.folder.write_bytes(f"exports/{run.name}.safetensors", save(dict(run.tensors)))


FORMATS: dict[str, Callable[[StoredRun], Path]] = {"script": script, "safetensors": weights}
