# expect: lr_too_high @ 24
# allowed: lr_too_high @ 38
# allowed: lr_too_high @ 54
# mend: 24 →         "lr": 0.002,
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

OPTIMIZERS = {
    "sgd": lambda p, o: torch.optim.SGD(p, lr=o["lr"], momentum=o.get("momentum", 0.0)),
    "adam": lambda p, o: torch.optim.Adam(p, lr=o["lr"]),
    "adamw": lambda p, o: torch.optim.AdamW(p, lr=o["lr"], weight_decay=o.get("wd", 0.01)),
}

EXPERIMENT = {
    "seed": 8,
    "epochs": 12,
    "batch_size": 64,
    "hidden": [96, 48],
    "optimizer": {
        "name": "adam",
        "lr": 0.2,
    },
}


def build_mlp(sizes):
    layers = []
    for i in range(len(sizes) - 2):
        layers += [nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU()]
    layers.append(nn.Linear(sizes[-2], sizes[-1]))
    return nn.Sequential(*layers)


def build_optimizer(model, opts):
    return OPTIMIZERS[opts["name"]](model.parameters(), opts)


def get_loaders(batch_size, seed):
    X, y = load_digits(return_X_y=True)
    X = torch.tensor(X, dtype=torch.float32) / 16
    y = torch.tensor(y)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=seed, stratify=y)
    return (DataLoader(TensorDataset(Xa, ya), batch_size, shuffle=True),
            DataLoader(TensorDataset(Xb, yb), 256))


def run(exp):
    torch.manual_seed(exp["seed"])
    train, test = get_loaders(exp["batch_size"], exp["seed"])
    model = build_mlp([64, *exp["hidden"], 10])
    opt = build_optimizer(model, exp["optimizer"])
    ce = nn.CrossEntropyLoss()
    for epoch in range(exp["epochs"]):
        model.train()
        tot = 0.0
        for xb, yb in train:
            loss = ce(model(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item() * len(xb)
        print(f"[{epoch:02d}] loss {tot / len(train.dataset):.4f}")
    model.eval()
    hits = 0
    with torch.no_grad():
        for xb, yb in test:
            hits += (model(xb).argmax(1) == yb).sum().item()
    print("test accuracy", round(hits / len(test.dataset), 4))


run(EXPERIMENT)
