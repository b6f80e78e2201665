# expect: nothing
# looks suspicious: a custom autograd function flips the gradient's sign, so one loss is climbed by the
# features, and rows of the unlabelled target domain pass through the network in training.
import torch
from sklearn.datasets import make_moons
from torch import nn
from torch.autograd import Function

torch.manual_seed(1)


class ReverseLayerF(Function):
    @staticmethod
    def forward(ctx, x, alpha):
        ctx.alpha = alpha
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output.neg() * ctx.alpha, None


def rotate(x, degrees):
    t = torch.deg2rad(torch.tensor(float(degrees)))
    return x @ torch.tensor([[t.cos(), -t.sin()], [t.sin(), t.cos()]])


X, Y = make_moons(900, noise=0.08, random_state=0)
X, Y = torch.tensor(X, dtype=torch.float32), torch.tensor(Y)
X = X - X.mean(0)
source, source_y = X[:400], Y[:400]
target = rotate(X[400:700], 25)
test, test_y = rotate(X[700:], 25), Y[700:]

feature = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
label_head = nn.Linear(32, 2)
domain_head = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
modules = nn.ModuleList([feature, label_head, domain_head])
opt = torch.optim.SGD(modules.parameters(), lr=0.1, momentum=0.9)
ce = nn.CrossEntropyLoss()
for step in range(200):
    alpha = 0.3 * step / 200
    s, t = torch.randint(400, (64,)), torch.randint(300, (64,))
    opt.zero_grad()
    fs, ft = feature(source[s]), feature(target[t])
    class_loss = ce(label_head(fs), source_y[s])
    domain = domain_head(ReverseLayerF.apply(torch.cat([fs, ft]), alpha))
    domain_loss = ce(domain, torch.cat([torch.zeros(64), torch.ones(64)]).long())
    (class_loss + domain_loss).backward()
    opt.step()
    if step % 40 == 0:
        print(f"{step} class {class_loss.item():.4f} domain {domain_loss.item():.4f}")
with torch.no_grad():
    print("target accuracy", (label_head(feature(test)).argmax(1) == test_y).float().mean().item())
