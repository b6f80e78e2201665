# expect: unshuffled_sorted @ 13
"""Wine as it comes (all of one cultivar, then the next) in small batches without shuffling."""

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
wine = load_wine()
x = torch.tensor((wine.data - wine.data.mean(0)) / wine.data.std(0), dtype=torch.float32)[:, :4]
y = torch.tensor(wine.target)
loader = DataLoader(TensorDataset(x, y), batch_size=4, shuffle=False)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.95)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(6):
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        opt.step()
    with torch.no_grad():
        pred = net(x).argmax(1)
    share = torch.bincount(pred, minlength=3).tolist()
    print(f"epoch {epoch} accuracy {(pred == y).float().mean():.3f} predicted {share}")
