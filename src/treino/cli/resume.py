"""``treino resume``: continue a training after Ctrl-C, a kill or a power cut."""

from typing import Annotated

from cyclopts import Parameter

from treino.base.option_marks import CODE, NETWORK, READ, WRITE
from treino.base.words import _
from treino.cli.flags import AccessFlags, AlertFlags, RunName, ScreenFlag, Track, Whole, with_flags
from treino.settings.options import ClusterOptions


@with_flags
def resume(
    run: RunName = "last",
    /,
    *,
    flags: AccessFlags,
    storage: Annotated[
        str | None,
        Parameter(help="Optuna's storage of a sweep that has one, again"),
        CODE | READ | WRITE | NETWORK,
    ] = None,
    more: Annotated[
        Whole,
        Parameter(help="of a sweep: so many networks more; also where it is over, which is then judged anew"),
    ] = None,
    cluster: ClusterOptions,
    track: Track = None,
    alerts: AlertFlags,
    screen: ScreenFlag,
) -> int:
    """Go on with an interrupted run, sweep or study, from its last checkpoint, bit for bit.

    A sweep that another process trains is given its --more networks there.

    Example: treino resume last
    """
    from treino.cli.progress import follow
    from treino.folders.store import RunFolder, find
    from treino.reports.tracking import tracking_of
    from treino.results import resume_events
    from treino.training.stored_results import StoredSweep
    from treino.training.sweeps.sweep_members import PATIENCE, send_more

    tracking = tracking_of(track)
    folder = RunFolder.open(find(run), verify=False)
    if more is None or folder.kind != "sweep" or folder.status != "running":
        events = resume_events(
            folder,
            flags.access,
            storage=storage,
            more=more,
            place=cluster,
            alerts=alerts.alert,
            allow_network=alerts.allow_network,
        )
        return follow(events, screen, tracking)
    send_more(folder, more, PATIENCE)
    screen.document(StoredSweep(folder).document)
    sentence = _("{sweep} is trained by another process, which goes on with {n:,} networks more.")
    screen.out.print(sentence.format(sweep=folder.path.name, n=more))
    return 0
