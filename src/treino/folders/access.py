"""Access to a folder's rows and network: the network, the trust and the data file that a reader gives."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn


@dataclass(frozen=True, eq=False)
class Access:
    """What is needed to load a folder's rows and network. net: the user's network that was trained, its class
    or a function that makes it, or its FILE.py:NAME. trust: sealed copies of network files may run.
    data_file: the data file's present path."""

    net: "nn.Module | Callable[..., nn.Module] | str | None" = None
    trust: bool = False
    data_file: str | Path | None = None

    def with_network(
        self, net: "nn.Module | Callable[..., nn.Module] | str | None", trust: bool = False
    ) -> "Access":
        """Return a copy in which ``net`` is replaced, unless it is None, and trust is added."""
        return replace(self, net=self.net if net is None else net, trust=self.trust or trust)

    @property
    def net_file(self) -> str | None:
        """The network's FILE.py:NAME, if ``net`` is one."""
        return self.net if isinstance(self.net, str) else None
