"""The studio's page in a notebook's cell: an anywidget, and the page that it shows as one HTML file."""

import gzip
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import anywidget
import traitlets
from starlette.types import ASGIApp

from treino.base.words import _, language
from treino_doctor.base.markup import tag
from treino_studio.notebook_channel import NotebookChannel
from treino_studio.page_file import built, page_file, words_of


class StudioCell(anywidget.AnyWidget):
    """The page at an address, shown in the cell. in_loop: calls a function in the loop of the application."""

    _esm = built("cell.js")
    address = traitlets.Unicode().tag(sync=True)
    language = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)

    def __init__(self, application: ASGIApp, address: str, in_loop: Callable[..., object]) -> None:
        words = {
            "opening": _("The studio is opening…"),
            "gone": _("The kernel that showed the studio here has ended. Run the cell again."),
        }
        super().__init__(address=address, language=language(), words=words)
        self._in_loop = in_loop
        self.channel = NotebookChannel(application, self.send, notebook_page)
        self.on_msg(self._take)

    def _take(self, _cell: Any, message: Mapping[str, Any], buffers: list[Any]) -> None:
        self._in_loop(self.channel.take, message, b"".join(map(bytes, buffers)))

    def close(self) -> None:
        """Remove the page. Its trainings go on, and are saved when the kernel ends."""
        if hasattr(self, "channel"):
            self._in_loop(self.channel.close)
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, after a sentence that it hides; a stored notebook shows only this sentence."""
        from IPython.display import HTML, display

        sentence = _("The studio was here while the kernel ran. Run the cell again to have it back.")
        display(HTML(tag("p", sentence, class_="treino-studio-stored")))
        return super()._repr_mimebundle_(**kwargs)


@cache
def notebook_page() -> bytes:
    """The page as gzip of HTML."""
    html = page_file("notebook", "treino studio", {"words": words_of(built("notebook.js"))})
    return gzip.compress(html.encode(), 9, mtime=0)
