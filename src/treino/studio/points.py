"""The rows in a run's picture: their coordinates on its axes, and their true values."""

from typing import Any

from treino.data.dataset import Data
from treino.studio.curves import finite
from treino.studio.scene import Sight


def points_of(sight: Sight, data: Data) -> dict[str, Any]:
    """``points`` of ``docs/studio-protocol.md``."""
    axes, rows = sight.axes, []
    for split, (drawn, place_NK) in sight.rows_by_split.items():
        true_N = drawn.y.reshape(-1).double()
        if not data.classes:
            true_N = true_N * data.target_scale + data.target_mean
        second = place_NK[:, 1] if place_NK.shape[1] > 1 else true_N.numpy()
        rows.append(
            {
                "split": split,
                "x": [finite(v) for v in place_NK[:, 0].tolist()],
                "y": [finite(v) for v in second.tolist()],
                "true": true_N.tolist(),
                "index": drawn.index.tolist(),
                "total": len(data.splits[split]),
            }
        )
    return {
        "axes": list(axes.axis_names),
        "view": axes.view,
        "variance": axes.variance,
        "held": [list(each) for each in axes.held[:12]],
        "low": [float(sight.x_R[0]), float(sight.y_R[0])],
        "high": [float(sight.x_R[-1]), float(sight.y_R[-1])],
        "rows": rows,
    }
