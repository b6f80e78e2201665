"""Record attention whose mask hides the wrong words, and views that mix axes."""

from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from treino_doctor.finding import Site
from treino_doctor.record.lines import here
from treino_doctor.record.log import Forward
from treino_doctor.record.nets import Nets
from treino_doctor.record.observer import FirstOnes, Observer, Recording
from treino_doctor.record.outcomes import MaskWrong, Reshaped
from treino_doctor.record.values import Node, first_tensors, made_of

LEAST = 8  # pairs of words that are compared, and shifted words that have to agree
SHIFTED = 0.99  # share of the targets that are the next word of the inputs
NEAR = 64  # operations behind a net's inputs among which a view is looked for
VIEWED = 256  # maximum number of views that are remembered


class Masks(Observer):
    """Watches attention: what its masks hide, and whether a net that is to say the next word is shown it."""

    def __init__(self, of: Recording) -> None:
        super().__init__(of)
        self._kept = FirstOnes()
        self._attended: list[tuple[int, bool, Site | None]] = []  # (words, the next is hidden, line)
        self._newest: tuple[int, list[Tensor], list[tuple[int, bool, Site | None]]] = -1, [], []
        of.called.append(self._called)

    def install(self) -> None:
        self._tape.observe(self._attends, "multi_head_attention_forward", "scaled_dot_product_attention")
        self._tape.observe(self._loss, "cross_entropy", "nll_loss")

    def _attends(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        query, key = (*args[:2], kwargs.get("query"), kwargs.get("key"))[:2]
        if node is None or not isinstance(query, Tensor) or not isinstance(key, Tensor) or query.dim() < 3:
            return
        whole = node.op == "multi_head_attention_forward"
        words, others = (t.shape[0] if whole else t.shape[-2] for t in (query, key))
        mask = kwargs.get("attn_mask", args[3] if not whole and len(args) > 3 else None)
        causal = kwargs.get("is_causal", args[5] if not whole and len(args) > 5 else False)
        if words == others and words > 1:
            self._attended.append((words, bool(causal) or hides_next(mask, whole), here()))
        padding = kwargs.get("key_padding_mask") if whole else None
        if not isinstance(padding, Tensor) or key.dim() != 3 or not self._kept.has("padding", here()):
            return
        if is_inverted(key.detach(), hidden(padding, True)):
            self._log.tell_here(MaskWrong, how="padding")

    def _called(self, event: Forward, module: Any, args: Any, result: Any) -> None:
        words = [t for t in first_tensors(args) if t.dim() == 2 and not t.is_floating_point()]
        self._newest, self._attended = (event.forward, words, self._attended), []

    def _loss(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        """Log a loss whose targets are the next words of the inputs, where no attention hides these."""
        number, inputs, attended = self._newest
        x, target = (*args[:2], kwargs.get("input"), kwargs.get("target"))[:2]
        of = self._values.find(x) if isinstance(x, Tensor) else None
        if of is None or number not in of.forwards or not isinstance(target, Tensor):
            return
        for words in inputs:
            axis = next((a for a in (0, 1) if is_next(words, target.detach(), a)), None)
            own = [a for a in attended if axis is not None and a[0] == words.shape[axis]]
            if own and not any(hides for _words, hides, _site in own) and self._kept.has("next", own[0][2]):
                self._log.tell_here(MaskWrong, how="next", at=own[0][2])


def hidden(mask: Tensor, excluded: bool) -> Tensor:
    """Which entries a mask hides: those that are ``excluded`` in a boolean one, minus infinity in another."""
    return mask == excluded if mask.dtype == torch.bool else torch.isneginf(mask)


def hides_next(mask: Any, excluded: bool) -> bool:
    """Whether a mask [..., words, words] hides from each word the next one."""
    if not isinstance(mask, Tensor) or mask.dim() < 2 or mask.shape[-1] != mask.shape[-2]:
        return mask is not None
    return bool(hidden(mask.detach(), excluded).diagonal(1, -2, -1).all())


def is_inverted(words_TBE: Tensor, hidden_BT: Tensor) -> bool:
    """Whether the words that a mask leaves are the same in every row, as padding is, and the hidden ones
    differ. Numbers that a dropout has set to 0 count as equal."""
    steps, rows = words_TBE.shape[:2]
    if tuple(hidden_BT.shape) != (rows, steps) or rows < 2:
        return False
    one, other = words_TBE[:, :-1], words_TBE[:, 1:]
    same = ((one == other) | (one == 0) | (other == 0)).all(-1)
    plain = (one != other).any(-1)
    left = (~hidden_BT[:-1] & ~hidden_BT[1:]).T
    away = (hidden_BT[:-1] & hidden_BT[1:]).T
    differ = away & ~same & plain
    return bool(left.sum() >= LEAST) and bool(same[left].all()) and bool(differ.sum() >= LEAST)


def is_next(words: Tensor, target: Tensor, axis: int) -> bool:
    """Whether targets are the words [rows, steps] or [steps, rows] one step later."""
    later = words.narrow(axis, 1, max(0, words.shape[axis] - 1)) if words.shape[axis] > 1 else words[:0]
    if target.numel() == words.numel():
        target = target.reshape(words.shape).narrow(axis, 0, later.shape[axis])
    if target.numel() != later.numel() or later.numel() < LEAST or target.is_floating_point():
        return False
    agree = target.reshape(later.shape) == later
    known = target.reshape(later.shape) >= 0  # others are left out, as padding is
    return bool((later != later.flatten()[0]).any()) and float(agree[known].float().mean()) >= SHIFTED


class Reshapes(Observer):
    """Watches views that have a tensor's axes in another order."""

    def __init__(self, of: Recording, nets: Nets) -> None:
        super().__init__(of)
        self._nets, self._kept = nets, FirstOnes()
        self._odd: dict[int, Node] = {}
        of.called.append(self._called)

    def install(self) -> None:
        self._tape.observe(self._viewed, "view", "reshape")

    def _viewed(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if node is None or not node.parents or node.parents[0].op in ("view", "reshape"):
            return
        if not is_mixed(node.parents[0].shape, node.shape):
            return
        if self._nets.current is not None:
            self._tell(node)
        elif len(self._odd) < VIEWED:
            self._odd[id(node)] = node

    def _called(self, event: Forward, module: Any, args: Any, result: Any) -> None:
        for batch in first_tensors(args)[:1] if self._odd else ():
            for made in made_of(self._values.find(batch), NEAR):
                if self._odd.pop(id(made), None) is not None:
                    self._tell(made)

    def _tell(self, node: Node) -> None:
        if self._kept.has(node.site):
            shapes = {"before": node.parents[0].shape, "after": node.shape}
            self._log.tell(Reshaped, site=node.site, how=node.op, **shapes)


def is_mixed(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether two shapes have the same three axes or more, longer than 1, in another order; or the second has
    one of them in two parts, which are no longer side by side in its place."""
    one, other = ([n for n in shape if n != 1] for shape in (before, after))
    joined = [
        (j, k, i)
        for j, k in combinations(range(len(other)), 2)
        for i, n in enumerate(one)
        if n == other[j] * other[k]
        and one[:i] + one[i + 1 :] == other[:j] + other[j + 1 : k] + other[k + 1 :]
    ]
    apart = bool(joined) and all((k, i) != (j + 1, j) for j, k, i in joined)
    return len(one) > 2 and (apart or (one != other and sorted(one) == sorted(other)))
