# expect: params_not_in_optimizer @ 23
# allowed: params_not_in_optimizer @ 40
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

class FeedForward(nn.Module):
    def __init__(self, input_dim, hidden_dims, activation=nn.PReLU, dropout=0.1):
        super().__init__()
        dims = [input_dim, *hidden_dims]
        self.linears = nn.ModuleList(nn.Linear(a, b) for a, b in zip(dims, hidden_dims))
        self.activations = [activation() for _ in hidden_dims]
        self.drop = nn.Dropout(dropout)

    def forward(self, x):
        for layer, act in zip(self.linears, self.activations):
            x = self.drop(act(layer(x)))
        return x

class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.ff, self.out = FeedForward(64, [64, 32]), nn.Linear(32, 10)

    def forward(self, x):
        return self.out(self.ff(x))

net = Tagger()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(6):
    net.train()
    for x, y in DataLoader(train_set, 64, shuffle=True):
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
net.eval()
with torch.no_grad():
    print((net(test_set.tensors[0]).argmax(1) == test_set.tensors[1]).float().mean().item())
