# expect: nothing
# mends: rare_class_nll_hand_written.py
"""Three classes, two of them rare; the negative log-likelihood is not weighted."""

import torch
from torch import nn

torch.manual_seed(0)
n = 1200
y = torch.multinomial(torch.tensor([0.95, 0.03, 0.02]), n, replacement=True)
x = torch.randn(n, 4) + 0.9 * nn.functional.one_hot(y, 4).float()
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.LogSoftmax(dim=1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
for epoch in range(5):
    for idx in torch.randperm(n).split(60):
        logp = net(x[idx])
        loss = nn.functional.nll_loss(logp, y[idx], weight=n / (3 * y.bincount().float()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    right = (net(x).detach().argmax(1) == y).float().mean().item()
    print(f"epoch {epoch}: loss {loss.item():.4f}, accuracy {right:.3f}")
