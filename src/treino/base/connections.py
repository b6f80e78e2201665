"""Connections of an HTTP server by uvicorn: a limit of their number, and of the time that one may wait"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

MOST_CONNECTIONS = 200
HEAD_SECONDS = 20.0  # for the head of a request, and for each part of an answer to be taken
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class BoundedConnection(H11Protocol):
    """A connection that ends if for ``HEAD_SECONDS`` no request is complete and no answer is taken.

    uvicorn alone waits for ever for the rest of a head. The app that answers limits the time for a body.
    """

    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Answer 503 if too many connections are open."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.write(BUSY)
            transport.close()
        self._wait(self._progress())

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time limit as well."""
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.cancel()

    def _progress(self) -> tuple[RequestResponseCycle | None, int]:
        """The newest request, and how many bytes of answers wait to be taken."""
        return self.cycle, self.transport.get_write_buffer_size()

    def _wait(self, before: Any) -> None:
        self._watch = self.loop.call_later(HEAD_SECONDS, self._check, before)

    def _check(self, before: Any) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if self not in self.connections:
            return  # it is a WebSocket by now
        if self._progress() == before and not answering:
            self.transport.abort()
        else:
            self._wait(self._progress())
