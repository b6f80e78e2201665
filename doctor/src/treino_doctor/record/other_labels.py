"""Answers to new rows that agree with their labels by chance only, and clearly with other labels."""

from collections.abc import Iterator
from typing import Any

from treino_doctor.record.arrays import np
from treino_doctor.record.tables import labels_of
from treino_doctor.record.trainings import Evaluation, Met, Training
from treino_doctor.record.values import Values

LEAST, MOST, CLASSES, VECTORS = 40, 50_000, 100, 32  # rows of a look; of labels; classes; labels kept
CHANCE, SURE = 3.0, 5.5  # deviations from what any order of labels gives: chance, or certainly no luck
GAIN = 0.1  # right answers beyond the commonest class, of training and of other labels. All are chosen
NEW = 0.1  # maximum share of rows that were trained on


def held_labels(values: Values) -> list[np.ndarray]:
    """Copies of what may be labels, one number a row, among the tensors that the program holds."""
    held: dict[bytes, np.ndarray] = {}
    for tensor in values.given():
        rows = len(tensor) if tensor.dim() and tensor.numel() == len(tensor) else 0
        labels = labels_of(tensor, rows) if LEAST <= rows <= MOST and len(held) < VECTORS else None
        if labels is not None and 2 <= len(np.unique(labels)) <= CLASSES:
            held[labels.tobytes()] = labels
    return [*held.values()]


def fitting(e: Evaluation, t: Training, rows: Any) -> dict[str, Any]:
    """The fields of ``Evaluated`` if the answers of an evaluation's newest look equal other labels, and its
    own can't be right, nor luck explain it. rows: what was recorded of rows."""
    answers, labels, at = met_by(e)
    if len(labels) < LEAST or e.made or len(e.trained) > NEW * len(e.rows) or not t.judged:
        return {}
    learned = t.right / t.judged - max(t.labels.values(), default=0) / max(1, t.labels.total())
    if learned < GAIN or abs(deviations(answers, labels)) > CHANCE or not set(labels) <= t.labels.keys():
        return {}
    met = [met_by(other) for other in rows.evaluations.values() if other.net == e.net and other is not e]
    elsewhere = any(np.array_equal(labels, of) and deviations(by, of) > CHANCE for by, of, _ in met)
    for other in _of_other_rows(labels, elsewhere, rows):
        agree = agreements(answers, other)
        best = int(agree.argmax())
        fit, by_place = np.roll(other, -best)[: len(labels)], np.delete(agree, best)
        lucky = by_place.mean() + SURE * by_place.std()  # labels may stay the same for long
        if agree[best] <= lucky or deviations(answers, fit) <= SURE or not set(fit) <= t.labels.keys():
            continue
        gain = (agree[best] - np.unique(fit, return_counts=True)[1].max()) / len(fit)
        if gain >= max(GAIN, learned / 2) and not any(np.array_equal(fit, of) for _by, of, _ in met):
            return {"fitting": int(agree[best]), "met_at": at}
    return {}


def _of_other_rows(labels: np.ndarray, elsewhere: bool, rows: Any) -> Iterator[np.ndarray]:
    """Labels of which some may belong to the rows, and these labels to others. elsewhere: these were right
    for other rows. What describes the same rows, as a colour does, is left out."""
    n = len(labels)
    for other in (o for o in rows.held or () if len(o) >= n):
        if elsewhere if len(other) == n else agreements(labels, other).max() == n:
            yield other
    if not elsewhere:  # else the rows were changed: one column in another order tells how much it counts
        yield labels
        for order in (o for o in rows.orders.kept if len(o) == n):
            yield from (labels[order], labels[np.argsort(order)])


def met_by(e: Evaluation) -> Met:
    """What an evaluation's newest look was compared with; nothing if some calls met no labels, or several."""
    met = [m for m in e.look.met if m is not None] if e.look is not None else []
    if e.look is None or not met or len(met) < len(e.look.met):
        return np.zeros(0), np.zeros(0), None
    return np.concatenate([m[0] for m in met]), np.concatenate([m[1] for m in met]), met[-1][2]


def agreements(answers: np.ndarray, held: np.ndarray) -> np.ndarray:
    """[M]: how many answers equal the held labels that begin at each place, the end going on at the start."""
    agree: np.ndarray = np.zeros(len(held))
    for c in np.unique(answers):
        own, other = (np.fft.rfft(v == c, len(held)) for v in (answers, held))
        agree = agree + np.fft.irfft(own.conj() * other, len(held))
    return agree.round()


def deviations(answers: np.ndarray, labels: np.ndarray) -> float:
    """How many standard deviations their agreement is above what these labels in any order would give."""
    n, classes = len(labels), np.union1d(answers, labels)
    a, b = ((v[:, None] == classes).mean(0) for v in (answers, labels))
    both = (a * b).sum()
    variance = n * n / (n - 1) * ((a * b * (1 - a - b)).sum() + both * both)
    return float(((answers == labels).sum() - n * both) / np.sqrt(variance)) if variance > 0 else 0.0
