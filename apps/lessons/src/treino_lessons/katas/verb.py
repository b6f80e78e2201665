"""``treino kata``: training scripts with a fault, to be mended."""

from typing import Annotated

from cyclopts import Parameter

from treino.base.console import line
from treino.base.option_marks import CODE, READ, WRITE
from treino.base.words import N_, _
from treino.cli.flags import ScreenFlag, with_flags
from treino_lessons.tasks.kata import Kata
from treino_lessons.tasks.pupil import Pupil, TaskFlags

LEVELS = {
    1: N_("the loop and its loss"),
    2: N_("figures that deceive"),
    3: N_("two faults, or subtle ones"),
}


@with_flags
def kata(
    what: Annotated[
        str | None,
        Parameter(
            name="NAME|FILE.py", help="a kata, to be given to you; a script, to be checked; alone: the list"
        ),
        CODE | READ | WRITE,
    ] = None,
    /,
    *,
    options: TaskFlags,
    screen: ScreenFlag,
) -> int:
    """Mend a training script: each has a fault that PyTorch stays silent about, and a story.

    The doctor runs what you mended, and rows that your script never saw say by how much it is better. What
    you have done stands in kata.json, in the folder that you are in.

    Examples: treino kata | treino kata wine | treino kata wine --hint | treino kata kata-wine.py
    """
    pupil = Pupil(Kata, options.pupil, screen)
    pupil.check(what, options)
    if what is None:
        return pupil.export(options) if options.to else _levels(pupil)
    return pupil.work(what, options)


def _levels(pupil: Pupil) -> int:
    every, left = Kata.every(), pupil.left()
    rows = [
        {"kata": k.name, "level": k.level, "title": k.title, "next": k.name in left[:1]}
        | pupil.recorded(k.name)
        for k in every
    ]
    pupil.screen.document({"katas": rows, "done": len(every) - len(left), "next": next(iter(left), None)})
    for level, about in LEVELS.items():
        pupil.screen.out.print(line((_("Level {n}: {about}").format(n=level, about=_(about)), "bold")))
        pupil.show([(k.name, (f"  {k.name}", k.title)) for k in every if k.level == level])
    pupil.say_tally()
    return 0
