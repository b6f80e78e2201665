# missed: unscaled_inputs @ 13
# mend: 12 →
# mend: 16 + rows = (rows - rows[train].mean(0)) / rows[train].std(0)
"""Softmax regression on pixels, by plain tensors and gradients that are subtracted."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine

table = load_wine()
torch.manual_seed(3)
# as measured
rows = torch.tensor(table.data).float()
kind = torch.tensor(table.target)
order = torch.randperm(len(rows))
train, test = order[:130], order[130:]

inner = (torch.randn(13, 16) * 0.2).requires_grad_()
outer = (torch.randn(16, 3) * 0.2).requires_grad_()
for epoch in range(40):
    for part in train[torch.randperm(len(train))].split(26):
        hidden = torch.tanh(rows[part] @ inner)
        loss = F.cross_entropy(hidden @ outer, kind[part])
        for w, g in zip((inner, outer), torch.autograd.grad(loss, (inner, outer))):
            with torch.no_grad():
                w -= 0.05 * g
with torch.no_grad():
    said = (torch.tanh(rows[test] @ inner) @ outer).argmax(1)
print("accuracy", (said == kind[test]).float().mean().item())
