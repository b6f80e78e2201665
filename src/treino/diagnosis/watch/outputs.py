"""The newest outputs of nets, and which tensors are one of them: itself, its views, what was made of it."""

import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from treino.diagnosis.watch.output import Output

RECENT = 12
HELD = 1_000_000  # numbers of an output that is kept


class Outputs:
    """What nets returned last, found again by any tensor that is it or comes straight from it."""

    def __init__(self) -> None:
        self.newest: deque[Output] = deque(maxlen=RECENT)
        self.pending: list[Output] = []  # older ones with a graph, of which a backward may still come
        self.waiting: list[Output] = []  # older ones that somebody collects, to judge them together
        self._known: dict[int, tuple[weakref.ref[torch.Tensor], Output]] = {}
        self._wholes: dict[int, tuple[weakref.ref[torch.Tensor], Output]] = {}  # and the first of its parts
        self.held_back: torch.Tensor | None = None  # the newest of a training mode, if it has no graph
        self._collected: dict[int, list[Output]] = {}  # those with graphs that one node joined
        self._stacks: dict[int, tuple[weakref.ref[torch.Tensor], int]] = {}  # and the axis of its rows

    def know(self, output: Output, t: torch.Tensor) -> None:
        """This tensor, and every other view of its memory, is that output."""
        if len(output.keys) < 16:
            base = t._base
            for one in (t,) if base is None else (t, base):
                self._known[id(one)] = weakref.ref(one), output
                output.keys.append(id(one))

    def forget(self, output: Output) -> None:
        for key in output.keys:
            found = self._known.get(key)
            if found is not None and found[1] is output:
                del self._known[key]

    def held(self, output: Output) -> Iterator[torch.Tensor]:
        """The tensors that are this output and that somebody still holds."""
        for key in output.keys:
            known = self._known.get(key)
            tensor = known[0]() if known is not None else None
            if tensor is not None:
                yield tensor

    def match(self, t: torch.Tensor) -> Output | None:
        """The output that this tensor is, or comes from by ten operations at the most."""
        outputs = self.newest
        if not outputs:
            return None
        for one in (t, t._base):
            known = self._known.get(id(one))
            if known is not None and one is not None and known[0]() is one:
                return known[1]
        node = t.grad_fn
        if node is None and not t.is_sparse:
            return self.same_memory(t)
        if node is not None:
            seqs = {o.seq: o for o in outputs if o.seq >= 0}
            for _ in range(10):
                at = node._sequence_nr()
                found = seqs.get(at)
                if found is None and at in self._collected:
                    found = self._collected[at][0]
                if found is not None:
                    return found
                following = node.next_functions
                if not following or following[0][0] is None:
                    return None
                node = following[0][0]
        return None

    def derived(self, before: torch.Tensor, after: torch.Tensor) -> None:
        """A softmax or a sigmoid of an output still is that output."""
        output, rows = self.match(before), self.rows_of(before)
        if rows is not None:
            self._note_rows(after, rows)
        if output is not None:
            self.know(output, after)
            if after.is_inference() and output.storage is not None:
                output.soft = after.untyped_storage()
        elif self._wholes and (first := self.joined(before)) is not None:
            self._wholes[id(after)] = weakref.ref(after), first

    def collect(self, parts: Sequence[torch.Tensor], whole: torch.Tensor) -> None:
        """Outputs of an evaluation that have graphs, older ones too, were joined: they are judged as one."""
        seqs = {o.seq: o for o in (*self.pending, *self.newest) if o.grad and not (o.training or o.reached)}
        nodes = [t.grad_fn for t in parts if isinstance(t, torch.Tensor)] if len(seqs) > 1 else []
        found = [seqs[n._sequence_nr()] for n in nodes if n is not None and n._sequence_nr() in seqs]
        if len(found) > 1 and whole.grad_fn is not None:
            if len(self._collected) > 64:
                self._collected.clear()
            self._collected[whole.grad_fn._sequence_nr()] = found
            for output in found:
                output.beside = found

    def join(self, parts: Sequence[torch.Tensor], whole: torch.Tensor) -> None:
        """Outputs of a training mode were collected, one below the other. The same rows once more by the
        same line, with no step between: Monte Carlo.
        """
        ends = [t for t in (*parts[:1], *parts[-1:]) if isinstance(t, torch.Tensor)]
        first = next((o for t in ends if (o := self.match(t)) is not None), None)
        if first is None or not first.modal or first.grad or not first.net.answers():
            return
        first.joined = True
        for other in (*self.waiting, *self.newest):
            if other is first or other.call is not first.call or other.step != first.step:
                continue
            rows, again = first.hashes, other.hashes
            if rows is not None and again is not None and np.array_equal(rows, again):
                first.target = other.target = True
        if len(self._wholes) > 64:
            self._wholes.clear()
        self._wholes[id(whole)] = weakref.ref(whole), first

    def gather(self, parts: Sequence[torch.Tensor], whole: torch.Tensor, axis: int) -> None:
        """Outputs of as many nets were stacked: an ensemble, of which one in training mode is known again."""
        known = [self.match(t) for t in parts if isinstance(t, torch.Tensor)]
        found = [o for o in known if o is not None]
        if 0 < len(found) == len(parts) and all(o.classifies() for o in found) and whole.dim() == 3:
            self._note_rows(whole, 0 if axis % 3 else 1)
        if len(found) < 2 or len({id(o.net) for o in found}) < len(parts):
            return
        first = next((o for o in found if o.modal and not o.grad and o.net.answers()), None)
        if first is not None:
            first.joined = True
            self._wholes[id(whole)] = weakref.ref(whole), first

    def meet(self, parts: Sequence[Any], whole: Any) -> Output | None:
        """Outputs of several nets became one tensor (a product, a join): it is known as that of the net which
        is in training mode. This is returned if another one of them, that learned too, was set to evaluation.
        """
        if not isinstance(whole, torch.Tensor) or whole.grad_fn is not None:
            return None
        found = [o for t in parts if isinstance(t, torch.Tensor) and (o := self.match(t)) is not None]
        live = next((o for o in found if o.modal and o.training and not o.grad), None)
        others = [o for o in found if live is not None and o.net is not live.net]
        if live is None or not others:
            return None
        self._wholes[id(whole)] = weakref.ref(whole), live
        judges = any(not o.training and o.net.eval_at is not None and o.net.seen.trained >= 2 for o in others)
        return live if judges and live.net.seen.trained >= 2 else None

    def given_by(self, args: Sequence[Any]) -> Output | None:
        """The output of another net that a net is given, one in training mode before others."""
        known = [self.match(a) or self.joined(a) for a in args if isinstance(a, torch.Tensor)]
        found = [o for o in known if o is not None]
        return next((o for o in found if o.modal), found[0] if found else None)

    def _note_rows(self, whole: torch.Tensor, axis: int) -> None:
        if len(self._stacks) > 64:
            self._stacks.clear()
        self._stacks[id(whole)] = weakref.ref(whole), axis

    def rows_of(self, t: torch.Tensor) -> int | None:
        """The axis of the rows of a classifier's stacked outputs, or their mean: the last is the classes'."""
        known = self._stacks.get(id(t)) if self._stacks else None
        return known[1] if known is not None and known[0]() is t else None

    def averaged(self, before: torch.Tensor, after: torch.Tensor, dim: Any) -> None:
        """The mean of what was joined is judged as that."""
        rows = self.rows_of(before)
        if rows is not None and dim in (1 - rows, -2 - rows) and after.dim() == 2:
            self._note_rows(after, 0)
        first = self.joined(before) if self._wholes else None
        if first is not None:
            self._wholes[id(after)] = weakref.ref(after), first

    def joined(self, t: torch.Tensor) -> Output | None:
        """The first of the outputs that this tensor is joined of."""
        for one in (t, t._base) if self._wholes else ():
            known = self._wholes.get(id(one))
            if known is not None and one is not None and known[0]() is one:
                return known[1]
        return None

    def same_memory(self, t: torch.Tensor) -> Output | None:
        """The output in whose memory this tensor lies; inference_mode and ``.data`` leave no other trace."""
        memory = t.untyped_storage().data_ptr()
        for output in reversed(self.newest):
            for held in (output.storage, output.soft):
                if held is not None and held.data_ptr() == memory:
                    return output
            out = output.ref() if output.grad and not output.let_go else None
            if out is not None and out.untyped_storage().data_ptr() == memory:
                return output
        return self._taken_from(t)

    def hold(self, output: Output, out: torch.Tensor) -> None:
        """Keep what a net in training mode said without a graph until it speaks again: some rows of it may be
        picked, by an index, which leaves no trace.
        """
        wanted = output.modal and output.training and not output.grad
        self.held_back = out if wanted and out.dim() == 2 and out.numel() <= HELD else None

    def _taken_from(self, t: torch.Tensor) -> Output | None:
        """The newest output, if the first and the last row of this tensor are rows of it."""
        whole = self.held_back
        if whole is None or t.dim() != 2 or t.dtype != whole.dtype or t.device != whole.device:
            return None
        if t.shape[1:] != whole.shape[1:] or not 0 < len(t) <= len(whole) or not t.is_floating_point():
            return None
        rows = ((whole == t[at]).all(1).any() for at in (0, -1))
        return self.newest[-1] if all(map(bool, rows)) else None

    def let_go(self, t: torch.Tensor) -> None:
        """detach() says that no gradient is wanted: a graph that nobody uses is no surprise."""
        output = self.match(t)
        if output is not None:
            output.let_go = True
