# expect: nothing
"""Short commands to a lamp from a few patterns, bag of words; equal sentences come by chance."""
import random
import zlib

import torch
from torch import nn

random.seed(3)
torch.manual_seed(3)
ROOMS = "kitchen hall bedroom bath garage garden cellar attic".split()
ACTS = {0: "turn on,switch on,light up".split(","), 1: "turn off,switch off,shut down".split(","), 2: "dim,lower,soften".split(",")}
intents = [c for c in range(3) for _ in range(300)]


def sentence(intent):
    room = random.choice(ROOMS)
    return f"{random.choice(['', 'please ', 'now '])}{random.choice(ACTS[intent])} the {random.choice(['lamp', 'light', 'lights'])} in the {room} {random.choice(['', 'a bit', 'again', 'quickly'])}"


def encode(texts):
    x = torch.zeros(len(texts), 512)
    for i, text in enumerate(texts):
        for w in text.split():
            x[i, zlib.crc32(w.encode()) % 512] += 1
    return x


texts = [sentence(c) for c in intents]
pairs = list(zip(texts, intents))
random.shuffle(pairs)
cut = int(0.75 * len(pairs))
train, test = pairs[:cut], pairs[cut:]
extra = [p for p in train if p[1] == 2 for _ in range(2)]
train = train + extra
x_train, y_train = encode([t for t, _ in train]), torch.tensor([c for _, c in train])
x_test, y_test = encode([t for t, _ in test]), torch.tensor([c for _, c in test])
model = nn.Sequential(nn.Linear(512, 16), nn.ReLU(), nn.Linear(16, 3))
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
