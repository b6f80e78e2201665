# expect: weight_decay_too_high @ 12
# mend: 12 →     "adamw": dict(kind=torch.optim.AdamW, lr=3e-3, weight_decay=0.2),
"""Gas mixture from an array of sensors: hyper-parameters come from a small registry of recipes, one of which is run."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch import nn

RECIPES = {
    "adam": dict(kind=torch.optim.Adam, lr=3e-3, weight_decay=1e-4),
    "adamw": dict(kind=torch.optim.Adam, lr=3e-3, weight_decay=0.2),
    "sgd": dict(kind=torch.optim.SGD, lr=5e-2, weight_decay=1e-3, momentum=0.9),
}
GASES = ["ethanol", "acetone", "ammonia", "ethylene"]


def array_of_sensors(n=1000, sensors=12, seed=44):
    rng = np.random.default_rng(seed)
    answer = rng.normal(size=(len(GASES), sensors))
    gas = rng.integers(0, len(GASES), n)
    dose = rng.uniform(0.5, 2.0, (n, 1))
    values = dose * answer[gas] + rng.normal(0, 0.7, (n, sensors))
    frame = pd.DataFrame(values, columns=[f"s{i}" for i in range(sensors)])
    frame["gas"] = pd.Categorical.from_codes(gas, GASES)
    return frame


def tensors(frame, mean, std):
    x = (frame.drop(columns="gas") - mean) / std
    return torch.tensor(x.to_numpy(), dtype=torch.float32), torch.tensor(frame["gas"].cat.codes.to_numpy(), dtype=torch.long)


def make_optimizer(model, recipe):
    options = dict(RECIPES[recipe])
    return options.pop("kind")(model.parameters(), **options)


def fit(model, x, y, recipe="adamw", epochs=15, batch=50):
    optimizer = make_optimizer(model, recipe)
    history = []
    for _ in range(epochs):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history.append(total / len(x))
    return history


def main():
    torch.manual_seed(44)
    frame = array_of_sensors()
    train, test = train_test_split(frame, test_size=0.25, stratify=frame["gas"], random_state=44)
    numbers = train.drop(columns="gas")
    mean, std = numbers.mean(), numbers.std()
    x, y = tensors(train, mean, std)
    x_test, y_test = tensors(test, mean, std)
    model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, len(GASES)))
    history = fit(model, x, y)
    model.eval()
    with torch.no_grad():
        right = (model(x_test).argmax(1) == y_test).float().mean().item()
    print("train loss", " ".join(f"{value:.3f}" for value in history[::3]))
    print(f"test accuracy {right:.3f}")


if __name__ == "__main__":
    main()
