# expect: nothing
"""Gradient accumulation over four micro-batches, with warm-up by LambdaLR stepped per update."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, y = load_digits(return_X_y=True)
a, b, c, d = train_test_split(X / 16, y, test_size=0.25, random_state=0, stratify=y)
loader = DataLoader(TensorDataset(torch.tensor(a).float(), torch.tensor(c)), batch_size=16, shuffle=True)
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(64, 64), nn.LayerNorm(64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))
opt = torch.optim.AdamW(net.parameters(), lr=5e-3)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1.0, (s + 1) / 10))
ACC = 4
for epoch in range(8):
    net.train()
    for i, (xb, yb) in enumerate(loader):
        (nn.functional.cross_entropy(net(xb), yb) / ACC).backward()
        if (i + 1) % ACC == 0 or i + 1 == len(loader):
            opt.step()
            sched.step()
            for p in net.parameters():
                p.grad = None
net.eval()
with torch.no_grad():
    acc = (net(torch.tensor(b).float()).argmax(1) == torch.tensor(d)).float().mean().item()
print("acc", acc)
