"""``treino export``: a run as a plain PyTorch script, or its weights as a file."""

from typing import Annotated

from cyclopts import Parameter

from treino.cli.flags import DataFile, Net, RunName, ScreenFlag, Trust


def export(
    run: RunName = "last",
    /,
    *,
    format: Annotated[
        str, Parameter(help="script (plain PyTorch, readable top to bottom) or safetensors")
    ] = "script",
    net: Net = None,
    trust: Trust = False,
    data_file: DataFile = None,
    screen: ScreenFlag,
) -> int:
    """Write a run as a plain PyTorch script, or as bare weights, into its exports/ folder.

    Example: treino export last --format script
    """
    from treino.export.formats import export as work
    from treino.folders import open_run
    from treino.records.access import Access

    path = work(open_run(run, Access(net, trust, data_file)), format)
    screen.document({"path": str(path)})
    screen.out.print(str(path))
    return 0
