# expect: nothing
# looks suspicious: every block's forward runs twice, the first time under no_grad with the model in train
# mode: activation checkpointing.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.checkpoint import checkpoint

torch.manual_seed(0)
images, labels = load_digits(return_X_y=True)
images = torch.tensor(images / 16, dtype=torch.float32)
labels = torch.tensor(labels)


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.net = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * dim, dim))

    def forward(self, x):
        return x + self.net(self.norm(x))


class Net(nn.Module):
    def __init__(self, dim=32, depth=4):
        super().__init__()
        self.stem = nn.Linear(64, dim)
        self.blocks = nn.ModuleList(Block(dim) for _ in range(depth))
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=True) if self.training else block(x)
        return self.head(x)


net = Net()
opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
perm = torch.randperm(1797)
train, val = perm[:1500], perm[1500:]
for epoch in range(3):
    net.train()
    for rows in train[torch.randperm(1500)].split(75):
        loss = nn.functional.cross_entropy(net(images[rows]), labels[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        acc = (net(images[val]).argmax(-1) == labels[val]).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.4f} val {acc:.4f}")
