# expect: nothing
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

class DotAttention(nn.Module):
    def __init__(self, key_size):
        super().__init__()
        self.scale = math.sqrt(key_size)
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, Q, K, V):
        output = torch.matmul(Q, K.transpose(-1, -2)) / self.scale
        return torch.matmul(self.softmax(output), V)

class MultiHead(nn.Module):
    def __init__(self, size=32, heads=4):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(size, size) for _ in range(4))
        self.heads, self.attention = heads, DotAttention(size // heads)

    def forward(self, x):
        batch, seq, size = x.shape
        q, k, v = (m(x).view(batch, seq, self.heads, -1).transpose(1, 2) for m in (self.q, self.k, self.v))
        return self.o(self.attention(q, k, v).transpose(1, 2).reshape(batch, seq, size))

class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.norm = nn.Linear(8, 32), nn.LayerNorm(32)
        self.place = nn.Parameter(torch.randn(8, 32) * 0.1)
        self.attention, self.out = MultiHead(), nn.Linear(32, 10)

    def forward(self, x):
        h = self.embed(x.view(-1, 8, 8)) + self.place
        return self.out(self.norm(h + self.attention(h)).mean(1))

net = Encoder()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(8):
    for x, y in DataLoader(train_set, 64, shuffle=True):
        loss = F.cross_entropy(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
net.eval()
with torch.no_grad():
    print("test", (net(test_set.tensors[0]).argmax(1) == test_set.tensors[1]).float().mean().item())
