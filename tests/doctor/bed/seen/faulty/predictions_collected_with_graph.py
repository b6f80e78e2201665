# expect: graph_kept_alive @ 25
"""Training accuracy is worked out at the epoch's end from the collected logits."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
x = torch.tensor((wine.data - wine.data.mean(0)) / wine.data.std(0), dtype=torch.float32)
y = torch.tensor(wine.target)
net = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
ce = nn.CrossEntropyLoss()
epoch_outputs = []

for epoch in range(10):
    outputs, labels = [], []
    for idx in torch.randperm(len(x)).split(16):
        logits = net(x[idx])
        loss = ce(logits, y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        outputs.append(logits)
        labels.append(y[idx])
    epoch_outputs.append(torch.cat(outputs))
    acc = (epoch_outputs[-1].argmax(1) == torch.cat(labels)).float().mean().item()
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f} training accuracy {acc:.3f}")
