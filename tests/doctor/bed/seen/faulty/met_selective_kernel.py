# expect: softmax_wrong_dim @ 28
# allowed: softmax_wrong_dim @ 36
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = load_digits()
x_train, x_test, y_train, y_test = train_test_split(data.data / 16.0, data.target, test_size=0.3, random_state=0)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=0)
to = lambda x, y: TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
train_set, val_set, test_set = to(x_train, y_train), to(x_val, y_val), to(x_test, y_test)

class SKBlock(nn.Module):
    """Selective kernels: branches of several widths, weighed for each channel."""

    def __init__(self, channel=16, kernels=(1, 3, 5), reduction=4):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channel, channel, k, padding=k // 2), nn.BatchNorm2d(channel), nn.ReLU()) for k in kernels
        )
        self.fc = nn.Linear(channel, channel // reduction)
        self.fcs = nn.ModuleList(nn.Linear(channel // reduction, channel) for _ in kernels)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x):
        bs, c, _, _ = x.size()
        feats = torch.stack([conv(x) for conv in self.convs], 0)
        s = feats.sum(0).mean(-1).mean(-1)
        z = self.fc(s)
        weights = torch.stack([fc(z).view(bs, c, 1, 1) for fc in self.fcs], 0)
        weights = self.softmax(weights)
        return (weights * feats).sum(0)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.sk, self.out = nn.Conv2d(1, 16, 3, padding=1), SKBlock(), nn.Linear(16, 10)

    def forward(self, x):
        return self.out(torch.relu(self.sk(torch.relu(self.stem(x.view(-1, 1, 8, 8))))).mean((2, 3)))

net = Net()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(6):
    net.train()
    for x, y in DataLoader(train_set, 64, shuffle=True, drop_last=True):
        loss = F.cross_entropy(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
net.eval()
with torch.no_grad():
    print("test", sum((net(x).argmax(1) == y).sum().item() for x, y in DataLoader(test_set, 128)) / len(test_set))
