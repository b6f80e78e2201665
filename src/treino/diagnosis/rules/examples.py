"""What every rule's two examples start with; the docs show it once, the tests run it before each."""

PRELUDE = """\
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
x = torch.randn(240, 8)
y = (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long()  # three classes
"""
