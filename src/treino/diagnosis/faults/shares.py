"""How many rows of an evaluation had been trained on, and whether that is by copies in the table."""

from treino.diagnosis.record.row_log import RowsEvaluated, RowsTrained

LEAST = 10  # rows of an evaluation
FEW = 0.02  # of the rows, up to which they are equal by chance
MOST = 0.9  # of training's rows: then this is no part of a split, but all of it
COPIES = 0.01  # of training's rows came twice before the first epoch was over
CHANCE = 0.01  # rows that are equal to one by chance


def shared(e: RowsEvaluated, t: RowsTrained) -> tuple[int, int]:
    """(rows that had been trained on, of so many) where these are another part of a split; else (0, rows)."""
    if e.rows < LEAST or t.made or e.made or not t.floating:
        return 0, e.rows
    if e.how == "numbers" and e.part > 0 and e.by_number > max(3, FEW * e.numbers):
        return e.by_number, e.numbers
    whole = e.trained > MOST * t.rows
    held_out = e.part > 0 and (e.how == "rows" or e.trained < t.rows)
    if held_out and not whole and e.trained > max(3, FEW * e.rows) and t.chance < CHANCE:
        return e.trained, e.rows
    mixed = e.mixed > max(3, 2 * FEW * e.rows) and bool(e.labels) and t.chance < CHANCE
    return (e.trained, e.rows) if mixed and not whole else (0, e.rows)


def copies(e: RowsEvaluated, t: RowsTrained) -> bool:
    """Whether the table itself holds equal rows."""
    if e.how == "rows":
        return e.shared > 0.5 * e.trained / e.rows
    return e.how != "numbers" and t.twice > COPIES * t.rows
