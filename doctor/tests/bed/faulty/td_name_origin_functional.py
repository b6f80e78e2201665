# expect: nll_without_log_softmax @ 50
# allowed: nll_without_log_softmax @ 63
# mend: 50 →     return F.log_softmax(h @ p["w2"] + p["b2"], dim=-1)
"""Which invented language does a name come from?  Character bigrams, raw tensors and torch.nn.functional only."""
import random

import torch
import torch.nn.functional as F

SYLLABLES = {
    "northern": ["sk", "ol", "berg", "ei", "nar", "sven", "dal", "gun"],
    "southern": ["ia", "lo", "mar", "bel", "ra", "no", "gio", "to"],
    "eastern": ["ka", "shi", "no", "mi", "ra", "yu", "to", "ke"],
    "western": ["ton", "er", "wil", "ha", "ley", "son", "mar", "dal"],
}
LETTERS = "^abcdefghijklmnopqrstuvwxyz$"
INDEX = {c: i for i, c in enumerate(LETTERS)}


def bigram_counts(name):
    row = torch.zeros(len(LETTERS), len(LETTERS))
    text = f"^{name}$"
    for a, b in zip(text, text[1:]):
        row[INDEX[a], INDEX[b]] += 1
    return row.flatten()


def dataset(rng, n):
    names = {}
    for _ in range(n):
        label = rng.randrange(len(SYLLABLES))
        parts = list(SYLLABLES.values())[label]
        name = "".join(rng.choice(parts) for _ in range(rng.randint(2, 3)))
        names.setdefault(name, label)
    items = list(names.items())
    rng.shuffle(items)
    return torch.stack([bigram_counts(k) for k, _ in items]), torch.tensor([v for _, v in items])


def init(n_in, n_hidden, n_out):
    g = torch.Generator().manual_seed(1)
    shapes = {"w1": (n_in, n_hidden), "w2": (n_hidden, n_out)}
    params = {k: torch.randn(s, generator=g) * (2.0 / s[0]) ** 0.5 for k, s in shapes.items()}
    params |= {"b1": torch.zeros(n_hidden), "b2": torch.zeros(n_out)}
    return {k: v.requires_grad_() for k, v in params.items()}


def forward(p, x):
    h = torch.tanh(x @ p["w1"] + p["b1"])
    return F.softmax(h @ p["w2"] + p["b2"], dim=-1)


def accuracy(p, x, y):
    with torch.no_grad():
        return (forward(p, x).argmax(dim=-1) == y).float().mean().item()


def train(p, x, y, epochs=12, lr=0.5, batch=32):
    g = torch.Generator().manual_seed(2)
    for epoch in range(epochs):
        total = 0.0
        for idx in torch.randperm(len(x), generator=g).split(batch):
            loss = F.nll_loss(forward(p, x[idx]), y[idx])
            grads = torch.autograd.grad(loss, list(p.values()))
            with torch.no_grad():
                for value, grad in zip(p.values(), grads):
                    value -= lr * grad
            total += loss.item() * len(idx)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}: loss {total / len(x):.4f}")


x, y = dataset(random.Random(4), 2500)
cut = int(0.75 * len(x))
params = init(x.shape[1], 32, len(SYLLABLES))
train(params, x[:cut], y[:cut])
print(f"{cut} names to learn from, test accuracy {accuracy(params, x[cut:], y[cut:]):.3f} on {len(x) - cut}")
