"""``treino explain``: the arithmetic of one update of one weight, with its numbers."""

import shlex
from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from treino.base.console import table
from treino.base.errors import Refusal, nearest
from treino.base.option_marks import PLAIN
from treino.base.words import _
from treino.cli.flags import (
    WHOLE,
    AccessFlags,
    FromFile,
    ScreenFlag,
    Switch,
    ToFile,
    Whole,
    Words,
    with_flags,
)
from treino.cli.screen import Replace, check_replace, output_file, say_replaced
from treino.folders import PAGE, known_folder

EXPLAIN_TOPIC_MISSING = Refusal("No topic is named.", "See: treino explain", rule="explain_topic")
NEITHER = Refusal(
    "There is no topic {name!r}, and no run of that name.", "{hint}", rule=EXPLAIN_TOPIC_MISSING.rule
)


@with_flags
def explain(
    topic: Annotated[FromFile, Parameter(help="what to explain; alone: the list of topics")] = None,
    run: Annotated[
        FromFile, Parameter(help="a run to explain it on: its name, folder, or 'last'; default: an example")
    ] = None,
    /,
    *,
    step: Annotated[
        Whole, Parameter(help="the update that follows so many updates; 0: the first; default: the third")
    ] = None,
    weight: Annotated[
        Words,
        Parameter(
            help="layer,unit,input counted from 0, or layer,unit for a bias; default: the weight of the "
            "first layer that moves most"
        ),
    ] = None,
    member: Annotated[
        Whole, Parameter(help="which network of an ensemble, from 0; default: the best one")
    ] = None,
    to: Annotated[ToFile, Parameter(help="write it as a page into this HTML file")] = None,
    replace: Replace = False,
    digits: Annotated[int, WHOLE, Parameter(help="significant digits shown, 1 to 17"), PLAIN] = 6,
    as_taught: Annotated[Switch, Parameter(help="of an example: what the course says of it, too")] = False,
    flags: AccessFlags,
    screen: ScreenFlag,
) -> int:
    """Explain a loss, an optimizer or back-propagation with numbers, on an example or on a run of yours.

    Every formula stands there with symbols and with numbers, and is checked by torch while you wait.

    Examples: treino explain adam | treino explain adam last --step 3 --weight 0,2,5 --to adam.html |
    treino explain last
    """
    topic, run = _topic_and_run(topic, run)
    if topic is None:
        check_replace(replace, to)
        if (step, weight, member, to) != (None, None, None, None):
            raise EXPLAIN_TOPIC_MISSING()
        if run is None:
            return _topics(screen)
    from treino.training import open_run
    from treino_microscope import from_python

    opened = None if run is None else open_run(run, flags.access)
    if topic is None:
        assert opened is not None
        return _topics(screen, run, from_python.topics_of(opened))
    from treino.folders import files_trained_on
    from treino_microscope.text import rendered, verdict

    reads = [] if opened is None else files_trained_on(opened.folder, flags.data_file)
    output = output_file(to, PAGE, replace=replace, reads=reads, new_folders=True)
    result = from_python.explain(
        topic, opened, step=step, weight=weight, member=member, digits=digits, as_taught=as_taught
    )
    document = result.document
    if output is not None:
        document["path"] = str(output.write(result.html().encode()))
        document["replaced"] = say_replaced(screen.err, output)
        screen.out.print(document["path"])
    else:
        for piece in rendered(result.explanation, digits):
            screen.out.print(piece)
    screen.document(document)
    if not result.holds:
        screen.err.print(verdict(result.explanation))
    return 0 if result.holds else 1


def _topic_and_run(first: str | None, second: str | None) -> tuple[str | None, str | None]:
    """(topic, run) of the words as typed: a run alone is no topic, and both may come in either order.

    Raises:
        TreinoError: a single word that is neither.
    """
    from treino_microscope.topics import topics

    known = topics()
    if first is None or first in known:
        return first, second
    if second is not None:
        return (second, first) if second in known else (first, second)
    from treino.training import parse_member

    if parse_member(first) is None and known_folder(first) is None:
        raise NEITHER(name=first, hint=nearest(first, known))
    return None, first


def _topics(screen: ScreenFlag, run: str | None = None, of_run: Sequence[str] = ()) -> int:
    """List the topics, or those that fit a run, each with the command that explains it. run: its name as
    typed."""
    from treino_microscope.topics import topics

    lines = {name: _(topic.about) for name, topic in topics().items() if run is None or name in of_run}
    words = "" if run is None else f" {shlex.quote(run)}"
    rows = ((f"treino explain {name}{words}", about) for name, about in lines.items())
    screen.out.print(table(("", ""), rows, headed=False))
    if run is None:
        screen.out.print()
        screen.out.print(_("On a run of yours: treino explain adam last --step 3 --weight 0,2,5"))
    of = {} if run is None else {"run": run}
    screen.document(of | {"topics": [{"topic": name, "about": about} for name, about in lines.items()]})
    return 0
