"""Verify a network of a sweep: train it again alone, and compare it with what the sweep keeps."""

from treino.base.files import damaged
from treino.base.words import _
from treino.engine.devices import torch_threads
from treino.engine.kernels.selection import torch_threads_of
from treino.engine.net_state import whole_state
from treino.folders.documents.verification import VerificationDocument
from treino.folders.network_source import network_files, network_source
from treino.folders.stored_run import StoredRun
from treino.training.comparison import Comparison
from treino.training.retraining import SECONDS, Tell, tell_nobody
from treino.training.sweeps.bracket import MEMBERS, MemberTable
from treino.training.sweeps.group_training import GroupTraining
from treino.training.sweeps.populations import groups
from treino.training.verification import check_verifiable, document_of, unverifiable, why_unverifiable

OF_A_ROW = ("loss", "validation_")  # the columns of the sweep's table that hold figures


def verify_member(run: StoredRun, tell: Tell = tell_nobody) -> VerificationDocument:
    """Train a network of a sweep again, and return the document of what is equal: its figures at each rung,
    and its kept weights. Its losses are not recorded step by step.

    Raises:
        TreinoError: as ``treino.training.verification.verify``.
    """
    assert run.row is not None
    check_verifiable(run)
    if reason := why_unverifiable(run):
        return unverifiable(run, reason)
    number, settings = run.row.number, run.row.asked
    rows = [row for row in MemberTable.read(run.folder).rows.values() if row["member"] == number]
    if not rows:
        raise damaged(run.path / MEMBERS, _("it has no row of a network that is kept"))
    engine = rows[-1]["engine"]
    settings = settings.model_copy(update={"engine": engine})
    source = network_source(run.folder, run.access.net_file, run.access.trust)
    (group,) = groups(
        {number: settings}, lambda _settings: run.data, network_files(source, [settings.net_file])
    )
    population = GroupTraining(group, run.spec.resolved.metric)
    training, comparison, last = population.training, Comparison(), max(row["step"] for row in rows)
    with torch_threads(torch_threads_of(training.engine, training.threads)):
        for row in sorted(rows, key=lambda each: each["rung"]):
            while population.behind(row["step"]):
                population.advance(SECONDS, row["step"])
                tell(training.step, last)
            made = {"step": population.last_step_M, "kept_step": population.kept_step_M, **population.figures}
            recorded = {k: v for k, v in row.items() if k in ("step", "kept_step") or k.startswith(OF_A_ROW)}
            found = {name: float(value_M[0]) for name, value_M in made.items()}
            comparison.figures("validation", row["step"], recorded, found)
        comparison.tensors("weights", last, dict(run.row.state), whole_state(population.net(0)))
    return document_of(run, comparison, training, {}, training.step, last)
