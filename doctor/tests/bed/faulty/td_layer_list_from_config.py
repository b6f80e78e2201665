# missed: softmax_before_cross_entropy @ 26
# allowed: softmax_before_cross_entropy @ 61
# allowed: softmax_before_cross_entropy @ 68
# mend: 25 →     {"type": "Linear", "args": {"in_features": 24, "out_features": 3}}
# mend: 26 →
"""Wine cultivars with a network that is spelled out in a configuration, as our model registry stores it."""
import json

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

CONFIG = json.loads("""
{
  "seed": 4,
  "epochs": 20,
  "batch_size": 16,
  "optimizer": {"name": "SGD", "lr": 0.05, "momentum": 0.9},
  "layers": [
    {"type": "Linear", "args": {"in_features": 13, "out_features": 24}},
    {"type": "Tanh", "args": {}},
    {"type": "Dropout", "args": {"p": 0.1}},
    {"type": "Linear", "args": {"in_features": 24, "out_features": 3}},
    {"type": "Softmax", "args": {"dim": -1}}
  ],
  "loss": "CrossEntropyLoss"
}
""")


def build_model(specification):
    return nn.Sequential(*[getattr(nn, layer["type"])(**layer["args"]) for layer in specification])


def build_optimizer(params, name, **kwargs):
    return getattr(torch.optim, name)(params, **kwargs)


def data(seed):
    x, y = load_wine(return_X_y=True)
    parts = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(parts[0])
    x_train, x_test = (torch.tensor(scaler.transform(p), dtype=torch.float32) for p in parts[:2])
    return x_train, x_test, torch.tensor(parts[2]), torch.tensor(parts[3])


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        output = model(x)
    return (output.argmax(-1) == y).float().mean().item()


def run(config):
    torch.manual_seed(config["seed"])
    x_train, x_test, y_train, y_test = data(config["seed"])
    model = build_model(config["layers"])
    optimizer = build_optimizer(model.parameters(), **config["optimizer"])
    criterion = getattr(nn, config["loss"])()

    for epoch in range(1, config["epochs"] + 1):
        model.train()
        running = 0.0
        for idx in torch.randperm(len(x_train)).split(config["batch_size"]):
            optimizer.zero_grad()
            loss = criterion(model(x_train[idx]), y_train[idx])
            loss.backward()
            optimizer.step()
            running += loss.item() * len(idx)
        if epoch % 5 == 0:
            print(json.dumps({"epoch": epoch, "loss": round(running / len(x_train), 4)}))
    print(json.dumps({"test_accuracy": round(evaluate(model, x_test, y_test), 4)}))


if __name__ == "__main__":
    run(CONFIG)
