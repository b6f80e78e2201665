# expect: nothing
"""Short help-desk messages sorted into four intents: bag of words and a configurable net."""
import json
import random

import torch
import torch.nn.functional as F
from torch import nn

CONFIG = json.loads("""
{
  "hidden": [64, 32],
  "activation": "relu",
  "output": "linear",
  "dropout": 0.2,
  "epochs": 15,
  "batch_size": 32,
  "lr": 0.003,
  "label_smoothing": 0.05
}
""")

ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "linear": nn.Identity,
    "softmax": lambda: nn.Softmax(dim=-1),
}

WORDS = {
    "billing": "invoice refund charge card paid amount bill price".split(),
    "login": "password account locked reset email code sign user".split(),
    "delivery": "parcel late courier address tracking box arrived lost".split(),
    "product": "broken screen battery button size colour noise manual".split(),
}
FILLER = "hello please my the is was not i have a with you it today help again".split()


def make_messages(n, rng):
    names = sorted(WORDS)
    rows = []
    for _ in range(n):
        label = rng.randrange(len(names))
        other = rng.choice([k for k in range(len(names)) if k != label])
        words = rng.sample(WORDS[names[label]], rng.randint(1, 3))
        words += rng.sample(WORDS[names[other]], rng.randint(0, 1))
        words += rng.sample(FILLER, rng.randint(3, 8))
        rng.shuffle(words)
        rows.append((" ".join(words), label))
    return rows


def build_vocab(rows):
    return {w: i for i, w in enumerate(sorted({w for text, _ in rows for w in text.split()}))}


def vectorise(rows, vocab):
    x = torch.zeros(len(rows), len(vocab))
    for i, (text, _) in enumerate(rows):
        for w in text.split():
            if w in vocab:
                x[i, vocab[w]] = 1.0
    return x, torch.tensor([label for _, label in rows])


def build_net(n_in, n_out, cfg):
    layers, width = [], n_in
    for h in cfg["hidden"]:
        layers += [nn.Linear(width, h), ACTIVATIONS[cfg["activation"]](), nn.Dropout(cfg["dropout"])]
        width = h
    layers += [nn.Linear(width, n_out), ACTIVATIONS[cfg["output"]]()]
    return nn.Sequential(*layers)


def run_epoch(net, x, y, cfg, optimizer):
    net.train()
    order = torch.randperm(len(x))
    total = 0.0
    for idx in order.split(cfg["batch_size"]):
        scores = net(x[idx])
        loss = F.cross_entropy(scores, y[idx], label_smoothing=cfg["label_smoothing"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    return total / len(x)


def main(cfg):
    torch.manual_seed(11)
    rng = random.Random(11)
    train_rows, test_rows = make_messages(800, rng), make_messages(300, rng)
    known = {text for text, _ in train_rows}
    test_rows = [r for r in test_rows if r[0] not in known]
    vocab = build_vocab(train_rows)
    xtr, ytr = vectorise(train_rows, vocab)
    xte, yte = vectorise(test_rows, vocab)

    net = build_net(len(vocab), len(WORDS), cfg)
    optimizer = torch.optim.Adam(net.parameters(), lr=cfg["lr"])
    for epoch in range(cfg["epochs"]):
        loss = run_epoch(net, xtr, ytr, cfg, optimizer)
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1:2d}: loss {loss:.4f}")
    net.eval()
    with torch.no_grad():
        acc = (net(xte).argmax(dim=1) == yte).float().mean().item()
    print(f"test accuracy {acc:.3f} on {len(yte)} messages")


if __name__ == "__main__":
    main(CONFIG)
