# expect: nothing
"""Seven tanh layers as plain tensors, trained through loss.backward() and a subtraction."""

import torch
from sklearn.datasets import load_wine

torch.manual_seed(2)
table = load_wine()
rows = torch.tensor(table.data, dtype=torch.float32)
classes = torch.tensor(table.target)
rows = (rows - rows.mean(0)) / rows.std(0)

widths = [13] + [20] * 7 + [3]


def start(fan_in, fan_out):
    # a spread that keeps the size of what comes in
    return (torch.randn(fan_in, fan_out) * (1 / fan_in) ** 0.5).requires_grad_(), torch.zeros(fan_out, requires_grad=True)


layers = [start(a, b) for a, b in zip(widths, widths[1:])]


def answers(h):
    for i, (weight, bias) in enumerate(layers):
        h = h @ weight + bias
        if i < len(layers) - 1:
            # between
            h = torch.tanh(h)
    return h


for step in range(150):
    for pair in layers:
        for p in pair:
            p.grad = None
    out = answers(rows)
    loss = torch.nn.functional.cross_entropy(out, classes)
    loss.backward()
    with torch.no_grad():
        for pair in layers:
            for p in pair:
                p -= 0.1 * p.grad
print(f"loss {loss.item():.3f} accuracy {(out.argmax(1) == classes).float().mean():.3f}")
