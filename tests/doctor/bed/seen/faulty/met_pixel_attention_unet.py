# expect: softmax_wrong_dim @ 29
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

class AttentionBlock(nn.Module):
    def __init__(self, n_channels, n_heads=2, d_k=8):
        super().__init__()
        self.projection = nn.Linear(n_channels, n_heads * d_k * 3)
        self.output = nn.Linear(n_heads * d_k, n_channels)
        self.scale, self.n_heads, self.d_k = d_k ** -0.5, n_heads, d_k

    def forward(self, x):
        batch, channels, height, width = x.shape
        x = x.view(batch, channels, -1).permute(0, 2, 1)
        q, k, v = torch.chunk(self.projection(x).view(batch, -1, self.n_heads, 3 * self.d_k), 3, dim=-1)
        attn = torch.einsum("bihd,bjhd->bijh", q, k) * self.scale
        attn = attn.softmax(dim=1)
        res = torch.einsum("bijh,bjhd->bihd", attn, v).reshape(batch, -1, self.n_heads * self.d_k)
        return (self.output(res) + x).permute(0, 2, 1).view(batch, channels, height, width)

class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.attn, self.last = nn.Conv2d(2, 16, 3, padding=1), AttentionBlock(16), nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, x, t):
        level = t.view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
        return self.last(torch.relu(self.attn(torch.relu(self.first(torch.cat([x, level], 1))))))

net = Denoiser()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(5):
    for x, _ in DataLoader(train_set, 64, shuffle=True):
        x0 = x.view(-1, 1, 8, 8) * 2 - 1
        t = torch.rand(len(x0))
        noise = torch.randn_like(x0)
        a = torch.cos(t * math.pi / 2).view(-1, 1, 1, 1)
        xt = a * x0 + (1 - a ** 2).sqrt() * noise
        loss = F.mse_loss(net(xt, t), noise)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
