# expect: nothing
# Adversarial (FGSM) training of a small MLP on a noisy table; the best checkpoint is kept.
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

EPS = 0.08
torch.manual_seed(2)


def make_parts(seed=2):
    x, y = make_classification(n_samples=560, n_features=20, n_informative=5, n_redundant=0,
                               flip_y=0.3, class_sep=0.8, random_state=seed)
    x_fit, x_test, y_fit, y_test = train_test_split(x, y, test_size=80, stratify=y, random_state=seed)
    x_tr, x_val, y_tr, y_val = train_test_split(x_fit, y_fit, test_size=80, stratify=y_fit, random_state=seed)
    sc = StandardScaler().fit(x_tr)
    raw = {"train": (x_tr, y_tr), "val": (x_val, y_val), "test": (x_test, y_test)}
    return {k: TensorDataset(torch.tensor(sc.transform(a), dtype=torch.float32), torch.tensor(b))
            for k, (a, b) in raw.items()}


def fgsm(net, x, y, eps=EPS):
    """One signed-gradient step away from the label; leaves the parameter gradients alone."""
    x_adv = x.clone().requires_grad_(True)
    grad, = torch.autograd.grad(F.cross_entropy(net(x_adv), y), x_adv)
    return (x + eps * grad.sign()).detach()


def evaluate(net, part):
    net.eval()
    with torch.no_grad():
        x, y = part.tensors
        return (net(x).argmax(1) == y).float().mean().item()


class BestKeeper:
    """Remembers the weights of the epoch with the highest score."""

    def __init__(self):
        self.score, self.state, self.epoch = -1.0, None, None

    def update(self, score, net, epoch):
        if score > self.score:
            self.score, self.epoch = score, epoch
            self.state = copy.deepcopy(net.state_dict())

    def restore(self, net):
        net.load_state_dict(self.state)
        return self.epoch


def train_epoch(net, loader, opt):
    net.train()
    total = 0.0
    for x, y in loader:
        x_adv = fgsm(net, x, y)
        loss = 0.5 * (F.cross_entropy(net(x), y) + F.cross_entropy(net(x_adv), y))
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(y)
    return total / len(loader.dataset)


def run(parts, epochs=40):
    net = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Dropout(0.2), nn.Linear(48, 2))
    opt = optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-3)
    loader = DataLoader(parts["train"], batch_size=40, shuffle=True)
    keeper = BestKeeper()
    for epoch in range(1, epochs + 1):
        loss = train_epoch(net, loader, opt)
        held_out = evaluate(net, parts["val"])
        keeper.update(held_out, net, epoch)
        if epoch % 8 == 0:
            print(f"epoch {epoch:2d}  loss {loss:.4f}  held-out acc {held_out:.3f}")
    best = keeper.restore(net)
    print(f"kept epoch {best}")
    return net


parts = make_parts()
model = run(parts)
print(f"clean test accuracy: {evaluate(model, parts['test']):.3f}")
x_t, y_t = parts["test"].tensors
adv_acc = evaluate(model, TensorDataset(fgsm(model, x_t, y_t), y_t))
print(f"test accuracy under FGSM: {adv_acc:.3f}")
