"""Wrap attributes of other modules temporarily, each once, and restore everything."""

import functools
import os
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

from torch._C import _get_tracing_state as tracing_state

from treino_doctor.record.arrays import NoNumPyError
from treino_doctor.record.lines import unseen
from treino_doctor.record.torch_versions import compiling, in_transform, without_torch_function

# Torch's words where a tensor has no values or no shape: meta, fake and nested ones.
UNREAD = "meta tensors", "_local_scalar_dense", "NestedTensorImpl", "for tensor subclasses"
Run = Callable[[Any, Any, Any], Any]
Before = Callable[[Any, Any], None] | None
After = Callable[[Any, Any, Any], None] | None
Fits = Callable[..., bool] | None


class Hooks:
    """The wrapped attributes of one examination.

    on: whether observers are called. defects: errors of observers, which never reach the program. seconds:
    time spent in observers.
    """

    def __init__(self) -> None:
        self.on, self.seconds = False, 0.0
        self.defects: dict[str, int] = {}
        self.thread = threading.get_ident()
        self._undo: list[tuple[Any, str, Any, Any]] = []

    def defect(self, what: str, error: BaseException) -> None:
        """Note that an observer failed, unless it only lacked NumPy, or the values of an unusual tensor."""
        unread = any(word in str(error) for word in UNREAD)
        if unread or isinstance(error, (NoNumPyError, NotImplementedError)):
            return
        key = f"{what}: {type(error).__name__}: {error}"
        self.defects[key] = self.defects.get(key, 0) + 1

    def defect_sentences(self) -> list[str]:
        """The errors of observers, each with its count."""
        return [f"{what} ({times} times)" for what, times in self.defects.items()]

    def watching(self) -> bool:
        """Whether to observe this call: only on the examined thread, outside of compilers, transforms and
        tracers, which would take our own reads of tensors for part of the program.
        """
        here = self.on and threading.get_ident() == self.thread
        return here and not compiling() and not in_transform() and tracing_state() is None

    def replace(self, owner: Any, name: str, new: Any) -> None:
        """Replace an attribute until ``undo``; replacing it twice is a bug."""
        first = all(o is not owner or n != name for o, n, _, _ in self._undo)
        assert first, f"{owner}.{name} is wrapped twice"
        own = vars(owner).get(name) if isinstance(owner, type) else getattr(owner, name)
        self._undo.append((owner, name, own, new))
        setattr(owner, name, new)

    def observed(self, original: Any, run: Run) -> Any:
        """Wrap a function: while observed, a call runs ``run(original, args, kwargs)`` instead."""
        hooks = self

        @functools.wraps(original)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if not hooks.on or not hooks.watching():
                return original(*args, **kwargs)
            return run(original, args, kwargs)

        return unseen(watched)

    def observe(
        self, owner: Any, name: str, before: Before = None, after: After = None, fits: Fits = None
    ) -> None:
        """Call ``before(args, kwargs)`` before each call of ``owner.name`` whose arguments fit, and
        ``after(result, args, kwargs)`` after it."""

        def run(original: Any, args: Any, kwargs: Any) -> Any:
            seen = fits is None or fits(*args, **kwargs)
            if seen and before is not None:
                self.quietly(name, before, args, kwargs)
            result = original(*args, **kwargs)
            if seen and after is not None:
                self.quietly(name, after, result, args, kwargs)
            return result

        if (original := getattr(owner, name, None)) is not None:
            self.replace(owner, name, self.observed(original, unseen(run)))

    def quietly(self, name: str, observe: Callable[..., Any], *arguments: Any) -> Any:
        """Run an observer and return its result: its calls are not observed, its errors become defects."""
        before, self.on, began = self.on, False, perf_counter()
        try:
            with without_torch_function():
                return observe(*arguments)
        except Exception as error:
            self.defect(name, error)
            return None
        finally:
            self.on = before and self in _installed
            self.seconds += perf_counter() - began

    def install(self) -> None:
        """Switch on; worker processes forked from now on are not observed."""
        self.on = True
        _installed.add(self)

    def undo(self) -> None:
        """Restore all attributes."""
        self.on = False
        _installed.discard(self)
        for owner, name, old, new in reversed(self._undo):
            if vars(owner).get(name) is not new:
                continue  # the program has replaced the attribute since
            if old is None:
                delattr(owner, name)
            else:
                setattr(owner, name, old)
        self._undo.clear()


continuing = False
"""Whether the process being forked goes on as the script itself, rather than as one of its workers."""
in_child: list[Callable[[], None]] = []
"""What else a forked process does first, after its hooks are on or off."""
_installed: set[Hooks] = set()


def _forked() -> None:
    for hooks in _installed:
        hooks.on = hooks.on and continuing
    for follow in in_child:
        follow()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
