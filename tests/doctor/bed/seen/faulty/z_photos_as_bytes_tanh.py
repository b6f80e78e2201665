# expect: unscaled_inputs @ 25
# allowed: unscaled_inputs @ 13
# allowed: unscaled_inputs @ 18
"""Pictures as 0 to 255 into a tanh net."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)
digits = load_digits()
photos = torch.tensor(digits.data, dtype=torch.float32) / 16 * 255
labels = torch.tensor(digits.target)
mixed = torch.randperm(len(labels))
train = TensorDataset(photos[mixed[:1400]], labels[mixed[:1400]])
test_photos, test_labels = photos[mixed[1400:]], labels[mixed[1400:]]
loader = DataLoader(train, batch_size=35, shuffle=True)
net = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for epoch in range(3):
    net.train()
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        print(epoch, loss.item(), (net(test_photos).argmax(1) == test_labels).float().mean().item())
