"""The caption of a film's frame, in pictures and in the player."""

from treino.inspection.film import Frame
from treino.inspection.input_planes import Boundary, Fit, InputLine, Plane
from treino.plots.style import class_labels, label, split_name
from treino.words import _, numeral

LISTED = 12  # classes by name


def place_sentence(frame: Frame, last: int) -> str:
    """Where in the training it is, and how good the network is then."""
    said = [_("Step {step:,} of {last:,}").format(step=frame.step, last=last)]
    if not frame.step:
        said = [_("Step 0 of {last:,}: the untrained network").format(last=last)]
    else:
        said.append(_("epoch {epoch}").format(epoch=numeral(frame.epoch)))
    if frame.loss is not None:
        said.append(_("loss {loss}").format(loss=numeral(frame.loss)))
    score = frame.shown.score
    if score.accuracy is not None:
        said.append(
            _("{split} accuracy {value:.3f}").format(split=split_name(score.split), value=score.accuracy)
        )
    elif score.rmse is not None:
        value = numeral(score.rmse)
        said.append(_("{split} RMSE {value}").format(split=split_name(score.split), value=value))
    return " · ".join(said)


def change_sentence(frame: Frame, before: int | None) -> str:
    """What is another than in the frame before, of step ``before``."""
    if before is None or (frame.moved is None and frame.change is None):
        return _("Nothing is learnt yet: this is how the random numbers fell.") if not frame.step else ""
    if frame.change is None:
        return _("Since step {step:,}: the network's answers are not finite.").format(step=before)
    if frame.moved is None:
        return _("Since step {step:,}: predictions moved by {change} on average.").format(
            step=before, change=numeral(frame.change)
        )
    return _("Since step {step:,}: {moved} of the view changed class; probability moved by {change}.").format(
        step=before, moved=share(frame.moved), change=share(frame.change)
    )


def absent_sentence(frame: Frame) -> str:
    """Which classes win nowhere in view; "" where each wins somewhere."""
    if not frame.absent or isinstance(frame.shown, Fit):
        return ""
    names, more = class_labels(frame.shown.classes), len(frame.absent) - LISTED
    listed = ", ".join(names[c] for c in frame.absent[:LISTED])
    if more > 0:
        listed += " " + _("… {n} more").format(n=more)
    return _("Wins nowhere in this view: {names}.").format(names=listed)


def share(value: float) -> str:
    """A share in per cent with two significant digits, however small: 0.00031 %."""
    return _("{value} %").format(value=numeral(float(f"{100 * value:.2g}")))


def film_title(shown: Boundary) -> str:
    name = label(shown.name, 44)
    return _("{name}, while it learns").format(name=name)


def axis_names(shown: Boundary) -> tuple[str, str]:
    """Of the x and the y axis."""
    from treino.plots.captions import axis_name

    if isinstance(shown, Plane):
        return axis_name(shown, 0), axis_name(shown, 1)
    if isinstance(shown, InputLine):
        return label(shown.axis_name, 60), _("probability") if shown.classes else label(shown.target, 60)
    target = label(shown.target, 50)
    return _("true {target}").format(target=target), _("predicted {target}").format(target=target)
