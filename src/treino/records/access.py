"""What a reader gives so that the rows and the network that a folder names can be had again."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class Access:
    """net: the network of the user's own that was trained, or its FILE.py:NAME. trust: the copies of network
    files that were sealed with the folder may run. data_file: where the data's file is now."""

    net: "nn.Module | str | None" = None
    trust: bool = False
    data_file: str | Path | None = None

    def with_network(self, net: "nn.Module | str | None", trust: bool = False) -> "Access":
        """The same with this network in the place of its own, where there is one, or with more trust."""
        return replace(self, net=self.net if net is None else net, trust=self.trust or trust)

    @property
    def net_file(self) -> str | None:
        """The network's FILE.py:NAME, where it was named so."""
        return self.net if isinstance(self.net, str) else None
