"""``treino serve``: a run as a web service on this machine, by the file that ``treino export`` writes."""

import os
import secrets
import socket
from runpy import run_path
from typing import Annotated

from cyclopts import Parameter

from treino.base.errors import Refusal
from treino.base.option_marks import NETWORK
from treino.base.words import _
from treino.cli.flags import WHOLE, AccessFlags, RunName, ScreenFlag, with_flags
from treino_service.environment import LARGEST, TOKEN, VariableError, check_environment, is_loopback

NO_ADDRESS = Refusal(
    "Port {port} of {host} can't be used ({reason}).",
    "Choose another one: [[port=9000]]; or [[port=0]], any that is free.",
    status=1,
)
VARIABLE = Refusal(
    "The variable {name} can't be as it is set{value}.",
    "A limit is a whole number from 1 to {largest}; a token has no spaces at its ends and no line breaks.",
)
PORT_RANGE = Refusal("--port must be from 0 to 65535; it is {port}.", "Leave it out for 8000.")


@with_flags
def serve(
    run: RunName = "last",
    /,
    *,
    port: Annotated[
        int, WHOLE, Parameter(help="of the address; 0: any that is free", show_default=True), NETWORK
    ] = 8000,
    host: Annotated[
        str, Parameter(help="address to listen on: 0.0.0.0 for the whole network", show_default=True), NETWORK
    ] = "127.0.0.1",
    flags: AccessFlags,
    screen: ScreenFlag,
) -> int:
    """Serve a run: rows as JSON or CSV to /predict, predictions out, until Ctrl-C.

    It writes the run's service folder, as treino export --format service does, and starts it. Who reaches it
    from elsewhere needs the token of TREINO_TOKEN, or the one that is printed.

    Example: treino serve last --port 9000
    """
    from treino.reports.export.formats import exported
    from treino.training import open_run

    try:
        check_environment()
    except VariableError as error:
        raise VARIABLE(name=error.name, value=error.value and f": {error.value}", largest=LARGEST) from None
    with _listener(host, port) as listening:
        folder = exported(open_run(run, flags.access), "service").paths[0]
        if not is_loopback(host) and not os.environ.get(TOKEN):
            os.environ[TOKEN] = secrets.token_urlsafe(32)
            screen.err.print(_("Requests need this token: {token}").format(token=os.environ[TOKEN]))
            screen.err.print(_("Nothing is encrypted on the way."))
        port = listening.getsockname()[1]
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        screen.out.print(address, soft_wrap=True)
        own = {"address": address, "token": os.environ.get(TOKEN), "path": str(folder), "pid": os.getpid()}
        screen.document({"service": own})
        try:
            own_app = run_path(str(folder / "app.py"))
            own_app["server"](own_app["app"]).run([listening])
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_("The service has ended.")) from None
    return 0


def _listener(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        TreinoError: this machine has no such address, or another program uses the port.
    """
    if port not in range(65536):
        raise PORT_RANGE(port=port)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise NO_ADDRESS(port=port, host=host, reason=error.strerror) from None
