"""An ensemble of a sweep's best networks, as one module."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from treino.documents import read_sweep_spec, read_tensors
from treino.engine import mlp
from treino.engine.ensemble import Ensemble
from treino.errors import TreinoError
from treino.records.kept_layers import check_layers, with_weights
from treino.records.stored_run import StoredRun
from treino.store import RunFolder
from treino.store.files import damaged
from treino.tuning import top_members
from treino.tuning.member import config_of
from treino.tuning.populations import COMPARED, settings_of
from treino.words import _


def ensemble(folder: RunFolder, winner: StoredRun, top: int) -> StoredRun:
    """The winner's run with the best ``top`` networks of the sweep's folder in its place: whatever asks it
    asks them all.

    Raises:
        TreinoError: fewer are kept, or one of them sees its rows otherwise than the winner does.
    """
    kept = top_members.top_from_tensors(*read_tensors(folder, top_members.MODELS))
    if not 1 <= top <= len(kept):
        raise TreinoError(
            "top_range",
            _("{sweep} keeps {n} networks; {top} can't be asked.").format(
                sweep=folder.path.name, n=len(kept), top=top
            ),
            _("Give a number from 1 to {n}, or begin a sweep with a larger [[top]].").format(n=len(kept)),
        )
    nets = networks(folder, winner, kept[:top])
    return winner.answered_by(Ensemble(nets, winner.spec.resolved.loss).eval())


def chosen_ensemble(folder: RunFolder, winner: StoredRun, members: Sequence[int]) -> StoredRun:
    """The winner's run with the networks that the sweep chose to answer together in its place; see
    ``greedy_ensemble``.

    Raises:
        TreinoError: the folder doesn't keep one of them.
    """
    kept = {k.member: k for k in top_members.top_from_tensors(*read_tensors(folder, top_members.MODELS))}
    if lost := set(members) - set(kept):
        raise damaged(folder.path / top_members.MODELS, _("network {n} is not there").format(n=min(lost)))
    different = list(dict.fromkeys(members))
    made = dict(zip(different, networks(folder, winner, [kept[m] for m in different]), strict=True))
    return winner.answered_by(Ensemble([made[m] for m in members], winner.spec.resolved.loss).eval())


def alike(folder: RunFolder, kept: Sequence[top_members.TopMember]) -> list[top_members.TopMember]:
    """Those that can answer together with the first one: they see the same rows, and have the same loss."""
    base, first = read_sweep_spec(folder).base, config_of(folder, kept[0].member)
    found = []
    for k in kept:
        config = config_of(folder, k.member)
        if not _differences(config, first) and settings_of(config, base, k.member).net is None:
            found.append(k)
    return found


def _differences(config: Mapping[str, Any], first: Mapping[str, Any]) -> list[str]:
    return [n for n in (*COMPARED, "loss") if config.get(n) != first.get(n)]


def networks(folder: RunFolder, winner: StoredRun, kept: Sequence[top_members.TopMember]) -> list[nn.Module]:
    """The kept networks as modules.

    Raises:
        TreinoError: one of them sees its rows otherwise than the winner does.
    """
    base, first = read_sweep_spec(folder).base, config_of(folder, kept[0].member)
    spec = winner.spec
    nets = []
    for k in kept:
        config = config_of(folder, k.member)
        other = _differences(config, first)
        s = settings_of(config, base, k.member)
        if other or s.net is not None:
            raise TreinoError(
                "ensemble_differs",
                _("Network {n} can't answer together with the winner: they differ in {what}.").format(
                    n=k.member, what=", ".join(other) or "net"
                ),
                _("Ask fewer of them."),
            )
        hidden = s.hidden if s.hidden is not None else spec.resolved.hidden or ()
        net = mlp(
            *hidden, activation=s.activation or "relu", dropout=s.dropout or 0.0, batch_norm=s.batch_norm
        )  # fmt: skip
        sizes = [spec.inputs, *hidden, spec.outputs]
        check_layers(sizes, (t.shape for t in k.weights.values()), folder.path.name)
        nets.append(with_weights(net.module(spec.inputs, spec.outputs), k.weights, folder.path.name))
    return nets
