# expect: nothing
# looks suspicious: most parameters are in no optimizer and the backbone stays in eval mode during training:
# it is frozen, only the new head is trained.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
d = load_digits()
x = torch.tensor(d.images / 16, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(d.target)
low, high = (y < 5).nonzero().squeeze(1), (y >= 5).nonzero().squeeze(1)


def make_backbone():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
    )


def run_epoch(model, loader, optimizer):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


backbone = make_backbone()
pretrain = nn.Sequential(backbone, nn.Linear(128, 5))
loader = DataLoader(TensorDataset(x[low], y[low]), batch_size=32, shuffle=True)
optimizer = torch.optim.Adam(pretrain.parameters(), lr=5e-3)
for epoch in range(2):
    print("pretrain", epoch, round(run_epoch(pretrain.train(), loader, optimizer), 4))

for p in backbone.parameters():
    p.requires_grad = False
model = nn.Sequential(backbone, nn.Linear(128, 5))
perm = high[torch.randperm(len(high))]
tr, te = perm[:600], perm[600:]
loader = DataLoader(TensorDataset(x[tr], y[tr] - 5), batch_size=32, shuffle=True)
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)
for epoch in range(4):
    model.train()
    backbone.eval()
    print("finetune", epoch, round(run_epoch(model, loader, optimizer), 4))

model.eval()
with torch.no_grad():
    print("accuracy", (model(x[te]).argmax(1) == y[te] - 5).float().mean().item())
