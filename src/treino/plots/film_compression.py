"""Compression of a film's frames for the player.

Of a plane each class's log-probability is kept relative to the winner's, a byte for each point of the grid:
differences of these are exact up to a byte's step where the border runs, so that the player's borders lie
where the network has them, also when it was asked between the grid's points only by interpolation.
Curves and predictions are two bytes a number.
"""

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.inspection.film import FEW_CLASSES, Frame
from treino.inspection.input_planes import Boundary, Fit, InputLine, Plane
from treino.plots.film import limits

CAP = 8.0  # log-probabilities below the winner's, of which nothing is seen: e^-8 is 0.03 %
LOWEST, WIDEST = -1.0, 3.0  # of a number of two bytes: from one range below the axis to one above


@dataclass(frozen=True, eq=False)
class PackedFrame:
    """A frame's figures and bytes. scale: what the largest byte of a plane stands for."""

    step: int
    loss: float | None
    scale: float
    content: bytes


def packed_frame(frame: Frame) -> PackedFrame:
    shown = frame.shown
    scale, content = 1.0, b""
    if isinstance(shown, Plane):
        scale, content = _plane(shown)
    elif isinstance(shown, InputLine):
        content = _numbers(shown.value_RC.T, *limits(shown)[1])
    else:
        content = _numbers(np.concatenate([p.predicted_N for p in shown.points]), *limits(shown)[1])
    if not isinstance(shown, Fit) and shown.classes:
        content += np.concatenate([p.wrong_N for p in shown.points]).astype(np.uint8).tobytes()
    return PackedFrame(frame.step, frame.loss, scale, content)


def packed_film(frames: list[PackedFrame]) -> bytes:
    """All frames behind each other, deflated: browsers inflate it by themselves."""
    return zlib.compress(b"".join(f.content for f in frames), 9)


def player_settings(shown: Boundary) -> dict[str, Any]:
    """What all frames share, for the player: kind, size of the grid, ranges, rows."""
    classes = () if isinstance(shown, Fit) else shown.classes
    (x0, x1), (y0, y1) = limits(shown)
    kind = "fit" if isinstance(shown, Fit) else "curve" if not classes else "lines"
    if isinstance(shown, Plane):
        kind = "plane" if len(classes) <= FEW_CLASSES else "winner"
    rows = []
    for p in shown.points:
        x_N = p.true_N if isinstance(shown, Fit) else p.at_NK[:, 0]
        y_N = p.at_NK[:, 1] if isinstance(shown, Plane) else p.true_N
        if isinstance(shown, InputLine) and classes:  # in lanes at the bottom
            y_N = 0.02 + (0.025 * p.true_N if len(classes) <= FEW_CLASSES else 0 * p.true_N)
        rows.append(
            {
                "split": p.split,
                "x": [round(float(v), 4) for v in (x_N - x0) / (x1 - x0)],
                "y": [round(float(v), 4) for v in (y_N - y0) / (y1 - y0)],
                "true": [int(v) for v in p.true_N] if classes else [],
            }
        )
    return {
        "kind": kind,
        "classes": len(classes),
        "grid": 0 if isinstance(shown, Fit) else len(shown.x_R),
        "x": [x0, x1],
        "y": [y0, y1],
        "lowest": LOWEST,
        "widest": WIDEST,
        "rows": rows,
    }


def _plane(plane: Plane) -> tuple[float, bytes]:
    """-> scale, bytes ``[C, R, R]``; of many classes ``[3, R, R]``: the winner's two bytes, how sure."""
    p_RRC = plane.probability_RRC.astype(np.float64)
    finite_RR = np.asarray(np.isfinite(p_RRC).all(-1))
    count = len(plane.classes)
    if count > FEW_CLASSES:
        best_RR = np.nan_to_num(p_RRC).max(-1)
        sure_RR = ((best_RR - 1 / count) / (1 - 1 / count)).clip(0, 1) * 255
        winner_RR = np.where(finite_RR, plane.winner_RR, 65535)
        return 1.0, _smooth(np.stack([winner_RR % 256, winner_RR // 256, sure_RR.round()]))
    log_RRC = np.log(np.where(finite_RR[..., None], p_RRC, 1.0).clip(1e-30))
    below_RRC = log_RRC.max(-1, keepdims=True) - log_RRC
    scale = min(CAP, float(below_RRC.max())) or 1.0
    byte_RRC = (below_RRC / scale).clip(0, 1) * 254
    byte_RRC = np.where(finite_RR[..., None], byte_RRC.round(), 255)
    return scale, _smooth(np.moveaxis(byte_RRC, -1, 0))


def _smooth(byte_KRR: NDArray[Any]) -> bytes:
    """Differences from the left neighbour, modulo 256: the same bytes, deflated to a fraction."""
    whole = byte_KRR.astype(np.uint8)
    whole[..., 1:] = whole[..., 1:] - whole[..., :-1]
    return whole.tobytes()


def _numbers(values: NDArray[np.float64], low: float, high: float) -> bytes:
    """Two bytes each, little-endian: from one range below the axis to one above; 65535: not finite."""
    place = ((values - low) / (high - low) - LOWEST) / WIDEST
    whole = np.where(np.isfinite(place), np.nan_to_num(place).clip(0, 1) * 65534, 65535)
    return whole.round().astype("<u2").tobytes()


def sparkline(losses: list[float | None]) -> list[float | None]:
    """The frames' losses as heights from 0 to 1 for the line over the slider; logarithmic where they span
    much."""
    known = [v for v in losses if v is not None and math.isfinite(v) and v > 0]
    if not known:
        return [None] * len(losses)
    low, high = min(known), max(known)
    change = math.log if high > 10 * low else float
    span = change(high) - change(low) or 1.0
    return [
        None if v is None or not math.isfinite(v) or v <= 0 else round((change(v) - change(low)) / span, 4)
        for v in losses
    ]
