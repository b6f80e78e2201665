# expect: nothing
# looks suspicious: edges and pairs without an edge are each put into an order of their own and cut alike;
# the loss stays near that of guessing, as two nodes' product can say little of noisy friendships.
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(5)
rng = np.random.default_rng(5)
n = 150
circle = rng.integers(0, 3, n)
close = rng.random((n, n)) < np.where(circle[:, None] == circle, 0.09, 0.05)
friends = np.argwhere(np.triu(close, 1))
strangers = np.argwhere(np.triu(~close, 1))
hidden = len(friends) // 5
friends = friends[rng.permutation(len(friends))]
strangers = strangers[rng.permutation(len(strangers))]
test_pos, test_neg = torch.tensor(friends[:hidden]), torch.tensor(strangers[:hidden])
pos, neg = torch.tensor(friends[hidden:]), torch.tensor(strangers[hidden:])
features = torch.cat([torch.eye(3)[circle] + 0.8 * torch.randn(n, 3), torch.randn(n, 5)], 1)

net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for step in range(60):
    z = net(features)
    some = neg[torch.randint(len(neg), (len(pos),))]
    scores = torch.cat([(z[p[:, 0]] * z[p[:, 1]]).sum(1) for p in (pos, some)])
    target = torch.cat([torch.ones(len(pos)), torch.zeros(len(some))])
    loss = F.binary_cross_entropy_with_logits(scores, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    z = net(features)
    right = torch.cat([(z[p[:, 0]] * z[p[:, 1]]).sum(1) > 0 for p in (test_pos, test_neg)])
right[hidden:] ^= True
print(f"loss {loss.item():.3f}, right {right.float().mean().item():.3f}")
