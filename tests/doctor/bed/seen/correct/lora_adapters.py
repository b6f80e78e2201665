# expect: nothing
# looks suspicious: zero-initialised matrices (LoRA's B), a base frozen and outside the optimizer, and in
# the first step half of the trained parameters have a gradient of exactly zero.
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x = torch.tensor(d.data / 16, dtype=torch.float32)
y = torch.tensor(d.target)
turned = torch.tensor(d.images / 16, dtype=torch.float32).rot90(1, (1, 2)).flatten(1)
perm = torch.randperm(len(y))
tr, te = perm[:1400], perm[1400:]


class LoRALinear(nn.Module):
    def __init__(self, base, r=4, alpha=8):
        super().__init__()
        self.base = base
        for p in self.base.parameters():
            p.requires_grad_(False)
        self.A = nn.Parameter(torch.randn(r, base.in_features) / base.in_features**0.5)
        self.B = nn.Parameter(torch.zeros(base.out_features, r))
        self.scale = alpha / r

    def forward(self, v):
        return self.base(v) + self.scale * (v @ self.A.T @ self.B.T)


def fit(model, data, params, epochs, lr):
    opt = torch.optim.AdamW(params, lr=lr, weight_decay=0.0)
    for epoch in range(epochs):
        for rows in tr[torch.randperm(len(tr))].split(64):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(data[rows]), y[rows])
            loss.backward()
            opt.step()
        print(f"  epoch {epoch} loss {loss.item():.4f}")


@torch.no_grad()
def accuracy(model, data):
    return (model(data[te]).argmax(1) == y[te]).float().mean().item()


model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
print("base")
fit(model, x, model.parameters(), 4, 5e-3)
print("upright", accuracy(model, x))

model[0], model[2] = LoRALinear(model[0], r=8), LoRALinear(model[2])
print("lora")
fit(model, turned, [p for p in model.parameters() if p.requires_grad], 5, 1e-2)
print("turned", accuracy(model, turned))
