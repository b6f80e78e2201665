"""``tr.rows`` and ``Run.rows``: the x-ray of rows in Python."""

from typing import Any

from treino.settings import OF_DATA, takes_settings
from treino_xray.row_check import source_of_data
from treino_xray.row_xray import NETWORKS, RowXray, xray


@takes_settings((*OF_DATA, "recipe"), validation=0.0, test=0.0)
def rows(data: Any, *, networks: int = NETWORKS, **settings: Any) -> RowXray:
    """Check the rows of data as ``Run.rows`` does: all rows, unless settings hold back a share of them.

    data: as in ``fit``. settings: for reading the data, e.g. ``target="price"``.

    Raises:
        TreinoError: bad input.
    """
    return xray(source_of_data(data, settings, compared=False).data, networks=networks)
