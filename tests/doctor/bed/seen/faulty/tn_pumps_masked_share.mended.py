"""Rare leaks, a sampler over the rows with the fraction of each class."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(5)


def minutes(n):
    leak = (torch.rand(n) < 0.05).long()
    shift = torch.tensor([1.0, -1.0, 0.8, 0.0, 0.0, 0.0])
    return torch.randn(n, 6) + leak[:, None] * shift, leak


x, y = minutes(2600)
x_test, y_test = minutes(1200)
classes = 2
n = len(y)
per_class = torch.stack([(y == c).sum() for c in range(classes)]).float()

# every row gets the weight of its class
fraction = n / per_class
sampler = WeightedRandomSampler(weights=[float(fraction[label]) for label in y], num_samples=n)
loader = DataLoader(TensorDataset(x, y), batch_size=50, sampler=sampler)

net = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, classes))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(10):
    for xb, yb in loader:
        loss = nn.functional.cross_entropy(net(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    guess = net(x_test).argmax(1)
print("recall of leaks", (guess[y_test == 1] == 1).float().mean().item())
