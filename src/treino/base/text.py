"""Shorten texts for narrow places, at their end or at their beginning."""


def shortened(text: str, most: int = 40) -> str:
    """Return the text on one line of at most ``most`` characters; if it was cut, the last one is ….

    A sentence that fits comes back as it is, with its source in all languages.
    """
    line = " ".join(text.split())
    fitting = text if line == text else line
    return fitting if len(line) <= most else line[: most - 1].rstrip() + "…"


def tail(text: str, most: int) -> str:
    """Return the end of a long text, such as the part of a file's name that distinguishes it from others."""
    return text if len(text) <= most else "…" + text[1 - most :]
