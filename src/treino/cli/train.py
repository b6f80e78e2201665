"""``treino train``: one network, from a name or a file to figures, pictures and a folder."""

from typing import Annotated, Any

from cyclopts import Parameter

from treino.cli.flags import ScreenFlag


def train(
    source: Annotated[
        str,
        Parameter(
            name="DATA", help="a built-in (wine, iris, moons, mnist, ...: see 'treino data') or a CSV file"
        ),
    ],
    /,
    *,
    screen: ScreenFlag,
    **asked: Any,
) -> int:
    """Train one network on DATA.

    Everything that is not said is decided from the data and printed. The run is a folder in ./runs; Ctrl-C
    saves it and 'treino resume' goes on.

    Examples: treino train wine | treino train moons --hidden 16,16 --lr 0.01 |
    treino train houses.csv --target price | treino train mnist --epochs 3 --dropout 0.2
    """
    from treino.cli.progress import follow
    from treino.spec import read_settings
    from treino.workflows.train import training

    settings = read_settings({k: v for k, v in asked.items() if v is not None}, flags=True)
    return follow(training(source, settings), screen)
