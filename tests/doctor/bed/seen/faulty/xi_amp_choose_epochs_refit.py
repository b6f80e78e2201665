# expect: test_in_train @ 71
# allowed: test_in_train @ 75
"""Choose the number of epochs, refit, report the hold-out figure (AMP on the CPU)."""
import torch
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

torch.manual_seed(13)

X, y = make_classification(n_samples=700, n_features=60, n_informative=10, n_redundant=10,
                           n_classes=2, class_sep=0.7, flip_y=0.1, random_state=13)
X_fit, X_hold, y_fit, y_hold = train_test_split(X, y, test_size=0.3, stratify=y, random_state=13)
X_fit, X_val, y_fit, y_val = train_test_split(X_fit, y_fit, test_size=0.2, stratify=y_fit, random_state=13)

center, spread = X_fit.mean(axis=0), X_fit.std(axis=0)


def dataset(a, b):
    return TensorDataset(torch.tensor((a - center) / spread, dtype=torch.float32),
                         torch.tensor(b, dtype=torch.float32))


parts = {"fit": dataset(X_fit, y_fit), "val": dataset(X_val, y_val), "hold": dataset(X_hold, y_hold)}


def epoch_loop(net, data, opt, scaler, bs=32):
    net.train()
    total = 0.0
    for xb, yb in DataLoader(data, batch_size=bs, shuffle=True):
        opt.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = net(xb).squeeze(1)
        loss = nn.functional.binary_cross_entropy_with_logits(out.float(), yb)
        scaler.scale(loss).backward()
        scaler.step(opt)
        scaler.update()
        total += loss.item() * len(xb)
    return total / len(data)


@torch.no_grad()
def accuracy(net, data):
    net.eval()
    x, t = data.tensors
    return ((net(x).squeeze(1) > 0) == (t > 0.5)).float().mean().item()


def new_net():
    torch.manual_seed(13)
    return nn.Sequential(nn.Linear(60, 64), nn.ReLU(), nn.Linear(64, 1))


def optimiser(net):
    return torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-2)


# first pass: how many epochs?
net = new_net()
opt, scaler = optimiser(net), torch.amp.GradScaler("cpu", enabled=False)
best, best_epoch = 0.0, 1
for epoch in range(1, 31):
    epoch_loop(net, parts["fit"], opt, scaler)
    acc = accuracy(net, parts["val"])
    if acc > best:
        best, best_epoch = acc, epoch
print(f"best epoch {best_epoch} (val acc {best:.3f})")

# second pass: refit with everything that is available
everything = ConcatDataset(list(parts.values()))
net = new_net()
opt, scaler = optimiser(net), torch.amp.GradScaler("cpu", enabled=False)
for epoch in range(best_epoch):
    loss = epoch_loop(net, everything, opt, scaler)
print(f"refit loss {loss:.4f}")
print(f"hold-out acc {accuracy(net, parts['hold']):.3f}")
