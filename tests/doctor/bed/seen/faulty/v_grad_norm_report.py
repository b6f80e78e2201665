# expect: grad_cleared_before_step @ 21
# allowed: grad_cleared_before_step @ 33
# allowed: grad_cleared_before_step @ 34
"""Wine classification with a gradient norm written to a log at each step."""
import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(0)


def grad_norm_report(model, log):
    total = 0.0
    for p in model.parameters():
        if p.grad is not None:
            total += p.grad.norm().item() ** 2
    log.append(total ** 0.5)
    model.zero_grad(set_to_none=False)


def train_one_epoch(model, opt, x, y, log, bs=16):
    model.train()
    losses = []
    order = torch.randperm(len(x))
    for s in range(0, len(x), bs):
        idx = order[s:s + bs]
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
        loss.backward()
        grad_norm_report(model, log)
        opt.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


if __name__ == "__main__":
    data = load_wine()
    x_tr, x_te, y_tr, y_te = train_test_split(
        data.data, data.target, test_size=0.3, stratify=data.target, random_state=0)
    sc = StandardScaler().fit(x_tr)
    x_tr = torch.tensor(sc.transform(x_tr), dtype=torch.float32)
    x_te = torch.tensor(sc.transform(x_te), dtype=torch.float32)
    y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)
    model = nn.Sequential(nn.Linear(13, 32), nn.Tanh(), nn.Linear(32, 3))
    opt = optim.Adam(model.parameters(), lr=0.01)
    norms = []
    for epoch in range(15):
        loss = train_one_epoch(model, opt, x_tr, y_tr, norms)
        if epoch % 5 == 0:
            print(epoch, round(loss, 4), "norm", round(norms[-1], 3))
    print("test accuracy", evaluate(model, x_te, y_te))
