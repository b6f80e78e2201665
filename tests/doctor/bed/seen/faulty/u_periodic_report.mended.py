# expect: nothing
"""Letters drawn with noise, told apart by a dropout network; every few epochs the held-out accuracy is reported."""
import numpy as np
import torch
from torch import nn

GLYPHS = {
    "T": ["#####", "..#..", "..#..", "..#..", "..#.."],
    "L": ["#....", "#....", "#....", "#....", "#####"],
    "X": ["#...#", ".#.#.", "..#..", ".#.#.", "#...#"],
    "O": [".###.", "#...#", "#...#", "#...#", ".###."],
    "H": ["#...#", "#...#", "#####", "#...#", "#...#"],
    "Z": ["#####", "...#.", "..#..", ".#...", "#####"],
}


def draw(rng, count):
    masks = np.array([[[c == "#" for c in row] for row in g] for g in GLYPHS.values()], dtype=float)
    labels = rng.integers(0, len(masks), count)
    images = masks[labels] * 2 - 1 + rng.normal(0, 1.1, (count, 5, 5))
    return torch.tensor(images.reshape(count, 25), dtype=torch.float32), torch.tensor(labels)


def build():
    return nn.Sequential(
        nn.Linear(25, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(64, len(GLYPHS)),
    )


def predict(model, x):
    model.eval()
    with torch.no_grad():
        return model(x).argmax(dim=1)


def batches(x, y, size):
    order = torch.randperm(len(x))
    for start in range(0, len(x) - size + 1, size):
        rows = order[start : start + size]
        yield x[rows], y[rows]


def learn(model, x, y, x_test, y_test, epochs=12, report_every=3):
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(1, epochs + 1):
        model.train()
        total, count = 0.0, 0
        for xb, yb in batches(x, y, 50):
            optimizer.zero_grad()
            loss = loss_fn(model(xb), yb)
            loss.backward()
            optimizer.step()
            total, count = total + loss.item(), count + 1
        if epoch % report_every == 0:
            acc = (predict(model, x_test) == y_test).float().mean().item()
            print(f"epoch {epoch:2d} loss {total / count:.4f} held-out accuracy {acc:.3f}")


if __name__ == "__main__":
    torch.manual_seed(30)
    rng = np.random.default_rng(30)
    x, y = draw(rng, 1200)
    x_test, y_test = draw(rng, 400)
    net = build()
    learn(net, x, y, x_test, y_test)
    for i, name in enumerate(GLYPHS):
        rows = y_test == i
        print(name, f"{(predict(net, x_test)[rows] == i).float().mean().item():.3f}")
