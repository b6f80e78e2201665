"""The server: answers an agent's calls by the Model Context Protocol, over stdin and stdout.

The protocol: https://modelcontextprotocol.io/specification, by the package ``mcp``.
"""

import base64
import json
import math
import os
import signal
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import _, interface
from treino_agents.calls import Calls, Progress, ToolCall, open_calls
from treino_agents.folder import AgentFolder
from treino_agents.tools import Tool

TOOL_UNKNOWN = Refusal("There is no tool {name!r}.", "{hint}")

HEARTBEAT_SECONDS = 5.0  # between two notices for a command that reports nothing
MOST_SHARE = 0.99  # progress reported at the end of a training, before the work that follows
LEAST_RISE = 1e-6
TRAINING = ("train", "sweep", "resume", "steer")  # commands that report their progress
MOST_CHARACTERS = 60_000  # maximum length of a document, which clients pass to a model whole
MOST_ITEMS = 1000, 300, 100, 30, 10  # items per list in a document that is too long, tried in turn
MOST_PICTURES, MOST_PICTURE_BYTES = 12, 4_000_000
PICTURES = {".png": "image/png", ".gif": "image/gif", ".jpg": "image/jpeg"}


class AgentServer:
    """The tools that a client may call, in one folder."""

    def __init__(self, tools: Mapping[str, Tool], folder: AgentFolder, calls: Calls) -> None:
        self.tools, self.folder, self.calls = tools, folder, calls
        self.notices: list[str] = []  # about cancelled calls, which get no answer; added to the next answer

    async def list_tools(self, context: ServerRequestContext, request: Any) -> types.ListToolsResult:
        """All tools, with the schemas of their arguments."""
        return types.ListToolsResult(
            tools=[
                types.Tool(name=tool.name, description=tool.about, input_schema=tool.schema)
                for tool in self.tools.values()
            ]
        )

    async def call_tool(
        self, context: ServerRequestContext, request: types.CallToolRequestParams
    ) -> types.CallToolResult:
        """Run a tool's command, and return its document; errors, too, are documents."""
        try:
            with interface("keyword"):
                tool = self.tools.get(request.name)
                if tool is None:
                    raise TOOL_UNKNOWN(name=request.name, hint=nearest(request.name, self.tools))
                words = tool.words(request.arguments or {}, self.folder)
            call = await self._run(tool, words, context)
            return self._result(call.document)
        except TreinoError as error:
            return self._result({"error": error.document})

    async def _run(self, tool: Tool, words: list[str], context: ServerRequestContext) -> ToolCall:
        """Run a command and report its progress; if the client cancels, interrupt it and wait for its end."""
        call = await self.calls.start(words)
        try:
            await _report(call, words[0] in TRAINING, context)
        except anyio.get_cancelled_exc_class():
            await call.cancel()
            self.notices.append(_said_of_cancelled(tool.name, call))
            raise
        return call

    def _result(self, document: dict[str, Any]) -> types.CallToolResult:
        """The document as text and as structured content, with the pictures that it names."""
        error, document = document.get("error"), shortened(document)
        # file names may not be valid Unicode, and the protocol can't carry such names
        text = json.dumps(document, ensure_ascii=False).encode(errors="replace").decode()
        document = json.loads(text)
        if error is not None:
            error = document["error"]
            text = "\n".join(filter(None, [error["message"], error["hint"], text]))
        notices, self.notices = self.notices, []
        content: list[types.ContentBlock] = [
            types.TextContent(type="text", text=each) for each in (text, *notices)
        ]
        for path in document.get("paths", ())[:MOST_PICTURES]:
            content += self._picture(path)
        return types.CallToolResult(content=content, structured_content=document, is_error=error is not None)

    def _picture(self, path: str) -> list[types.ContentBlock]:
        file, kind = Path(path), PICTURES.get(Path(path).suffix)
        if kind is None or file.stat().st_size > MOST_PICTURE_BYTES:
            return []
        self.folder.check_path(path)
        data = base64.b64encode(file.read_bytes()).decode()
        return [types.ImageContent(type="image", data=data, mime_type=kind)]


def shortened(document: dict[str, Any]) -> dict[str, Any]:
    """Shorten a document that is too long for an agent: long lists keep their first and last items, and
    ``shortened`` holds their true lengths."""
    shorter, lengths = document, dict[str, int]()
    for most in MOST_ITEMS:
        if len(json.dumps(shorter)) <= MOST_CHARACTERS:
            break
        lengths = {}
        shorter = _with_short_lists(document, most, "", lengths)
    return shorter | ({"shortened": lengths} if lengths else {})


def _with_short_lists(value: Any, most: int, name: str, lengths: dict[str, int]) -> Any:
    if isinstance(value, dict):
        return {k: _with_short_lists(v, most, f"{name}.{k}".strip("."), lengths) for k, v in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) > most:
        lengths[name] = len(value)
        value = [*value[: most // 2], *value[-most // 2 :]]
    return [_with_short_lists(each, most, f"{name}[]", lengths) for each in value]


def _said_of_cancelled(tool: str, call: ToolCall) -> str:
    """What a cancelled command left behind."""
    try:
        document = call.document
    except TreinoError as error:
        return _("{tool} was cancelled. {reason}").format(tool=tool, reason=error.message)
    if document.get("status") == "interrupted":
        sentence = _(
            "{tool} was cancelled, and {path} is saved. It goes on by steer(action='resume', run='{path}')."
        )
        return sentence.format(tool=tool, path=document["path"])
    return _("{tool} was cancelled.").format(tool=tool)


async def _report(call: ToolCall, trains: bool, context: ServerRequestContext) -> None:
    """Tell the client of progress until the command ends, even without news, so that it goes on waiting.

    The progress only rises, as the protocol requires. trains: whether it is a share of the whole, which the
    command knows; else it is the seconds so far.
    """
    begin = heard = anyio.current_time()
    told, share, text = 0.0, 0.0, ""
    while True:
        step: Progress | None = None
        with anyio.move_on_after(HEARTBEAT_SECONDS):
            try:
                step = await call.progress.receive()
            except anyio.EndOfStream:
                await call.ended.wait()
                return
        now, text = anyio.current_time(), text if step is None else step.text
        measured = step is not None and not math.isnan(step.total)
        if step is not None and measured:
            share = MOST_SHARE * step.done / step.total
        if measured or now - heard >= HEARTBEAT_SECONDS:
            told, heard = max(told + LEAST_RISE, share if trains else now - begin), now
            await context.session.report_progress(told, 1.0 if trains else None, text)


async def serve(tools: Mapping[str, Tool], folder: AgentFolder) -> None:
    """Serve until the client closes stdin or is gone, or until a signal; trainings are then saved."""
    try:
        async with open_calls() as calls:
            await _serve(AgentServer(tools, folder, calls))
    except* BrokenPipeError:
        pass


async def _serve(agent: AgentServer) -> None:
    server: Server[Any] = Server(
        "treino",
        version=version("treino"),
        instructions=_(
            "Trains PyTorch networks on tables and pictures in the folder {folder}, and tells what is wrong "
            "with a training. Begin with describe_data, then train; show lists the runs."
        ).format(folder=agent.folder.root),
        on_list_tools=agent.list_tools,
        on_call_tool=agent.call_tool,
    )
    async with stdio_server() as (read, write), anyio.create_task_group() as tasks:
        tasks.start_soon(_end_by_signal, agent.calls)
        await server.run(read, write, server.create_initialization_options())
        tasks.cancel_scope.cancel()


async def _end_by_signal(calls: Calls) -> None:
    """At Ctrl-C or SIGTERM, cancel all commands and end the process, though a thread still reads stdin."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for number in signals:
            with anyio.CancelScope(shield=True):
                await calls.cancel()
                await calls.close()
            os._exit(128 + number)
