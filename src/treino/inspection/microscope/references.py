"""Papers and torch pages that the explanations cite."""

ADAM = "Kingma & Ba 2015, Adam: A Method for Stochastic Optimization, arXiv:1412.6980, algorithm 1"
ADAMW = "Loshchilov & Hutter 2019, Decoupled Weight Decay Regularization, arXiv:1711.05101"
BACKPROP = (
    "Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors, Nature 323"
)
SGD = "Robbins & Monro 1951, A Stochastic Approximation Method, Annals of Mathematical Statistics 22"
MOMENTUM = "Sutskever, Martens, Dahl & Hinton 2013, On the importance of initialization and momentum, ICML"
HUBER = "Huber 1964, Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35"


def torch_page(name: str) -> str:
    """The address of a page of torch's documentation, e.g. ``torch.optim.Adam``."""
    return f"https://docs.pytorch.org/docs/stable/generated/{name}.html"
