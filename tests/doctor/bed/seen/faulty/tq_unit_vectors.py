# expect: non_finite_loss @ 14
"""Pictures are brought near their noisy twins; then a linear layer reads what was learned."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(2)
pictures, digits = load_digits(return_X_y=True)
order = torch.randperm(len(digits))
x, y = torch.tensor(pictures / 16).float()[order], torch.tensor(digits)[order]

def on_the_sphere(z):
    return z / z.relu().norm(dim=1, keepdim=True)


encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.Adam(encoder.parameters(), lr=2e-3)
for epoch in range(4):
    for rows in torch.randperm(1400).split(100):
        one, two = (on_the_sphere(encoder(x[rows] + 0.1 * torch.randn(100, 64))) for _ in range(2))
        loss = F.cross_entropy(one @ two.T / 0.3, torch.arange(100))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())

with torch.no_grad():
    seen = encoder(x)
mean, std = seen[:1400].mean(0), seen[:1400].std(0)
seen = (seen - mean) / std
probe = nn.Linear(2, 10)
optimizer = torch.optim.Adam(probe.parameters(), lr=0.02)
for epoch in range(20):
    for rows in torch.randperm(1400).split(100):
        optimizer.zero_grad()
        F.cross_entropy(probe(seen[rows]), y[rows]).backward()
        optimizer.step()
with torch.no_grad():
    print("right:", (probe(seen[1400:]).argmax(1) == y[1400:]).float().mean().item())
