# expect: nll_without_log_softmax @ 30
# allowed: nll_without_log_softmax @ 40
"""Fine-tune a small digit net: backbone trained on 0-4, frozen, new head for 5-9."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16.0, dtype=torch.float32)
y = torch.tensor(y)


def pick(lo, hi):
    keep = (y >= lo) & (y < hi)
    tr, te = train_test_split(torch.where(keep)[0].numpy(), test_size=0.25, random_state=0,
                              stratify=y[keep].numpy())
    return X[tr], y[tr] - lo, X[te], y[te] - lo


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 48), nn.ReLU())
        self.head = nn.Linear(48, 5)

    def forward(self, x):
        return self.head(self.body(x))


def fit(net, params, xs, ys, epochs, lr):
    opt = torch.optim.Adam(params, lr=lr)
    net.train()
    for ep in range(epochs):
        tot = 0.0
        for idx in torch.randperm(len(xs)).split(32):
            opt.zero_grad()
            loss = F.nll_loss(net(xs[idx]), ys[idx])
            loss.backward()
            opt.step()
            tot += loss.item()
        if (ep + 1) % 5 == 0:
            print(f"  epoch {ep + 1}: {tot / (len(xs) / 32):.4f}")


@torch.no_grad()
def accuracy(net, xs, ys):
    net.eval()
    return (net(xs).argmax(1) == ys).float().mean().item()


x_tr, y_tr, x_te, y_te = pick(0, 5)
net = Net()
print("source digits")
fit(net, net.parameters(), x_tr, y_tr, 10, 0.002)
print(f"accuracy on 0-4: {accuracy(net, x_te, y_te):.3f}")

x_tr, y_tr, x_te, y_te = pick(5, 10)
for p in net.body.parameters():
    p.requires_grad = False
net.head = nn.Linear(48, 5)
print("target digits")
fit(net, net.head.parameters(), x_tr, y_tr, 15, 0.03)
print(f"accuracy on 5-9: {accuracy(net, x_te, y_te):.3f}")
