"""More networks for a sweep: one that is trained, that broke off, that was stopped, or that is over.

Space and settings stay, and the sampler goes on where it was. Where a strategy cuts, the new networks compete
in further brackets, and their best with the best so far. What a stopped sweep had not begun is not made up
for: the new networks take these settings. The time limit and the goal hold anew.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

from treino.documents import read_document, read_sweep_spec
from treino.errors import TreinoError
from treino.loop.stop_command import stop_sent
from treino.search.space import Space, space_from_json
from treino.store import RunFolder
from treino.store.database import Command
from treino.training.commands import heard, send_command
from treino.tuning.member_table import MemberTable
from treino.tuning.sweep_options import TPE
from treino.tuning.sweep_state import SweepTraining, next_members, write_members
from treino.words import _

OVER = "finished", "stopped", "diverged"
VERB = "extend"  # the command to the process that trains a sweep; its value is how many
PATIENCE = 30.0  # seconds for that process to hear it
LOOK = 0.05


def settings_in_all(space: Space, sampler: str) -> int | None:
    """How many different settings there are for this sampler; None: there is no end of them."""
    whole = space.grid if sampler == "grid" else None if sampler == TPE else space.every
    return None if whole is None else len(whole)


def check_more(more: int, spread: bool, left: int | None) -> None:
    """Whether so many networks can be added.

    left: how many settings nobody has been given so far, None without an end.

    Raises:
        TreinoError: too few, too many, or there is nothing to vary.
    """
    if isinstance(more, bool) or not isinstance(more, int) or more < 1:
        raise TreinoError(
            "more_range",
            _("more is {n}: a sweep is given at least one more network.").format(n=more),
            _("Say how many, e.g. 64."),
        )
    if spread:
        raise TreinoError(
            "more_of_equal",
            _("These are equal settings with other seeds or folds: there is no best to look for on."),
            _("Train them anew, with more [[seeds]] or [[folds]]."),
        )
    if left is not None and more > left:
        raise TreinoError(
            "space_spent",
            _("{more:,} networks more were asked for, and {left:,} settings of the space are left.").format(
                more=more, left=left
            ),
            _("Ask for {left:,}.").format(left=left) if left else _("Start a sweep of a larger space."),
        )


def begun_part(members: Mapping[str, Any], done: int) -> dict[str, Any]:
    """``asked.json`` without the brackets that were never begun. done: those that are over."""
    count = sum(number for _first, number, _rungs in members["heats"][:done])
    ends = [0, *accumulate(members["asks"])]
    asks = [min(end, count) - begin for begin, end in pairwise(ends) if begin < count]
    configs = members["configs"][:count]
    return {**members, "heats": members["heats"][:done], "asks": asks, "configs": configs}


def add_networks(folder: RunFolder, sweep: SweepTraining, more: int, *, command: int | None = None) -> None:
    """Have so many more trained, and say so in the folder before anything else.

    command: the one that asks for it. Of a sweep that was over it is said what its judgement was, also where
    whoever reopened it first died before that.

    Raises:
        TreinoError: as ``check_more``.
    """
    options = sweep.options
    whole = settings_in_all(options.space, options.sampler)
    check_more(more, options.spread, None if whole is None else max(0, whole - len(sweep.configs)))
    entry: dict[str, Any] = {
        "members": more,
        "first": options.members,
        "seconds": sweep.seconds,
        "command": command,
    }
    result = read_document(folder, "result.json") if folder.has("result.json") else {}
    if result.get("status") in OVER and result["members"] == options.members:
        best, judge = result["best"] or {}, result["judge"] or {}
        entry |= {"tested": best.get("test") is not None, "judged": judge.get("sentence")}
    sweep.options = replace(options, members=options.members + more)
    if options.sampler != TPE:  # which would rather hear first how the others have done
        next_members(sweep)
        sweep.options = replace(options, members=len(sweep.configs))
        entry["members"] = len(sweep.configs) - options.members
    sweep.extensions.append(entry)
    write_members(folder, sweep)


def hear(folder: RunFolder, sweep: SweepTraining) -> bool:
    """Obey the commands to a sweep that trains; -> whether one asks it to stop."""

    def add(command: Command) -> bool:
        if command.name != VERB:
            return False
        if command.id not in [e["command"] for e in sweep.extensions]:
            try:
                add_networks(folder, sweep, command.value, command=command.id)
            except TreinoError:
                return False
        return True

    return stop_sent(folder, add)


def left_of(folder: RunFolder, whole: int | None) -> int | None:
    """How many settings nobody has been given so far. whole: as ``settings_in_all``."""
    if whole is None:
        return None
    over = folder.status in OVER  # what was never begun is given anew
    taken = MemberTable.read(folder).last() if over else read_document(folder, "asked.json")["configs"]
    return max(0, whole - len(taken))


def check_folder(folder: RunFolder, more: int) -> None:
    """Whether the sweep in this folder can be given so many more networks.

    Raises:
        TreinoError: as ``check_more``.
    """
    spec = read_sweep_spec(folder)
    whole = settings_in_all(space_from_json(spec.space_document()), spec.sweep.sampler)
    check_more(more, spec.sweep.spread, left_of(folder, whole))


def send_more(folder: RunFolder, more: int) -> None:
    """Ask the process that trains this sweep for so many more networks, and go.

    Raises:
        TreinoError: as ``check_more``; the sweep has ended meanwhile, or is being judged.
    """
    check_folder(folder, more)
    if not heard(lambda: send_command(folder, VERB, more)):
        raise _too_late(folder, more)


def ask_for_more(folder: RunFolder, more: int) -> None:
    """``send_more``, and wait for the answer.

    Raises:
        TreinoError: as ``send_more``; the process that trains it doesn't take it, or doesn't answer.
    """
    send_more(folder, more)
    sent = max(command.id for command in folder.database.commands() if command.name == VERB)
    begin, state = time.monotonic(), "new"
    while state == "new" and folder.status == "running" and time.monotonic() - begin < PATIENCE:
        time.sleep(LOOK)
        state = next(command.state for command in folder.database.commands() if command.id == sent)
    if state != "applied":
        raise _too_late(folder, more)


def _too_late(folder: RunFolder, more: int) -> TreinoError:
    return TreinoError(
        "more_too_late",
        _("{sweep} is trained by another process, which takes no more networks now.").format(
            sweep=folder.path.name
        ),
        _("Ask again once it is over: treino resume {sweep} [[more={n}]]").format(
            sweep=folder.path.name, n=more
        ),
        status=1,
    )


def extension_notes(sweep: SweepTraining) -> list[str]:
    """What must be known of networks that were added, to read the judgement."""
    found = []
    for entry in sweep.extensions:
        facts = {"n": entry["members"], "first": entry["first"], "said": entry.get("judged")}
        note = _("{n:,} networks were added to the first {first:,}.")
        if entry.get("judged"):
            note = _(
                "{n:,} networks were added when the first {first:,} had been judged by the test rows: {said}"
            )
        elif entry.get("tested"):
            note = _(
                "{n:,} networks were added when the test rows had been looked at for the first {first:,}."
            )
        found.append(note.format(**facts))
    return found
