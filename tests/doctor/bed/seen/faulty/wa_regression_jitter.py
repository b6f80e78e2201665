# expect: augment_on_test @ 36
import torch
from torch import nn
import torch.nn.functional as F

def jitter(x, s=0.3):
    return x + s * torch.randn_like(x)

def make(n, g):
    t = torch.rand(n, 1, generator=g) * 6
    f = torch.arange(1, 13) * 0.3
    x = torch.sin(t * f)
    return x, torch.stack([t[:, 0] / 6, (t[:, 0] / 6) ** 2], 1)

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(12, 48)
        self.b = nn.Linear(48, 2)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))

def run(model, x, y, opt=None):
    total = 0.0
    for i in range(0, len(x), 50):
        out = model(x[i:i + 50])
        loss = F.smooth_l1_loss(out, y[i:i + 50])
        if opt:
            opt.zero_grad(); loss.backward(); opt.step()
        total += loss.item() * len(out)
    return total / len(x)

def evaluate(model, x, y):
    with torch.no_grad():
        return run(model, jitter(x), y)

g = torch.Generator().manual_seed(1)
torch.manual_seed(1)
xt, yt = make(600, g)
xv, yv = make(200, g)
model = Model()
opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
for ep in range(15):
    p = torch.randperm(len(xt))
    tr = run(model, jitter(xt)[p], yt[p], opt)
    print(ep, tr, evaluate(model, xv, yv))
