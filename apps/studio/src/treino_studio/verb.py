"""``treino studio``: watch and steer one network in a browser while it trains."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from treino.base.errors import Refusal, TreinoError
from treino.base.machine import not_on_windows
from treino.base.option_marks import CODE, NETWORK, READ
from treino.base.words import _, interface
from treino.cli.flags import WHOLE, FromFile, ScreenFlag, Switch, ToFile, Whole, with_flags
from treino.cli.screen import Screen
from treino_studio.browser import open_browser
from treino_studio.subject import Subject, subject_of

if TYPE_CHECKING:
    from treino_studio.serving import Serving

PORT_RANGE = Refusal(
    "--port must be from 0 to 65535; it is {port}.", "Leave it out for 8711 or the next free one."
)
STUDIO_FLAG = Refusal("{flag} is for another subject of the studio.", "It needs {what}")

OF_SCRIPT = "replay", "record", "findings", "checkpoints"  # those flags that only a script takes
LOOPBACK = "127.0.0.1", "localhost", "::1"


@dataclass(frozen=True)
class StudioFlags:
    """The page's address, and how its training or script begins."""

    paused: Annotated[
        Switch,
        Parameter(
            help="of DATA: wait before the first step; else it begins at a speed at which one sees it learn"
        ),
    ] = False
    member: Annotated[
        Whole, Parameter(help="which network of an ensemble, from 0; default: the best one")
    ] = None
    port: Annotated[
        int | None,
        WHOLE,
        Parameter(help="of the address; default: 8711, or the next free one; 0: any"),
        NETWORK,
    ] = None
    host: Annotated[
        str, Parameter(help="address to listen on: 0.0.0.0 for the whole network", show_default=True), NETWORK
    ] = "127.0.0.1"
    no_browser: Annotated[Switch, Parameter(help="only print the address")] = False
    replay: Annotated[
        FromFile, Parameter(help="of a script: make the changes in this file once more, at their steps")
    ] = None
    record: Annotated[
        ToFile, Parameter(help="of a script: write changes to this file; default: SCRIPT.steering.jsonl")
    ] = None
    findings: Annotated[Switch, Parameter(help="of a script: the doctor's findings as they are made")] = False
    checkpoints: Annotated[
        Switch, Parameter(help="of a script: keep copies of its process on the way, to go back to")
    ] = False


@with_flags
def studio(
    subject_name: Annotated[
        str | None,
        Parameter(
            name="TARGET",
            help="DATA to train on, as for 'treino train'; a run, sweep or study, also one in progress; or "
            "SCRIPT.py, a training script of your own",
        ),
        CODE | READ,
    ] = None,
    /,
    *arguments: Annotated[str, Parameter(help="the script's own arguments, after --", show=False), CODE],
    options: StudioFlags,
    screen: ScreenFlag,
    **flags: Any,
) -> int:
    """Watch and steer one network in a browser while it trains; alone: a page of all runs in ./runs.

    The address that it prints is for you alone. Ctrl-C ends the studio and saves what it trains.

    Examples: treino studio wine | treino studio moons --hidden 8,8 --paused | treino studio last |
    treino studio train.py -- --epochs 3
    """
    not_on_windows("treino studio")
    settings = {k: v for k, v in flags.items() if v is not None}
    subject = subject_of(subject_name, settings)
    _check(subject, arguments, options, settings)
    if options.member is not None:
        subject = _with_member(subject, options.member)
    log, handler = logging.getLogger("treino_studio"), _ScreenLog(screen)
    log.addHandler(handler)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        with interface("flag"):
            failure = asyncio.run(_serve(subject, arguments, options, settings, screen))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_("The studio has ended; what it trained is saved.")) from None
    finally:
        signal.signal(signal.SIGTERM, before)
        log.removeHandler(handler)
    if failure is not None:
        raise failure
    return 0


def _with_member(subject: Subject, member: int) -> Subject:
    """The page of a run, with this network of its ensemble in view.

    Raises:
        TreinoError: the run has no such network.
    """
    from treino.training import open_run

    open_run(subject.folder / subject.address.rpartition("/")[2], verify=False).member(member)
    return replace(subject, address=f"{subject.address}?member={member}")


def _check(
    subject: Subject, arguments: Sequence[str], options: StudioFlags, settings: Mapping[str, Any]
) -> None:
    """Refuse flags that mean nothing for this subject, and invalid settings."""
    from treino.settings import read_settings

    of_script = {f"--{name}": getattr(options, name) for name in OF_SCRIPT} | {" ".join(arguments): arguments}
    of_data = {"--" + name.replace("_", "-"): True for name in settings} | {"--paused": options.paused}
    of_run = subject.address.startswith("/run/") and ":" not in subject.address
    checks: Sequence[tuple[Mapping[str, object], bool, str]] = (
        (of_script, subject.script is not None, _("a script: treino studio train.py")),
        (of_data, subject.data is not None, _("data to train on: treino studio wine")),
        ({"--member": options.member is not None}, of_run, _("an ensemble's run: treino studio wine-1")),
    )
    for flags, there, what in checks:
        for flag, value in flags.items():
            if value and not there:
                raise STUDIO_FLAG(flag=flag, what=what)
    read_settings({k: v for k, v in settings.items() if (k, v) != ("lr", "auto")})
    if options.port is not None and not 0 <= options.port <= 65535:
        raise PORT_RANGE(port=options.port)


async def _serve(
    subject: Subject,
    arguments: Sequence[str],
    options: StudioFlags,
    settings: Mapping[str, Any],
    screen: Screen,
) -> TreinoError | None:
    """Serve until the studio ends; return the error if the training could not begin."""
    from treino_studio.serving import PORT, begun, serving, start_script

    port = PORT if options.port is None else options.port
    with serving(subject.folder, options.host, port) as serving_studio, interface("plain"):
        if subject.script is not None:
            start_script(
                serving_studio.studio,
                subject.script,
                arguments,
                **{name: getattr(options, name) for name in OF_SCRIPT},
                stdout=sys.stderr.fileno() if screen.as_json else None,
            )
        _say(serving_studio, port, options, screen)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            # closing the terminal ends the studio as Ctrl-C does
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _end, serving_studio)
        first_page = begun(serving_studio.studio.relay, subject, settings, options.paused)
        beginning = asyncio.create_task(_begin(serving_studio, first_page))
        await serving_studio.run()
        return await beginning


async def _begin(serving: "Serving", first_page: Awaitable[str]) -> TreinoError | None:
    """Begin the training, if any, and set the first page; return the error if the training can't begin."""
    try:
        address = await first_page
    except TreinoError as error:
        ended = serving.server.should_exit  # the studio was stopped before the trainer answered
        serving.studio.start.set_result("/")
        serving.server.should_exit = True
        return None if ended else error
    serving.studio.start.set_result(address)
    return None


def _say(serving: "Serving", port: int, options: StudioFlags, screen: Screen) -> None:
    """Print the address to stdout, as text or JSON, and remarks on it to stderr."""
    if port not in (0, serving.port):
        screen.err.print(_("Port {wanted} is taken, so it is {port}.").format(wanted=port, port=serving.port))
    if options.host not in LOOPBACK:
        screen.err.print(
            _(
                "Whoever can reach {host} and has this address can steer, and nothing is encrypted on "
                "the way. To watch only: {watch}"
            ).format(host=options.host, watch=serving.watch_address),
            soft_wrap=True,
        )
    opened = not options.no_browser and open_browser(serving.browser_address)
    if not options.no_browser and not opened:
        screen.err.print(_("No browser was found here: open the address in one."))
    screen.out.print(serving.address, soft_wrap=True)
    names = ("address", "watch_address", "port")
    screen.document({"studio": {name: getattr(serving, name) for name in names} | {"pid": os.getpid()}})


def _end(serving: "Serving") -> None:
    serving.server.should_exit = True


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class _ScreenLog(logging.Handler):
    """Log failures of the studio to the screen, which escapes control characters."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        self._screen.lines(self.format(record))
