"""An agent: the client of the package ``mcp``, which talks to a ``treino mcp`` over its pipes."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import CallToolResult, Tool

from apps.agents.tests.warm import asking

HANDED_ON = "PATH", "PYTHONPATH", "HOME", "OMP_NUM_THREADS", "MPLBACKEND", "TREINO_OFFLINE", "TREINO_DATA"
COMMAND = [sys.executable, "-P", "-m", "treino", "mcp"]


def environment() -> dict[str, str]:
    """What a client hands on to a server, and where this checkout's packages are."""
    own = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    return own | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "TREINO_LANG": "en"}


@dataclass
class Told:
    """The progress that a client was told of one call."""

    progress: list[tuple[float, float | None, str | None]] = field(default_factory=list)


@dataclass
class Agent:
    """A client whose calls wait for their answers."""

    portal: BlockingPortal
    client: Client

    def tools(self) -> dict[str, Tool]:
        return {tool.name: tool for tool in self.portal.call(self.client.list_tools).tools}

    def call(self, tool: str, told: Told | None = None, /, **arguments: Any) -> CallToolResult:
        async def ask() -> CallToolResult:
            async def tell(progress: float, total: float | None, message: str | None) -> None:
                if told is not None:
                    told.progress.append((progress, total, message))

            return await self.client.call_tool(tool, arguments, progress_callback=tell)

        return self.portal.call(ask)

    def cancelled(self, tool: str, when: Callable[[str], bool], /, **arguments: Any) -> None:
        """Call a tool, and give up as soon as its progress says what is waited for."""

        async def ask() -> None:
            with anyio.CancelScope() as scope:

                async def tell(progress: float, total: float | None, message: str | None) -> None:
                    if when(message or ""):
                        scope.cancel()

                await self.client.call_tool(tool, arguments, progress_callback=tell)
            assert scope.cancelled_caught

        self.portal.call(ask)

    def document(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """The document of a call that is answered without an error."""
        answer = self.call(tool, **arguments)
        assert not answer.is_error, answer.content
        assert isinstance(answer.structured_content, dict)
        return answer.structured_content

    def refusal(self, tool: str, /, **arguments: Any) -> dict[str, str]:
        """The error of a call that is refused: rule, message, hint."""
        answer = self.call(tool, **arguments)
        assert answer.is_error
        assert isinstance(answer.structured_content, dict)
        error: dict[str, str] = answer.structured_content["error"]
        assert set(error) == {"rule", "message", "hint"}
        assert error["rule"] != "defect", error
        return error


@contextmanager
def agent_in(folder: Path, *flags: str, warm: Path | None = None) -> Iterator[Agent]:
    """An agent with a server of its own in this folder. warm: where to ask for it; None: a new process."""
    command, *rest = COMMAND if warm is None else asking(warm, "mcp")
    parameters = StdioServerParameters(command=command, args=[*rest, str(folder), *flags], env=environment())
    with (
        (folder.parent / f"{folder.name}.stderr").open("w") as errors,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(stdio_client(parameters, errors))) as client,
    ):
        yield Agent(portal, client)
