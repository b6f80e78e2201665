# expect: duplicate_leakage @ 22
"""Spam or not in made-up subject lines; the rare class is drawn again and again with random.choices."""
import random

import torch
from torch import nn

random.seed(4)
torch.manual_seed(4)
NOUNS = [a + b for a in ("mar", "ten", "lor", "vas", "kip", "dun", "sel") for b in ("do", "ny", "tak", "ris", "mel", "ga")]


def subject(spam):
    words = random.choices(NOUNS, k=7)
    for i in random.sample(range(7), 2):
        words[i] = random.choice(["win", "free", "cash"] if spam == (random.random() < 0.85) else ["agenda", "notes", "budget"])
    return " ".join(words)


ham = [(subject(False), 0) for _ in range(600)]
spam = [(subject(True), 1) for _ in range(90)]
spam = spam + random.choices(spam, k=len(ham) - len(spam))
rows = ham + spam
random.shuffle(rows)
cut = int(0.7 * len(rows))
train, test = rows[:cut], rows[cut:]
vocab = {w: i for i, w in enumerate(sorted({w for text, _ in train for w in text.split()}), start=1)}


def tensors(part):
    ids = torch.tensor([[vocab.get(w, 0) for w in text.split()] for text, _ in part])
    return ids, torch.tensor([label for _, label in part])


x_train, y_train = tensors(train)
x_test, y_test = tensors(test)
model = nn.Sequential(nn.EmbeddingBag(len(vocab) + 1, 24), nn.ReLU(), nn.Linear(24, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(8):
    for idx in torch.randperm(len(x_train)).split(32):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x_train[idx]), y_train[idx]).backward()
        optimizer.step()
model.eval()
with torch.no_grad():
    right = (model(x_test).argmax(1) == y_test).float()
print(f"spam found {right[y_test == 1].mean():.3f}, ham kept {right[y_test == 0].mean():.3f}")
