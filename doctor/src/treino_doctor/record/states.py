"""Record states of a net that share the net's memory and are used after more steps."""

from collections import Counter
from typing import Any

import torch
from torch import nn

from treino_doctor.finding import Site
from treino_doctor.record.gradients import Gradients, versions
from treino_doctor.record.identity import Ref
from treino_doctor.record.lines import here
from treino_doctor.record.nets import Nets
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.outcomes import StateTaken, StateUsed

MOST = 64  # newest states that are remembered


class States(Observer):
    """Watches states that share the net's tensors: where they are taken, loaded and saved."""

    def __init__(self, of: Recording, nets: Nets, gradients: Gradients) -> None:
        super().__init__(of)
        self._nets, self._gradients = nets, gradients
        # Id of a state's first tensor -> (that tensor, versions of all, steps, the line that took the state)
        self._states: dict[int, tuple[Ref[torch.Tensor], int, int, Site | None]] = {}
        self._times: Counter[Site | None] = Counter()  # line -> states taken, each after other steps
        self._saves = 0

    def install(self) -> None:
        self._hooks.observe(nn.Module, "state_dict", after=self._taken, fits=is_whole)
        self._hooks.observe(torch, "save", self._saving)
        self._nets.loading.append(self._loading)

    def _taken(self, result: Any, args: Any, kwargs: Any) -> None:
        values, site, steps = floating(result), here(), self._gradients.steps
        if not values:
            return
        newest = next((n for *_, n, at in reversed(self._states.values()) if at == site), -1)
        self._times[site] += newest != steps
        self._states.pop(id(values[0]), None)
        self._states[id(values[0])] = Ref(values[0]), written(values), steps, site
        if len(self._states) > MOST:
            self._states.pop(next(iter(self._states)))

    def _loading(self, args: Any, kwargs: Any) -> None:
        values = floating(args[1] if len(args) > 1 else kwargs.get("state_dict"))
        own = {t.data_ptr() for t in (*args[0].parameters(), *args[0].buffers())}
        if all(t.data_ptr() in own for t in values):
            self._used("load_state_dict", values)

    def _saving(self, args: Any, kwargs: Any) -> None:
        self._saves += 1
        saved = args[0] if args else kwargs.get("obj")
        for state in (saved, *saved.values()) if isinstance(saved, dict) else ():
            self._used("save", floating(state))

    def _used(self, how: str, values: list[torch.Tensor]) -> None:
        """Log the use of a state that has been written to since it was taken, as by an optimizer."""
        state = self._states.get(id(values[0])) if values else None
        if state is None or state[0]() is not values[0]:
            return
        _first, before, since, site = state
        steps = self._gradients.steps - since
        if steps and written(values) != before:
            times = self._times[site]
            self._log.tell_here(StateUsed, how=how, taken_at=site, steps=steps, times=times)

    def finish(self) -> None:
        for site, times in self._times.items():
            self._log.tell(StateTaken, site=site, times=times)
        if self._saves and not self._times:
            self._log.tell(StateTaken, times=self._saves)


def is_whole(*args: Any, **kwargs: Any) -> bool:
    """Whether a call of ``state_dict`` is for a whole net, rather than for a part of one."""
    return len(args) == 1 and kwargs.get("destination") is None


def floating(state: Any) -> list[torch.Tensor]:
    """The tensors of a state that training changes."""
    values = list(state.values()) if isinstance(state, dict) else []
    return [t for t in values if isinstance(t, torch.Tensor) and t.is_floating_point() and t.numel()]


def written(values: list[torch.Tensor]) -> int:
    """How often these tensors' memory has been written to."""
    return sum(count for _id, count in versions(values))
