"""The browser of this machine, for pages that treino opens."""

import os
import sys
import threading
import webbrowser
from collections.abc import Callable

TERMINALS = "lynx", "w3m", "links", "elinks", "www-browser"  # browsers that would take over the terminal


def browser() -> Callable[[str], bool] | None:
    """A function that opens an address in a window; None if there is no graphical browser."""
    try:
        controller = webbrowser.get()
    except webbrowser.Error:
        return None
    name = os.path.basename(getattr(controller, "name", "") or "")
    windows = sys.platform in ("darwin", "win32") or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    if name in TERMINALS or not (windows or os.environ.get("BROWSER")):
        return None
    return controller.open


def open_browser(address: str) -> bool:
    """Open an address without waiting; return whether there is a browser."""
    opened = browser()
    if opened is None:
        return False
    threading.Thread(target=opened, args=(address,), daemon=True).start()
    return True
