"""Weights that learn by ``torch.func``: ``grad(f)(weights, rows)`` gives gradients, and new weights take the
place of the old ones, so that there is neither a leaf nor a ``.grad`` to follow.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch._C import _functorch as functorch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from treino.diagnosis.finding import Site
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.alike import WHEN, alike_along
from treino.diagnosis.watch.manual import LARGEST, some
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import BackwardSeen, LayerSeen, Seen

MEANT = ("full", "full_like", "masked_fill", "masked_fill_", "where", "fill_")  # of infinity, as masks have
PROBED = 3  # calls of a line in which each operation is looked at


@dataclass
class _Line:
    """A line that asks for gradients: how often it did, and its weights that began alike, by their place."""

    calls: int = 0
    first: dict[int, torch.Tensor] = field(default_factory=dict)
    layers: dict[int, LayerSeen] = field(default_factory=dict)
    bad: BackwardSeen | None = None


class _FirstBad(TorchFunctionMode):
    """Finds the first operation that makes something else than finite numbers of finite ones."""

    def __init__(self) -> None:
        super().__init__()
        self.site: Site | None = None
        self.operation = ""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name in MEANT:
            return result
        if self.site is None and _is_spoiled(result) and not any(map(_is_spoiled, tree_leaves(args))):
            self.site, self.operation = here(), name
        return result


def _is_spoiled(t: Any) -> bool:
    """Whether a tensor, under whatever transforms of torch.func, holds NaN or infinity."""
    if not isinstance(t, torch.Tensor) or not t.is_floating_point():
        return False
    while functorch.is_functorch_wrapped_tensor(t):
        t = functorch.get_unwrapped(t)
    return not bool(torch.isfinite(t.detach()).all())


class Functional:
    """Looks at weights and their gradients a few times."""

    def __init__(self, seen: Seen, patches: Patches) -> None:
        self.seen, self.patches = seen, patches
        self._lines: dict[Site | None, _Line] = {}

    def install(self) -> None:
        """Put the wraps on."""
        for name in ("grad", "grad_and_value"):
            self.patches.replace(torch.func, name, self._giving(name, getattr(torch.func, name)))

    def _giving(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def make(func: Any, argnums: Any = 0, has_aux: bool = False) -> Any:
            inner = original(func, argnums, has_aux)

            @functools.wraps(inner)
            def asked(*args: Any, **kwargs: Any) -> Any:
                first = _FirstBad()
                if self._line().calls < PROBED and self.patches.watching():
                    with first:
                        result = inner(*args, **kwargs)
                else:
                    result = inner(*args, **kwargs)
                if isinstance(argnums, int) and argnums < len(args) and self.patches.watching():
                    try:
                        beside = has_aux or name == "grad_and_value"
                        given = result[0] if beside else result
                        self._look(args[argnums], given)
                        loss = result[1] if name == "grad_and_value" else given
                        self._spoiled(loss[0] if name == "grad_and_value" and has_aux else loss, first)
                    except Exception as error:
                        self.patches.defect(name, error)
                return result

            return asked

        return make

    def _line(self) -> _Line:
        return self._lines.setdefault(here(), _Line())

    def _spoiled(self, given: Any, first: "_FirstBad") -> None:
        """Note a loss, or gradients, that are not finite."""
        line, site = self._line(), here()
        if not any(map(_is_spoiled, tree_leaves(given))):
            return
        if line.bad is None:
            line.bad = BackwardSeen(
                site, first_bad=line.calls, bad_operation=first.operation, bad_at=first.site
            )
            self.seen.functional.append(line.bad)
        line.bad.bad_steps += 1

    def _look(self, weights: Any, grads: Any) -> None:
        """Note weights whose units are alike, and whether they still are once they have moved."""
        site, line = here(), self._line()
        line.calls += 1
        if line.calls not in WHEN:
            return
        for place, (p, g) in enumerate(zip(tree_leaves(weights), tree_leaves(grads), strict=True)):
            if not isinstance(p, torch.Tensor) or p.dim() != 2 or min(p.shape) < 2 or p.numel() > LARGEST:
                continue
            axis = next((a for a in (0, 1) if alike_along(p, g, a)), None)
            layer, first = line.layers.get(place), line.first.get(place)
            if first is None and line.calls == min(WHEN) and axis is not None:
                line.first[place] = some(p).clone()
                line.layers[place] = LayerSeen("tensor", site, p.shape[axis], 0, True)
            elif layer is not None and first is not None and not torch.equal(first, some(p)):
                if not layer.checks:
                    self.seen.layers.append(layer)
                layer.alike = axis is not None
                layer.checks += 1
