"""One bracket of a sweep: members that compete, trained from rung to rung; and its files.

Stored are the table of members (a row per member and rung, in Parquet, without test metrics), the weights of
the best members, and their scores of each validation row.
"""

import io
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from treino.base.document_fields import finite
from treino.base.files import damaged
from treino.base.words import _
from treino.engine import Loss, Tick
from treino.engine.metrics import METRICS, MetricInputs, row_losses
from treino.engine.net_state import left_out
from treino.folders.documents.reading import check, read_tensors
from treino.folders.store import RunFolder
from treino.training.search.samplers import Rung, survivors
from treino.training.search.space import Config, plain
from treino.training.sweeps.distribution import Distribution, processor_kind
from treino.training.sweeps.population_training import (
    KeptAnswers,
    PopulationTraining,
    named,
    part_of,
    rung_step,
)

if TYPE_CHECKING:
    import pyarrow as pa


MEMBERS = "members.parquet"

MOST_ROWS, MOST_COLUMNS = 10_000_000, 1000  # limits of a table that is read

Key = tuple[int, int]  # member, rung


@dataclass
class MemberTable:
    """The table of members. rows: by (member, rung), as written; ``put`` replaces a row of equal key.

    dimensions: the names of the search space's dimensions, each a column.
    """

    dimensions: tuple[str, ...]
    rows: dict[Key, dict[str, Any]] = field(default_factory=dict)

    def put(self, member: int, rung: int, config: Config, **facts: Any) -> None:
        self.rows[member, rung] = {
            "member": member,
            "rung": rung,
            **{name: plain(config.get(name)) for name in self.dimensions},
            **facts,
        }

    def last(self) -> list[dict[str, Any]]:
        """Each member's row at the last rung that it reached, by member."""
        newest: dict[int, dict[str, Any]] = {}
        for (member, rung), row in self.rows.items():
            if member not in newest or newest[member]["rung"] < rung:
                newest[member] = row
        return [newest[member] for member in sorted(newest)]

    def of(self, member: int, path: Path) -> list[dict[str, Any]]:
        """A kept member's row at each rung. path: the folder, for the error if there is no such row."""
        rows = [row for row in self.rows.values() if row["member"] == member]
        if not rows:
            raise damaged(path / MEMBERS, _("it has no row of a network that is kept"))
        return rows

    def to_bytes(self) -> bytes:
        """The table as Parquet, sorted by member and rung."""
        import pyarrow as pa
        from pyarrow import parquet

        out = io.BytesIO()
        ordered = [self.rows[key] for key in sorted(self.rows)]
        names = list(dict.fromkeys(name for row in ordered for name in row))
        columns = {name: _column([row.get(name) for row in ordered]) for name in names}
        parquet.write_table(pa.table(columns), out, compression="zstd")
        return out.getvalue()

    @classmethod
    def read(cls, folder: RunFolder, dimensions: Sequence[str] = ()) -> "MemberTable":
        """Read a sweep's table; empty if there is none yet.

        Raises:
            TreinoError: the table is damaged, or holds what no sweep writes.
        """
        if not folder.has(MEMBERS):
            return cls(tuple(dimensions))
        rows = read_rows(folder, MEMBERS).to_pylist()
        check(folder.kind, MEMBERS, rows, folder.path)
        return cls(tuple(dimensions), {(row["member"], row["rung"]): row for row in rows})


def read_rows(folder: RunFolder, name: str) -> "pa.Table":
    """Read a Parquet file of the folder.

    Raises:
        TreinoError: the file is damaged, or larger than any sweep writes.
    """
    import pyarrow as pa
    from pyarrow import parquet

    content = folder.read_bytes(name)
    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        fits = file.metadata.num_rows <= MOST_ROWS and file.metadata.num_columns <= MOST_COLUMNS
        table = file.read() if fits else None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(folder.path / name, str(error)) from error
    if table is None:
        raise damaged(folder.path / name, _("no sweep has so many members, or so many settings"))
    return table


def _column(values: list[Any]) -> list[Any]:
    """The values as one type: text if numbers and names are mixed (``hidden``: 16 and 64,32)."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int, float} or len(kinds) <= 1:
        return [float(v) if kinds == {int, float} and v is not None else v for v in values]
    return [None if v is None else str(v) for v in values]


CHUNK_SECONDS = 0.5


@dataclass(eq=False)
class TrainingBracket:
    """A bracket in training. number: its number in the sweep. configs: settings by member number.

    rungs: see ``search.halving``. table: gets a row for each member and rung. distribution: processes
    elsewhere; None: this process trains. processors: ``{kind of processor: members trained on it}``, for
    clusters only. rung: the number of finished rungs. now: the population that trained last.
    """

    number: int
    configs: Mapping[int, Config]
    rungs: Sequence[Rung]
    populations: Sequence[PopulationTraining]
    table: MemberTable
    distribution: Distribution | None = None
    processors: dict[str, set[int]] = field(default_factory=dict)
    rung: int = 0
    steps_before: int = 0  # model-steps before a stop
    now: PopulationTraining | None = None

    @property
    def model_steps(self) -> int:
        return self.steps_before + sum(population.model_steps for population in self.populations)

    @property
    def first(self) -> int:
        """The number of the bracket's first member."""
        return min(self.configs)

    @property
    def diverged(self) -> int:
        return sum(p.status_M.count("diverged") for p in self.populations)

    @property
    def planned_steps(self) -> int:
        """All model-steps if no member diverges, to estimate the time left."""
        total, before = 0.0, 0
        steps = sum(len(p.members) * p.training.steps for p in self.populations)
        for rung in self.rungs:
            total += steps / len(self.configs) * rung.members * (rung.epochs - before) / self.rungs[-1].epochs
            before = rung.epochs
        return int(total)

    def advance(self) -> Tick | None:
        """Train for a moment; end each rung as ``end_rung`` does. Return None after the last rung."""
        while self.rung < len(self.rungs):
            goals = self.goals()
            if self.distribution is not None:
                if (moment := self.distribution.advance(goals, self.processors)) is not None:
                    self.now, tick = moment
                    return tick
            elif behind := next((goal for goal in goals if goal[0].behind(goal[1])), None):
                self.now = behind[0]
                if self.processors:  # a cluster's training goes on in this process
                    running = (self.now.members[place] for place in self.now.running)
                    self.processors.setdefault(processor_kind(), set()).update(running)
                return self.now.advance(CHUNK_SECONDS, behind[1])
            self.end_rung()
            self.rung += 1
        return None

    def goals(self) -> Sequence[tuple[PopulationTraining, int]]:
        """Each population, and the step at which this rung ends and its members are compared."""
        share = self.rungs[self.rung].epochs / self.rungs[-1].epochs
        return [(population, rung_step(population.training, share)) for population in self.populations]

    def end_rung(self) -> None:
        """Add the rung's rows to the table, and stop the members that take no part in the next one."""
        for population in self.populations:
            population.join()
        self.write_rows()
        if self.rung + 1 < len(self.rungs):
            self._stop_others(self.rungs[self.rung + 1].members)

    def figures(self) -> dict[int, float]:
        """The best validation metric so far, negated if higher is better, of each member that hasn't
        diverged."""
        return {member: figure for member, (figure, _loss) in self.ranking().items()}

    def ranking(self) -> dict[int, tuple[float, float]]:
        """The members' metrics as in ``figures``, each with the validation loss to break ties."""
        ranks: dict[int, tuple[float, float]] = {}
        for p in self.populations:
            loss_M = p.figures.get("validation_loss", torch.zeros(len(p.members)))
            figure_M = -METRICS[p.metric].better * p.best_M
            of_each = figure_M.tolist(), loss_M.nan_to_num(nan=math.inf).tolist(), p.status_M
            for member, figure, loss, status in zip(p.members, *of_each, strict=True):
                if status != "diverged" and math.isfinite(figure):
                    ranks[member] = figure, loss
        return ranks

    def _stop_others(self, count: int) -> None:
        """Stop all members but the best ``count``."""
        ranks, order = self.ranking(), sorted(self.configs)
        on = {order[place] for place in survivors([ranks.get(m) for m in order], count)}
        for population in self.populations:
            members = population.members
            population.stop(place for place, member in enumerate(members) if member not in on)
            for member in set(members) - on:
                row = self.table.rows.get((member, self.rung))
                if row is not None and row["status"] == "running":
                    row["status"] = "stopped"

    def write_rows(self) -> None:
        """Add a row to the table for each member that took part in this rung."""
        cut = self.rung > 0
        for place, population in enumerate(self.populations):
            training = population.training
            best, status = population.best_M.tolist(), population.status_M
            steps, kept = population.last_step_M.tolist(), population.kept_step_M.tolist()
            reached = [step if step >= 0 else None for step in population.reached.tolist()]
            for row, member in enumerate(population.members):
                before = self.table.rows.get((member, self.rung - 1))
                if cut and (before is None or before["step"] == steps[row]):
                    continue  # the member had ended before
                lost = status[row] == "diverged" or not math.isfinite(best[row])
                self.table.put(
                    member,
                    self.rung,
                    self.configs[member],
                    bracket=self.number,
                    group=place,
                    engine=training.engine,
                    parameters=training.parameters,
                    step=steps[row],
                    kept_step=kept[row],
                    epochs=steps[row] / training.steps_per_epoch,
                    status="finished" if status[row] == "stopped" else status[row],  # by patience
                    best=None if lost or not training.plan.evaluates else best[row],
                    **({} if population.target is None else {"reached": reached[row]}),
                    **{name: finite(float(of_M[row])) for name, of_M in sorted(population.figures.items())},
                )

    # ---- checkpoints

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the full state, from which training resumes bit for bit."""
        saved = [population.save() for population in self.populations]
        facts = {"bracket": self.number, "rung": self.rung, "model_steps": self.model_steps}
        tensors = named({str(place): own for place, (own, _facts) in enumerate(saved)})
        return tensors, facts | {"populations": [own for _tensors, own in saved]}

    def load(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any], path: Path) -> None:
        """Restore the state that ``save`` returned; this bracket must be new and have the same members. path:
        the folder, for the error if it hasn't.

        Raises:
            TreinoError: the state is of other members.
        """
        check_states(facts["populations"], [list(p.members) for p in self.populations], path)
        for place, (population, own) in enumerate(zip(self.populations, facts["populations"], strict=True)):
            population.load(part_of(tensors, f"{place}."), own)
        self.rung, self.steps_before = facts["rung"], facts["model_steps"]


def check_states(states: Sequence[Mapping[str, Any]], members: Sequence[Sequence[int]], path: Path) -> None:
    """Refuse the states of other populations. members: of each population. path: the folder."""
    if [state["members"] for state in states] != members:
        raise damaged(path / "checkpoint", _("it is of other networks than spec.json"))


MODELS = "models.safetensors"
JUDGED = 1000  # members of a bracket whose row scores are stored; worse ones are too far behind to be chosen
ROWS = 2000  # maximum number of validation rows whose scores are stored, evenly spaced


@dataclass(frozen=True, eq=False)
class TopMember:
    """A kept network: its metric and loss (lower is better), its weights by ``state_dict`` names, and the
    buffers that ``state_dict`` leaves out. answering: for an ensemble, the numbers of the networks that it
    keeps, the best first."""

    member: int
    figure: float
    loss: float
    weights: Mapping[str, Tensor]
    buffers: Mapping[str, Tensor] = field(default_factory=dict)
    answering: Sequence[int] = (0,)

    @property
    def state(self) -> dict[str, Tensor]:
        return {**self.weights, **self.buffers}


def best_members(bracket: TrainingBracket, count: int, before: Sequence[TopMember]) -> list[TopMember]:
    """The best ``count`` of the bracket's members and of the members kept before it, the best first, ties by
    member number."""
    order = sorted((*f, m) for m, f in bracket.ranking().items())[:count]
    where = {
        member: (population, place)
        for population in bracket.populations
        for place, member in enumerate(population.members)
    }
    best = {kept.member: kept for kept in before}
    for figure, loss, member in order:
        population, place = where[member]
        net, answering = population.net(place), population.answering(place)
        best[member] = TopMember(member, figure, loss, net.state_dict(), left_out(net), answering)
    return sorted(best.values(), key=lambda k: (k.figure, k.loss, k.member))[:count]


def row_scores(bracket: TrainingBracket, metric: str) -> dict[str, Tensor]:
    """``member [M]``, and each of the best JUDGED members' scores of validation rows, higher is better.

    ``choose [M, N]`` decides by ``metric``: a score of each row; for ``f1_macro`` the predicted class, for
    ``auc`` the score of class 1. ``shown [M, N]`` is reported to people: for classes whether the prediction
    is right, for numbers the negated squared error. ``weight [N]``: each row's weight in the loss.
    ``target [N]``: the classes or values.
    """
    chosen = {m for _f, m in sorted((f, m) for m, f in bracket.figures().items())[:JUDGED]}
    members: list[int] = []
    same: dict[str, Tensor] = {}
    parts: dict[str, list[Tensor]] = {"choose": [], "shown": []}
    for population, kept in kept_answers(bracket, chosen, "validation", ROWS):
        members += [population.members[place] for place in kept.places]
        loss = population.training.loss_function
        weight_N, scores = row_score_parts(kept.output_RNC, kept.rows.y, loss, metric, kept.rows.weight)
        same = {"weight": weight_N.float(), "target": kept.rows.y}
        for name, score_RN in scores.items():
            parts[name].append(score_RN)
    tensors = {"member": torch.tensor(members, dtype=torch.int64)}
    return tensors | same | {name: torch.cat(some) for name, some in parts.items() if some}


def kept_answers(
    bracket: TrainingBracket, members: Collection[int], split: str, most: int = 0
) -> Iterator[tuple[PopulationTraining, KeptAnswers]]:
    """Yield the outputs of these members' kept networks for rows of a split, some members at a time.
    most: the number of rows, evenly spaced; 0: all."""
    for population in bracket.populations:
        places = [place for place, member in enumerate(population.members) if member in members]
        for kept in population.kept_answers(places, split, most):
            yield population, kept


def row_score_parts(
    output_RNC: Tensor, y: Tensor, loss: Loss, metric: str, weight: Tensor | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Weights ``[N]`` of the rows, and ``choose`` and ``shown`` ``[R, N]``; see ``row_scores``. weight:
    ``[N]``, the rows' own weights."""
    N = output_RNC.shape[1]
    each = [row_losses(output_NC, y, loss, weight) for output_NC in output_RNC]
    weight_N = torch.from_numpy(each[0][1])
    loss_RN = torch.stack(
        [torch.from_numpy(value_N / weight_N.clamp(min=1e-300).numpy()) for value_N, _weight_N in each]
    )
    if loss.classes:
        inputs_K = [MetricInputs(*part) for part in loss.by_target(output_RNC, y)]
        shown_RN = torch.stack([own.guess_RN == own.y for own in inputs_K]).double().mean(0)
        choose = {"loss": -loss_RN}
    elif loss.task == "regression":
        error_RNC = loss.link.values(output_RNC) - y.reshape(N, -1)
        shown_RN = -error_RNC.square().mean(-1)
        choose = {"loss": -loss_RN, "mae": -error_RNC.abs().mean(-1)}
    else:
        inputs = MetricInputs(output_RNC, y.reshape(-1))
        shown_RN = inputs.guess_RN == inputs.y
        choose = {"loss": -loss_RN, "f1_macro": inputs.guess_RN, "auc": inputs.score_RN}
    if metric != "loss":
        weight_N = torch.ones_like(weight_N) if weight is None else weight.double()
    return weight_N, {"choose": choose.get(metric, shown_RN).float(), "shown": shown_RN.float()}


def write_top(folder: RunFolder, kept: Sequence[TopMember]) -> None:
    """Write the best members to one file: weights as ``17/0.weight``, buffers as ``17+/table``, and facts."""
    tensors = {f"{k.member}/{name}": t for k in kept for name, t in k.weights.items()}
    tensors |= {f"{k.member}+/{name}": t for k in kept for name, t in k.buffers.items()}
    facts = {
        "order": [k.member for k in kept],
        "figures": [k.figure for k in kept],
        "losses": [k.loss for k in kept],
        "answering": [list(k.answering) for k in kept],
    }
    folder.write_tensors(MODELS, tensors, facts)


def read_top(folder: RunFolder) -> list[TopMember]:
    """Read the networks stored in the sweep's folder, the best first.

    Raises:
        TreinoError: the file is damaged.
    """
    if not folder.has(MODELS):
        return []
    tensors, facts = read_tensors(folder, MODELS)
    top = []
    kept = zip(*(facts[name] for name in ("order", "figures", "losses", "answering")), strict=True)
    for member, figure, loss, networks in kept:
        weights, buffers = (part_of(tensors, head) for head in (f"{member}/", f"{member}+/"))
        top.append(TopMember(member, figure, loss, weights, buffers, networks))
    return top
