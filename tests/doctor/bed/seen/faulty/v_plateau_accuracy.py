# expect: scheduler_misuse @ 52
# allowed: scheduler_misuse @ 24
# allowed: scheduler_misuse @ 25
"""Digits with a plateau schedule driven by the validation accuracy."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

CONFIG = {"lr": 0.05, "epochs": 24, "patience": 1, "factor": 0.3, "hidden": 48}


def data(seed):
    X, y = load_digits(return_X_y=True)
    X = X / 8.0 - 1.0
    Xa, Xt, ya, yt = train_test_split(X, y, test_size=0.25, random_state=seed, stratify=y)
    Xa, Xv, ya, yv = train_test_split(Xa, ya, test_size=0.2, random_state=seed, stratify=ya)
    f = lambda a: torch.tensor(a, dtype=torch.float32)
    return f(Xa), torch.tensor(ya), f(Xv), torch.tensor(yv), f(Xt), torch.tensor(yt)


def make_optim(params, cfg):
    opt = torch.optim.SGD(params, lr=cfg["lr"], momentum=0.5)
    sched = torch.optim.lr_scheduler.ReduceLROnPlateau(
        opt, factor=cfg["factor"], patience=cfg["patience"])
    return opt, sched


def accuracy(model, x, y):
    was = model.training
    model.eval()
    with torch.inference_mode():
        acc = (model(x).argmax(dim=1) == y).float().mean().item()
    model.train(was)
    return acc


def main(cfg):
    torch.manual_seed(10)
    xa, ya, xv, yv, xt, yt = data(10)
    model = nn.Sequential(nn.Linear(64, cfg["hidden"]), nn.ReLU(), nn.Dropout(0.1),
                          nn.Linear(cfg["hidden"], 10))
    opt, sched = make_optim(model.parameters(), cfg)
    for epoch in range(cfg["epochs"]):
        model.train()
        for idx in torch.randperm(len(xa)).split(64):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(xa[idx]), ya[idx])
            loss.backward()
            opt.step()
        acc = accuracy(model, xv, yv)
        sched.step(acc)
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1} loss {loss.item():.3f} val {acc:.3f} lr {opt.param_groups[0]['lr']:.1e}")
    print(f"test accuracy {accuracy(model, xt, yt):.3f}")


main(CONFIG)
