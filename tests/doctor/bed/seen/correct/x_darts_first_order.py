# expect: nothing
# looks suspicious: softmax of free parameters, and each of the two backwards fills the gradients of the
# other optimizer's parameters; both are cleared before they are used.
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class MixedOp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ops = nn.ModuleList(
            [
                nn.Identity(),
                nn.Sequential(nn.Linear(width, width), nn.ReLU()),
                nn.Sequential(nn.Linear(width, width), nn.Tanh()),
                nn.Sequential(nn.Linear(width, 4), nn.ReLU(), nn.Linear(4, width)),
            ]
        )

    def forward(self, x, weights):
        return sum(w * op(x) for w, op in zip(weights, self.ops, strict=True))


class Network(nn.Module):
    def __init__(self, layers=3, width=32):
        super().__init__()
        self.stem = nn.Linear(64, width)
        self.cells = nn.ModuleList(MixedOp(width) for _ in range(layers))
        self.classifier = nn.Linear(width, 10)
        self._arch = [(1e-3 * torch.randn(layers, 4)).requires_grad_()]

    def arch_parameters(self):
        return self._arch

    def forward(self, x):
        h = torch.relu(self.stem(x))
        for cell, w in zip(self.cells, F.softmax(self._arch[0], dim=-1), strict=True):
            h = cell(h, w)
        return self.classifier(h)


torch.manual_seed(2)
digits = load_digits()
x, y = torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target)
perm = torch.randperm(len(x))
train_rows, search_rows = perm[:900], perm[900:]
model = Network()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), 0.4, momentum=0.9, weight_decay=3e-4)
architect = torch.optim.Adam(model.arch_parameters(), lr=6e-3, betas=(0.5, 0.999), weight_decay=1e-3)

for step in range(120):
    rows = search_rows[torch.randint(len(search_rows), (64,))]
    architect.zero_grad()
    arch_loss = criterion(model(x[rows]), y[rows])
    arch_loss.backward()
    architect.step()

    rows = train_rows[torch.randint(len(train_rows), (64,))]
    optimizer.zero_grad()
    loss = criterion(model(x[rows]), y[rows])
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 5)
    optimizer.step()
    if step % 20 == 0:
        print(f"{step:03d} train {loss.item():.4f} search {arch_loss.item():.4f}")
print(F.softmax(model.arch_parameters()[0].detach(), dim=-1).round(decimals=3).tolist())
