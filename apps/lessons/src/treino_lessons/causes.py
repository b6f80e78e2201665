"""Finds the cause of a wrong gradient: tries known faults until one gives the learner's numbers."""

import math

import torch

from treino.base.words import _
from treino_lessons.call_recording import Visit
from treino_lessons.differences import LIKE, entry, factor, near, slope
from treino_lessons.problem import LR, STEPS, Problem, State

Cause = tuple[str, str, str]  # rule, why, hint


def cause(
    used: State, fresh: State, visit: Visit, tried: Problem, step: int, place: tuple[str, int]
) -> Cause:
    """Name the fault that makes ``used``, the gradient that moved the weights, from the batch's own gradient
    ``fresh``. place: the weight whose numbers the sentences show."""
    like = LIKE[tried.dtype]

    def is_(other: State) -> bool:
        return all(near(used[name], other[name], like) for name in used)

    def and_left(gradient: State) -> State:
        return {name: t + left[name] for name, t in gradient.items()}

    left = {name: visit.left.get(name, torch.zeros_like(t)) for name, t in fresh.items()}
    if is_({name: torch.zeros_like(t) for name, t in fresh.items()}):
        return _still(visit)
    if any(bool(t.any()) for t in left.values()):
        if is_(and_left(fresh)):
            return _summed(used, fresh, left, place, step)
        if is_(left):
            return (
                "step_before_backward",
                _("That is the gradient of the batch before."),
                _("First loss.backward(), then optimizer.step()."),
            )
    twice = slope(tried, visit, step, softmax=True)
    if is_(twice) or is_(and_left(twice)):
        return (
            "softmax_twice",
            _("That is the gradient with softmax applied twice: CrossEntropyLoss applies it itself."),
            _("Give it what the network returns, without softmax."),
        )
    times = factor(used, fresh, like)
    if times is not None and math.isclose(times, len(visit.stepped), rel_tol=like):
        return (
            "stepped_again",
            _("optimizer.step() was called {n} times.").format(n=len(visit.stepped)),
            _("Call it once per batch."),
        )
    if other := next((made for made in visit.stepped if made), ""):
        return (
            "another_optimizer",
            _("The step was one of {other}; the optimizer that is given is SGD(lr={lr}).").format(
                other=other, lr=f"{LR:g}"
            ),
            _("Use the one by the name of optimizer, and make none in the function."),
        )
    if times is not None:
        return _times(times)
    unmoved = [name for name, t in used.items() if not t.any() and fresh[name].any()]
    if unmoved and all(near(t, fresh[name], like) for name, t in used.items() if name not in unmoved):
        return (
            "weights_left_out",
            _("{names} did not move at all, and the others as they should.").format(names=", ".join(unmoved)),
            _("Leave requires_grad as it is, and give the optimizer all of net.parameters()."),
        )
    return (
        "weights_differ",
        _("No usual fault gives that gradient."),
        _("Look at your steps one by one: forward, loss, zero_grad, backward, step, once per batch."),
    )


def _still(visit: Visit) -> Cause:
    if not visit.stepped:
        return (
            "no_step",
            _("No weight moved: optimizer.step() was not called for this batch."),
            _("Call optimizer.step() after loss.backward(), for every batch."),
        )
    return (
        "no_gradient",
        _("No weight moved: there was no gradient when optimizer.step() was called."),
        _("loss.backward() comes before the step, and zero_grad() not between the two."),
    )


def _summed(used: State, fresh: State, left: State, place: tuple[str, int], step: int) -> Cause:
    why = _(
        "{used:.5f} = {fresh:.5f} + {old:.5f}, and {old:.5f} lay there already: backward adds to the "
        "gradients of the batches before."
    ).format(used=entry(used, place), fresh=entry(fresh, place), old=entry(left, place))
    hint = _("Call optimizer.zero_grad() once per step, before loss.backward().")
    if step and step % STEPS == 0:
        hint += " " + _(
            'And keep backward() under if mode == "train": the call before this one was the test.'
        )
    return "summed_gradients", why, hint


def _times(times: float) -> Cause:
    if times < 0:
        return (
            "loss_turned",
            _("That is {factor:.4g} times it: the step climbs, for the loss has its sign turned.").format(
                factor=times
            ),
            _("Call backward on the loss as the criterion returns it."),
        )
    return (
        "loss_scaled",
        _(
            "That is {factor:.4g} times it: the loss was scaled before backward, or the gradient after it."
        ).format(factor=times),
        _("Call backward on the mean over the batch, as the criterion returns it."),
    )
