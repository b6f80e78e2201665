"""``treino export``: a run as a plain PyTorch script, or its weights as a file."""

from typing import Annotated

from cyclopts import Parameter

from treino.cli.flags import AccessFlags, RunName, ScreenFlag, with_flags


@with_flags
def export(
    run: RunName = "last",
    /,
    *,
    format: Annotated[
        str, Parameter(help="script (plain PyTorch, readable top to bottom) or safetensors")
    ] = "script",
    flags: AccessFlags,
    screen: ScreenFlag,
) -> int:
    """Write a run as a plain PyTorch script, or as bare weights, into its exports/ folder.

    Example: treino export last --format script
    """
    from treino.export.formats import export as work
    from treino.folders import open_run

    path = work(open_run(run, flags.access), format)
    screen.document({"path": str(path)})
    screen.out.print(str(path))
    return 0
