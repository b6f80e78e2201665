"""Questions to the graph of a value that several rules ask."""

from treino.diagnosis.record.log import Graph, Operation

# Operations that leave a value what it is: another view, another type, a copy.
PASSED = frozenset(
    (
        *(
            "view",
            "reshape",
            "squeeze",
            "unsqueeze",
            "flatten",
            "unflatten",
            "to",
            "contiguous",
            "clone",
            "permute",
        ),
        *(
            "transpose",
            "t",
            "T",
            "mT",
            "movedim",
            "swapaxes",
            "expand",
            "expand_as",
            "detach",
            "data",
            "alias",
        ),
        *(
            "getitem",
            "select",
            "narrow",
            "cat",
            "stack",
            "chunk",
            "split",
            "unbind",
            "module",
            "requires_grad",
        ),
        *("type", "view_as", "reshape_as", "index_select", "masked_select"),
    )
)


def made_by(graph: Graph, *names: str) -> Operation | None:
    """The operation with one of these names whose result a value is, as it is or as a view or a copy."""
    root = graph.root
    for operation in graph.walk(through=PASSED) if root is not None and root.name in PASSED else [root]:
        if operation is not None and operation.name in names:
            return operation
    return None
