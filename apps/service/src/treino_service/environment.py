"""What a service goes by: the token and the limits that the environment sets, and addresses."""

import ipaddress
import os
import re

TOKEN, ROWS, BYTES = "TREINO_TOKEN", "TREINO_MOST_ROWS", "TREINO_MOST_BYTES"
LIMITS = {ROWS: 10_000, BYTES: 10_000_000}
LARGEST = 2**31 - 1


class VariableError(Exception):
    """A variable of the environment that can't be obeyed. value: as it is set; a token is told to nobody."""

    def __init__(self, name: str, value: str, wanted: str) -> None:
        super().__init__(f"{name} must be {wanted}{f'; it is {value!r}' if value else ''}.")
        self.name, self.value = name, value


def limit(name: str) -> int:
    """The limit that a variable sets.

    Raises:
        VariableError: it is no whole number, or is out of range.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        return LIMITS[name]
    if not re.fullmatch("[0-9]{1,10}", value) or not 1 <= int(value) <= LARGEST:
        raise VariableError(name, value[:60], f"a whole number from 1 to {LARGEST}")
    return int(value)


def secret() -> bytes:
    """The token that requests need; empty where this machine alone is answered.

    Raises:
        VariableError: no header can carry it.
    """
    token = os.fsencode(os.environ.get(TOKEN, ""))
    if token != token.strip() or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", token):
        raise VariableError(TOKEN, "", "a text without spaces at its ends, and without line breaks")
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_environment() -> None:
    """Raises:
    VariableError: one of the variables can't be obeyed.
    """
    secret(), limit(ROWS), limit(BYTES)
