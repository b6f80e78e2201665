# missed: nan_inputs @ 14
# allowed: non_finite_loss @ 22
# mend: 14 → x = torch.from_numpy(np.nan_to_num(table))
"""Logistic regression with raw tensors on a table with missing cells."""

import numpy as np
import torch

torch.manual_seed(0)
rng = np.random.default_rng(1)
table = rng.normal(size=(200, 5)).astype("float32")
label = (table[:, 0] > 0).astype("float32")
table[rng.integers(0, 200, 12), 3] = np.nan
x = torch.from_numpy(table)
y = torch.from_numpy(label)

w = torch.zeros(5, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for _step in range(30):
    z = x @ w + b
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
    loss.backward()
    with torch.no_grad():
        w -= 0.5 * w.grad
        b -= 0.5 * b.grad
    w.grad = b.grad = None
print(loss.item())
