"""Opening a browser at the studio's address, where this machine has one."""

import os
import sys
import threading
import webbrowser
from collections.abc import Callable

TERMINALS = "lynx", "w3m", "links", "elinks", "www-browser"  # they would take the terminal over


def browser() -> Callable[[str], bool] | None:
    """What opens an address in a window; None where there is no such thing."""
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
    """Open it without waiting; -> whether there is a browser."""
    opened = browser()
    if opened is None:
        return False
    threading.Thread(target=opened, args=(address,), daemon=True).start()
    return True
