"""``treino export``: a run for a world without treino."""

from typing import Annotated

from cyclopts import Parameter

from treino.cli.flags import DataFile, RunName, ScreenFlag


def export(
    run: RunName = "last",
    /,
    *,
    format: Annotated[
        str, Parameter(help="script (plain PyTorch, readable top to bottom) or safetensors")
    ] = "script",
    data_file: DataFile = None,
    screen: ScreenFlag,
) -> int:
    """Write a run as a plain PyTorch script, or as bare weights, into its exports/ folder.

    Example: treino export last --format script
    """
    from treino.export.formats import export as work
    from treino.records.run import open_run

    path = work(open_run(run, data=data_file), format)
    screen.document({"path": str(path)})
    screen.out.print(str(path))
    return 0
