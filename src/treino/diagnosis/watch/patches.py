"""Wrap functions of other modules for a while, and put everything back."""

import functools
import inspect
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import torch

from treino.diagnosis.record.hooks import compiling, in_functorch, unseen

FIRST, FEW, MORE = 24, 6, 12  # steps

After = Callable[[Any, tuple[Any, ...], dict[str, Any]], None]
Failed = Callable[[BaseException, tuple[Any, ...], dict[str, Any]], None]


class Patches:
    """The wraps of one examination. An observer that raises is noted in ``defects``, never passed on.

    quiet: between windows, while a training goes on as those before it: most wraps pass calls on at once.
    curious: the next call of a net is looked at, between windows too.
    careful: something may be compiled, whose tracing must not see what the wraps do.
    """

    def __init__(self) -> None:
        self.on = self.quiet = self.careful = self.curious = False
        self.defects: dict[str, int] = {}
        self.thread = threading.get_ident()
        self._undo: list[tuple[Any, str, Any, Any]] = []
        self._lifted = 0
        self.full = True  # whether this is a window in which everything is watched
        self._until = self._watched = self.clock = 0
        self.next = 0  # the step at which the next window may open
        self.count = 0
        self.spent = 0.0  # seconds in observers, from every 16th call

    def tick(self, clock: int) -> None:
        """Windows: everything in the first steps, then a few in each block (blocks grow as a training goes
        on), and after anything new; what is read is read as a whole.
        """
        self.clock = clock
        block = 64 if clock < 128 else 128 if clock < 512 else 256
        self.full = clock < FIRST or clock & (block - 1) >= block - FEW or clock < self._until
        self.next = clock + 1 if self.full else (clock | (block - 1)) - FEW + 1
        if self.full:
            self._watched += 1
            self.quiet = False

    def news(self) -> None:
        """Something happened that no window has seen: watch the next steps, within a share of all."""
        if not self.full and self._watched < 2 * FIRST + self.clock // 8:
            self._until, self.next = self.clock + MORE, 0

    def defect(self, what: str, error: BaseException) -> None:
        """Note that an observer failed; not where the script's own graph is gone, as torch will tell it."""
        if "backward through the graph a second time" in str(error):
            return
        key = f"{what}: {type(error).__name__}: {error}"
        self.defects[key] = self.defects.get(key, 0) + 1

    def watching(self) -> bool:
        """Whether this call is to be observed: switched on, on our thread, not inside a compiler's trace."""
        if self.careful and compiling():
            return False
        return self.on and threading.get_ident() == self.thread and not in_functorch()

    def replace(self, owner: Any, name: str, new: Any) -> None:
        """Set an attribute until ``undo``."""
        own = vars(owner).get(name, None) if isinstance(owner, type) else getattr(owner, name)
        self._undo.append((owner, name, own, new))
        setattr(owner, name, new)

    def after(
        self, owner: Any, name: str, observe: After, failed: Failed | None = None, *, always: Any = True
    ) -> None:
        """Call ``observe(result, args, kwargs)`` after each call of ``owner.name``; as long as ``always`` is
        empty or false, only while things aren't quiet.
        """
        original = getattr(owner, name, None)
        if original is None:
            return
        patches, ident, main, functorch = self, threading.get_ident, self.thread, in_functorch

        @functools.wraps(original)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if patches.careful and compiling():
                return original(*args, **kwargs)
            if (patches.quiet and not always) or not patches.on or ident() != main or functorch():
                return original(*args, **kwargs)
            if failed is None:
                result = original(*args, **kwargs)
            else:
                try:
                    result = original(*args, **kwargs)
                except Exception as error:
                    try:
                        failed(error, args, kwargs)
                    except Exception as ours:
                        patches.defect(name, ours)
                    raise
            patches.count += 1
            started = 0.0 if patches.count & 15 else perf_counter()
            patches.on = False  # what the observer itself calls is none of the script's
            try:
                observe(result, args, kwargs)
            except Exception as error:
                patches.defect(name, error)
            patches.on = True
            if started:
                patches.spent += 16 * (perf_counter() - started)
            return result

        self.replace(owner, name, unseen(watched))

    def before(self, owner: Any, name: str, observe: Callable[..., None], *, always: Any = True) -> None:
        """Call ``observe(args, kwargs)`` before each call of ``owner.name``; ``always`` as in ``after``."""
        original = getattr(owner, name, None)
        if original is None:
            return
        patches, ident, main = self, threading.get_ident, self.thread

        @functools.wraps(original)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if patches.careful and compiling():
                return original(*args, **kwargs)
            if (always or not patches.quiet) and patches.on and ident() == main:
                patches.on = False
                try:
                    observe(args, kwargs)
                except Exception as error:
                    patches.defect(name, error)
                patches.on = True
            return original(*args, **kwargs)

        self.replace(owner, name, unseen(watched))

    def install(self) -> None:
        """Switch on; worker processes that are forked from now on are not observed."""
        self.careful = _compiled_before()
        for owner, name in ((torch, "compile"), (torch.export, "export")):
            self.before(owner, name, self._compiling)
        self.on = True
        os.register_at_fork(after_in_child=self._in_child)
        for name in ("script", "trace"):  # they read the source of what they compile
            self._plain_inside(torch.jit, name)

    def _compiling(self, args: Any, kwargs: Any) -> None:
        if not self.careful:
            from torch._dynamo import trace_rules  # heavy: only where something is compiled

            trace_rules.add("treino.diagnosis")  # hooks that run between compiled parts are none of these
        self.careful = True

    def _in_child(self) -> None:
        self.on = False

    def _plain_inside(self, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        framed = "_frames_up" in inspect.signature(original).parameters

        @functools.wraps(original)
        def plain(*args: Any, **kwargs: Any) -> Any:
            if framed and len(args) < 3:  # names are looked up where the decorator stands: one frame further
                kwargs["_frames_up"] = kwargs.get("_frames_up", 0) + 1
            with self.lifted():
                return original(*args, **kwargs)

        self.replace(owner, name, plain)

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Everything as it was before, inside the block."""
        if self._lifted == 0:
            self._restore()
        self._lifted += 1
        try:
            yield
        finally:
            self._lifted -= 1
            if self._lifted == 0:
                for owner, name, _, new in self._undo:
                    setattr(owner, name, new)

    def _restore(self) -> None:
        for owner, name, old, _ in reversed(self._undo):
            if old is None:
                delattr(owner, name)
            else:
                setattr(owner, name, old)

    def undo(self) -> None:
        """Put everything back."""
        self.on = False
        self._restore()
        self._undo.clear()


def _compiled_before() -> bool:
    """Whether anything was compiled before now; one backend is there from the start."""
    frames = sys.modules.get("torch._dynamo.eval_frame")
    return frames is not None and len(getattr(frames, "cached_backends", "unknown")) > 1
