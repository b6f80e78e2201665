# missed: clip_too_small @ 86
# mend: 86 →         clip_grad_norm_(params, args.clip)
"""Character model of made-up place names: three characters of context, weights as plain tensors, momentum SGD."""
import argparse
import random

import torch
import torch.nn.functional as F
from torch.nn.utils import clip_grad_norm_

STARTS = ["nor", "sut", "wes", "eas", "ald", "har", "kin", "lang", "mor", "old", "ash", "brad", "car", "den"]
MIDDLES = ["", "ing", "er", "ling", "en", "a"]
ENDS = ["ton", "ham", "ford", "bury", "by", "wick", "ley", "field", "worth"]
CHARS = "." + "abcdefghijklmnopqrstuvwxyz"
STOI = {c: i for i, c in enumerate(CHARS)}


def all_names(rng):
    names = [s + m + e for s in STARTS for m in MIDDLES for e in ENDS]
    rng.shuffle(names)
    return names


def contexts(names, size):
    x, y = [], []
    for name in names:
        window = [0] * size
        for ch in name + ".":
            x.append(window)
            y.append(STOI[ch])
            window = window[1:] + [STOI[ch]]
    return torch.tensor(x), torch.tensor(y)


def make_params(args, g):
    n_in = args.context * args.dim
    params = [
        torch.randn(len(CHARS), args.dim, generator=g),
        torch.randn(n_in, args.hidden, generator=g) * (5 / 3) / n_in ** 0.5,
        torch.zeros(args.hidden),
        torch.randn(args.hidden, len(CHARS), generator=g) * 0.1,
        torch.zeros(len(CHARS)),
    ]
    for p in params:
        p.requires_grad = True
    return params


def logits(params, x):
    C, W1, b1, W2, b2 = params
    return torch.tanh(C[x].view(len(x), -1) @ W1 + b1) @ W2 + b2


@torch.no_grad()
def mean_nll(params, x, y):
    return F.cross_entropy(logits(params, x), y).item()


@torch.no_grad()
def sample(params, args, g):
    out, window = "", [0] * args.context
    while len(out) < 20:
        probs = F.softmax(logits(params, torch.tensor([window])), dim=1)
        ix = torch.multinomial(probs, 1, generator=g).item()
        if ix == 0:
            break
        out, window = out + CHARS[ix], window[1:] + [ix]
    return out


def run(args):
    g = torch.Generator().manual_seed(args.seed)
    names = all_names(random.Random(args.seed))
    n_train = int(0.9 * len(names))
    x_train, y_train = contexts(names[:n_train], args.context)
    x_test, y_test = contexts(names[n_train:], args.context)

    params = make_params(args, g)
    velocity = [torch.zeros_like(p) for p in params]
    for step in range(args.steps):
        rows = torch.randint(len(x_train), (args.batch,), generator=g)
        loss = F.cross_entropy(logits(params, x_train[rows]), y_train[rows])
        for p in params:
            p.grad = None
        loss.backward()
        clip_grad_norm_(params, args.lr)
        with torch.no_grad():
            for p, v in zip(params, velocity):
                v.mul_(args.momentum).add_(p.grad)
                p -= args.lr * v
        if step % 200 == 0:
            print(f"{step:5d}: {loss.item():.4f}")

    print(f"train {mean_nll(params, x_train, y_train):.4f}  test {mean_nll(params, x_test, y_test):.4f}")
    print(" ".join(sample(params, args, g) for _ in range(6)))


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--context", type=int, default=3)
    ap.add_argument("--dim", type=int, default=8)
    ap.add_argument("--hidden", type=int, default=64)
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--steps", type=int, default=1000)
    ap.add_argument("--lr", type=float, default=0.02)
    ap.add_argument("--momentum", type=float, default=0.9)
    ap.add_argument("--clip", type=float, default=2.0)
    ap.add_argument("--seed", type=int, default=2147)
    run(ap.parse_args())
