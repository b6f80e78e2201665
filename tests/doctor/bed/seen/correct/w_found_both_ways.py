# expect: nothing
"""Pairs that find each other: trained one way, looked at both ways, in batches as large as the number of rows."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
z = torch.randn(640, 6)
a, b = z @ torch.randn(6, 12) + 0.1 * torch.randn(640, 12), z @ torch.randn(6, 9) + 0.1 * torch.randn(640, 9)
left, right = nn.Linear(12, 16), nn.Linear(9, 16)
opt = torch.optim.Adam([*left.parameters(), *right.parameters()], lr=1e-2)


def similarity(i):
    return F.normalize(left(a[i]), dim=1) @ F.normalize(right(b[i]), dim=1).t() / 0.1


for epoch in range(10):
    for i in torch.randperm(576).split(32):
        opt.zero_grad()
        F.cross_entropy(similarity(i), torch.arange(32)).backward()
        opt.step()
with torch.no_grad():
    scores = similarity(torch.arange(576, 640))
    truth = torch.arange(64)
    print("to the right", (scores.argmax(dim=1) == truth).float().mean().item())
    print("to the left", (scores.argmax(dim=0) == truth).float().mean().item())
    i, j = divmod(scores.argmax().item(), 64)
    print("best pair", i, j)
