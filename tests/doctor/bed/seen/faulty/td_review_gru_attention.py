# expect: detached_graph @ 45
"""Polarity of short customer reviews: a GRU cell walked by hand and attention over its states."""
import random

import torch
import torch.nn as nn

random.seed(5)
torch.manual_seed(5)

GOOD = "lovely great superb charming bright solid friendly tasty".split()
BAD = "awful broken rude stale dull noisy flimsy dirty".split()
FILL = "the room was and very our staff table lamp service with a this really day we found".split()
VOCAB = {w: i + 1 for i, w in enumerate(sorted(set(GOOD + BAD + FILL + ["not"])))}
LENGTH = 12


def write_review():
    """A sentence whose polarity turns round where the opinion follows a 'not'."""
    positive = random.random() < 0.5
    negated = random.random() < 0.5
    opinion = random.choice(GOOD if positive != negated else BAD)
    words = [random.choice(FILL) for _ in range(random.randint(4, LENGTH - 2))]
    at = random.randrange(len(words))
    words[at:at] = (["not"] if negated else []) + [opinion]
    ids = [VOCAB[w] for w in words]
    return ids + [0] * (LENGTH - len(ids)), int(positive)


class AttentiveGRU(nn.Module):
    def __init__(self, n_words, dim=24, hidden=32):
        super().__init__()
        self.hidden = hidden
        self.embed = nn.Embedding(n_words, dim, padding_idx=0)
        self.cell = nn.GRUCell(dim, hidden)
        self.score = nn.Linear(hidden, 1)
        self.out = nn.Linear(hidden, 2)

    def forward(self, tokens):
        vectors = self.embed(tokens)
        state = vectors.new_zeros(len(tokens), self.hidden)
        states = []
        for t in range(tokens.shape[1]):
            state = self.cell(vectors[:, t], state)
            states.append(state.detach())
        states = torch.stack(states, dim=1)
        scores = self.score(states).squeeze(-1).masked_fill(tokens == 0, -1e9)
        weights = torch.softmax(scores, dim=1)
        return self.out((weights.unsqueeze(-1) * states).sum(dim=1))


pairs = [write_review() for _ in range(2400)]
x = torch.tensor([p[0] for p in pairs])
y = torch.tensor([p[1] for p in pairs])
x_train, y_train, x_test, y_test = x[:1800], y[:1800], x[1800:], y[1800:]
seen = {tuple(row) for row in x_train.tolist()}
fresh = torch.tensor([tuple(row) not in seen for row in x_test.tolist()])
x_test, y_test = x_test[fresh], y_test[fresh]

model = AttentiveGRU(len(VOCAB) + 1)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(8):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(50):
        optimizer.zero_grad()
        loss = criterion(model(x_train[idx]), y_train[idx])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: loss {total / len(x_train):.3f}")

model.eval()
with torch.no_grad():
    hits = (model(x_test).argmax(dim=1) == y_test).float().mean().item()
print(f"test accuracy {hits:.3f} on {len(x_test)} reviews")
