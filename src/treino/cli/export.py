"""``treino export``: a run as a script, an ONNX model, a torch.export program, weights, or a service."""

from typing import Annotated

from cyclopts import Parameter

from treino.base.option_marks import PLAIN
from treino.base.words import _, joined
from treino.cli.flags import AccessFlags, RunName, ScreenFlag, Switch, with_flags


@with_flags
def export(
    run: RunName = "last",
    /,
    *,
    format: Annotated[
        str,
        Parameter(
            help="script (plain PyTorch, readable top to bottom), onnx (raw columns in, answers out), "
            "pt2 (the network by torch.export), safetensors, or service (a web service that needs no treino)"
        ),
        PLAIN,
    ] = "script",
    without_rows: Annotated[
        Switch, Parameter(help="a script that comes without the rows: it predicts and doesn't train")
    ] = False,
    flags: AccessFlags,
    screen: ScreenFlag,
) -> int:
    """Write a run as a plain PyTorch script, for production, or as bare weights, into its exports/ folder.

    Example: treino export last --format script | treino export last --format onnx
    """
    from treino.reports.export.formats import exported
    from treino.training.stored_results import open_run

    result = exported(open_run(run, flags.access), format, without_rows)
    document: dict[str, object] = {
        "path": str(result.paths[0]),
        "paths": [str(path) for path in result.paths],
        "held": list(result.held),
    }
    if result.rows is not None:
        document |= {"rows": result.rows, "difference": result.apart}
    screen.document(document)
    for path in result.paths:
        screen.out.print(str(path))
    if result.rows is not None:
        sentence = _("checked on {n:,} rows: answers differ by {apart:.1g} at most")
        screen.out.print(sentence.format(n=result.rows, apart=result.apart))
    held = joined(result.held, "; ") or _("nothing but weights")
    screen.out.print(_("Of the training rows it holds: {held}.").format(held=held))
    if any(path.name.endswith(("_data.npz", "_files.json")) for path in result.paths):
        screen.out.print(_("For a script that only predicts, without the rows: --without-rows"))
    return 0
