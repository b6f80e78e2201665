# expect: nothing
# mends: multilabel_functional_sigmoid.py
"""Multi-label tagging in a functional style: weights in a dictionary."""

import torch
import torch.nn.functional as F

torch.manual_seed(0)
n, d, tags = 600, 16, 5
x = torch.randn(n, d)
truth = torch.randn(d, tags)
y = (x @ truth > 0).float()

params = {
    "w1": torch.randn(d, 32) / d**0.5,
    "b1": torch.zeros(32),
    "w2": torch.randn(32, tags) / 32**0.5,
    "b2": torch.zeros(tags),
}
for p in params.values():
    p.requires_grad_()


def predict(params, x):
    h = F.relu(x @ params["w1"] + params["b1"])
    return h @ params["w2"] + params["b2"]


opt = torch.optim.SGD(params.values(), lr=1.0, momentum=0.9)
for epoch in range(5):
    for idx in torch.randperm(n).split(100):
        opt.zero_grad()
        loss = F.binary_cross_entropy_with_logits(predict(params, x[idx]), y[idx])
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
