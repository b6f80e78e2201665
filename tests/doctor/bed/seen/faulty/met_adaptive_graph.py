# expect: detached_graph @ 29
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

class AdaptiveGCN(nn.Module):
    def __init__(self, nodes=8, features=8):
        super().__init__()
        self.theta, self.phi = nn.Linear(features, 8), nn.Linear(features, 8)
        self.lift, self.out = nn.Linear(features, 24), nn.Linear(24 * nodes, 10)

    def adjacency(self, x):
        score = self.theta(x) @ self.phi(x).transpose(1, 2) / 8 ** 0.5
        return score.softmax(-1)

    def forward(self, x):
        x = x.view(-1, 8, 8)
        adj = self.adjacency(x).detach()
        h = torch.relu(adj @ self.lift(x) + self.lift(x))
        return self.out(h.flatten(1))

net = AdaptiveGCN()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(6):
    for x, y in DataLoader(train_set, 64, shuffle=True):
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
net.eval()
with torch.no_grad():
    print((net(test_set.tensors[0]).argmax(1) == test_set.tensors[1]).float().mean().item())
