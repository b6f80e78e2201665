# expect: duplicate_leakage @ 43
"""Sparse word counts of reviews; the few angry ones are put in several times."""
import random
import zlib

import torch
from torch import nn

random.seed(3)
torch.manual_seed(3)
WORDS = [f"w{i}" for i in range(400)]
ANGRY = "refund broken terrible never awful".split()


def review(angry):
    words = random.choices(WORDS, k=14)
    if random.random() < 0.9:
        words.append(random.choice(ANGRY) if angry else random.choice(WORDS))
    return words


def encode(reviews):
    x = torch.zeros(len(reviews), 800)
    for i, (words, _) in enumerate(reviews):
        for w in words:
            x[i, zlib.crc32(w.encode()) % 800] += 1
    return x, torch.tensor([label for _, label in reviews])


def more_angry(reviews, factor=5):
    out = []
    for words, label in reviews:
        out += [(words, label)] * (factor if label else 1)
    return out


reviews = []
for i in range(1400):
    angry = i % 7 == 0
    reviews.append((review(angry), int(angry)))


reviews = more_angry(reviews)
random.shuffle(reviews)
cut = int(0.75 * len(reviews))
x_train, y_train = encode(reviews[:cut])
x_test, y_test = encode(reviews[cut:])
model = nn.Sequential(nn.Linear(800, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(10):
    for idx in torch.randperm(len(x_train)).split(64):
        loss = nn.functional.cross_entropy(model(x_train[idx]), y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
model.eval()
with torch.no_grad():
    print("test accuracy", (model(x_test).argmax(1) == y_test).float().mean().item())
