# hint: The variance that keeps the signal's size behind ReLU is 2 / inputs.
# hint: The deviation is the root of the variance: ** 0.5.
# hint: layer.in_features is the number of inputs, layer.weight.shape[1] too.
"""From where do the weights start?

Write deviation(layer): the deviation with which the weights of this linear layer are to be drawn, so that the signal
keeps its size behind ReLU. layer is an nn.Linear.
"""


def deviation(layer):
    return (2 / layer.in_features) ** 0.5


def of_the_outputs(layer):
    """That counts the layer's units; its inputs are what a unit adds up."""
    return (2 / layer.out_features) ** 0.5


def no_root(layer):
    """That is the variance; the deviation is its root."""
    return 2 / layer.in_features


def without_relu(layer):
    """ReLU takes half of the signal away; that is why there is a 2 and not a 1."""
    return (1 / layer.in_features) ** 0.5


def cases():
    import torch

    yield (torch.nn.Linear(64, 32),)
    yield (torch.nn.Linear(784, 10),)
