# expect: nothing
# looks suspicious: cross_entropy is taken along both axes of one matrix and its targets are 0..B-1, more
# than any class count: CLIP's symmetric contrastive loss with a learned temperature.
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
images = torch.tensor(load_digits().images / 16, dtype=torch.float32)
left, right = images[:, :, :4].flatten(1), images[:, :, 4:].flatten(1)
order = torch.randperm(len(images))
train, test = order[:1500], order[1500:]


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 24))

    def forward(self, x):
        return F.normalize(self.net(x), dim=-1)


a, b = Tower(), Tower()
logit_scale = nn.Parameter(torch.tensor(math.log(10.0)))
opt = torch.optim.AdamW([*a.parameters(), *b.parameters(), logit_scale], lr=3e-3, weight_decay=0.01)


def similarity(rows):
    return logit_scale.exp() * a(left[rows]) @ b(right[rows]).t()


for epoch in range(6):
    for rows in train[torch.randperm(len(train))].split(50):
        logits = similarity(rows)
        target = torch.arange(len(rows))
        loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target)) / 2
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            logit_scale.clamp_(0, math.log(100))
    print(f"epoch {epoch} loss {loss.item():.4f} scale {logit_scale.exp().item():.2f}")
with torch.no_grad():
    hits = (similarity(test[:50]).argmax(1) == torch.arange(50)).float().mean().item()
print(f"top-1 of 50 {hits:.3f}")
