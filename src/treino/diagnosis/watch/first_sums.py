"""How large rows are where weights meet them: a net may scale them itself."""

from typing import Any

import torch

from treino.diagnosis.watch import graph
from treino.diagnosis.watch.batches import SIZE
from treino.diagnosis.watch.tables import DataSeen

NORMS = ("NativeBatchNormBackward0", "NativeLayerNormBackward0", "CudnnBatchNormBackward0")


def first_sums(data: DataSeen, nodes: list[Any]) -> None:
    """What meets weights first, in the graph of one backward: rows that a norm takes as they came, or as one
    convolution made them, are scaled by it.
    """
    scaled = {node.next_functions[0][0] for node in nodes if node.name() in NORMS}
    for node in nodes:
        name, before = node.name(), node.next_functions
        if name in NORMS or (name == "ConvolutionBackward0" and node in scaled):
            data.normed = data.normed or before[0][0] is None
        elif name == "MulBackward0" and (_is_leaf(before[0][0]) or _is_leaf(before[1][0])):
            saved = node._saved_other if before[1][0] is None else node._saved_self
            saved = None if None not in (before[0][0], before[1][0]) else saved
            if saved is not None and 0 < saved.numel() <= SIZE:
                data.stretched = max(data.stretched, _largest(saved))
        elif name in graph.PRODUCTS and before[graph.PRODUCTS[name][1]][0] is None:
            saved = getattr(node, graph.PRODUCTS[name][0])
            if saved is not None and 0 < saved.numel() <= SIZE:
                data.multiplied = max(data.multiplied, _largest(saved))


def _largest(t: torch.Tensor) -> float:
    """The largest size of an entry, of those that are stored."""
    stored = t.detach()
    if stored.layout is not torch.strided:
        stored = stored.coalesce().values() if stored.is_sparse else stored.values()
    return float(stored.abs().max()) if stored.numel() else 0.0


def _is_leaf(node: Any) -> bool:
    """Whether a graph ends here, in something that learns."""
    return node is not None and node.name() == "torch::autograd::AccumulateGrad"
