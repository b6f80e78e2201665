# expect: detached_graph @ 20
# mend: 20 →         x = F.relu(self.conv2(x))
"""A conv net whose features are detached before the classifier."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.conv2 = nn.Conv2d(6, 12, 3)
        self.fc = nn.Linear(12 * 4 * 4, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x)).detach()
        return self.fc(x.flatten(1))


torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(digits.target)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(2):
    for idx in torch.randperm(len(x)).split(64):
        opt.zero_grad()
        loss = F.cross_entropy(net(x[idx]), y[idx])
        loss.backward()
        opt.step()
    print(epoch, round(loss.item(), 4))
