"""``treino mcp``: a server for agents, by the Model Context Protocol."""

import importlib.util
import os
from importlib import import_module
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from treino.base.errors import Refusal
from treino.base.option_marks import CODE, READ, WRITE
from treino.base.words import _
from treino.cli.app import verb_named
from treino.cli.flags import ScreenFlag
from treino_agents.folder import AgentFolder
from treino_agents.tools import all_tools

FOLDER_MISSING = Refusal(
    "There is no folder {path}.", "Name one that exists: what agents may touch is chosen by you."
)
MCP_JSON = Refusal("What treino mcp writes on stdout is the protocol, and no document.", "Leave --json out.")
MCP_MISSING = Refusal("The package mcp is not installed.", "Install it: pip install 'treino[mcp]'.")

VERBS = ("data", "train", "sweep", "show", "plot", "predict", "rows", "explain", "judge")
"""The commands that the tools are made of."""


def mcp(
    folder: Annotated[
        str, Parameter(help="the only folder that agents may read and write", show_default=True), READ | WRITE
    ] = ".",
    /,
    *,
    trust: Annotated[
        bool, Parameter(help="agents may run code in it: networks of your own, training scripts"), CODE
    ] = False,
    screen: ScreenFlag,
) -> int:
    """Let an agent train, look and steer in FOLDER: a Model Context Protocol server over stdin and stdout.

    A program such as Claude Code, VS Code or Cursor starts it; apps/agents/docs/mcp.md has the line for each.

    Example: treino mcp ~/experiments
    """
    root = Path(folder)
    if not root.is_dir():
        raise FOLDER_MISSING(path=folder)
    if screen.as_json:
        raise MCP_JSON()
    if importlib.util.find_spec("mcp") is None:
        raise MCP_MISSING()
    import anyio

    serve = import_module("treino_agents.server").serve  # needs the package
    verbs = {name: verb_named(name) for name in VERBS}
    os.chdir(root)
    code = _("code is run") if trust else _("no code is run (--trust)")
    screen.err.print(_("Serving {folder} to an agent; {code}.").format(folder=Path.cwd(), code=code))
    anyio.run(serve, all_tools(verbs), AgentFolder(Path(os.path.realpath(".")), trust))
    return 0
