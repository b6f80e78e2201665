# expect: lr_too_high @ 54
import math, random
import torch
from torch import nn
import torch.nn.functional as F

SEED = 31
random.seed(SEED); torch.manual_seed(SEED)

# ------------------------------------------------------------
# made-up data: 4 kinds of shapes on a 16x16 canvas
# ------------------------------------------------------------
SHAPES = ["square", "disc", "cross", "ring"]
S = 16

def draw(kind):
    yy, xx = torch.meshgrid(torch.arange(S), torch.arange(S), indexing="ij")
    cy, cx = random.uniform(6, 9), random.uniform(6, 9)
    r = random.uniform(3.5, 5.5)
    dy, dx = (yy - cy).abs(), (xx - cx).abs()
    rad = (dy ** 2 + dx ** 2).sqrt()
    if kind == 0:   m = (dy < r * .8) & (dx < r * .8)
    elif kind == 1: m = rad < r
    elif kind == 2: m = ((dy < 1.2) | (dx < 1.2)) & (rad < r * 1.2)
    else:           m = (rad < r) & (rad > r - 2)
    img = m.float() * random.uniform(.6, 1.) + .15 * torch.randn(S, S)
    return img[None]

def make(n):
    y = torch.arange(n) % len(SHAPES)
    x = torch.stack([draw(int(k)) for k in y])
    return x, y

xtrain, ytrain = make(800)
xtest, ytest = make(200)
mean, std = xtrain.mean(), xtrain.std()
xtrain, xtest = (xtrain - mean) / std, (xtest - mean) / std

# ------------------------------------------------------------
class Net(nn.Module):
    def __init__(self, n_out=4):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.lin1 = nn.Linear(16 * 4 * 4, 32)
        self.lin2 = nn.Linear(32, n_out)
    def forward(self, x):
        x = F.max_pool2d(F.leaky_relu(self.conv1(x), 0.1), 2)
        x = F.max_pool2d(F.leaky_relu(self.conv2(x), 0.1), 2)
        x = F.leaky_relu(self.lin1(x.flatten(1)), 0.1)
        return self.lin2(x)

model = Net()
opt = torch.optim.Adam(model.parameters(), lr=0.15)
bs = 40

def test():
    model.eval()
    with torch.no_grad():
        out = model(xtest)
        return F.cross_entropy(out, ytest).item(), (out.argmax(1) == ytest).float().mean().item()

for ep in range(10):
    model.train()
    tot = 0.
    perm = torch.randperm(len(xtrain))
    for b in perm.split(bs):
        loss = F.cross_entropy(model(xtrain[b]), ytrain[b])
        opt.zero_grad(); loss.backward(); opt.step()
        tot += loss.item() * len(b)
    l, a = test()
    print(f"ep {ep:2d}  train {tot / len(xtrain):8.4f}  test {l:8.4f}  acc {a:.3f}")
