# expect: nothing
"""Which support tickets are urgent? One ticket in eight is, so the urgent ones are repeated.

Made-up tickets, counts of word pairs hashed into buckets, a linear layer with dropout in front.
Reports recall and precision of the urgent class on held-out tickets.
"""
import random
import zlib

import torch
from torch import nn
import torch.nn.functional as F

random.seed(8)
torch.manual_seed(8)

NOUNS = "invoice login server printer order account report backup mail router screen password".split()
VERBS = "shows needs lost keeps changed opened moved printed sent missed returned checked".split()
FILL = "since monday the on in our office again please team for a new with after update today".split()
URGENT = "down outage immediately breach customers stopped".split()
CALM = "whenever question wondering minor later someday".split()
BUCKETS = 1024


def write_ticket(urgent):
    words = [random.choice(NOUNS), random.choice(VERBS)]
    words += random.choices(FILL + NOUNS + VERBS, k=random.randint(8, 14))
    for _ in range(3):
        hint = random.choice(URGENT if (random.random() < 0.88) == urgent else CALM)
        words.insert(random.randrange(len(words)), hint)
    return " ".join(words)


def featurise(text):
    words, row = text.split(), torch.zeros(BUCKETS)
    for token in words + [a + "_" + b for a, b in zip(words, words[1:])]:
        row[zlib.crc32(token.encode()) % BUCKETS] += 1
    return row / len(words) ** 0.5


def oversample(tickets, times):
    """Every urgent ticket `times` times, the others once."""
    return [t for t in tickets for _ in range(times if t[1] else 1)]


def split(tickets, test_share=0.3):
    tickets = tickets[:]
    random.shuffle(tickets)
    cut = int(len(tickets) * (1 - test_share))
    return tickets[:cut], tickets[cut:]


def to_tensors(tickets):
    return (torch.stack([featurise(text) for text, _ in tickets]),
            torch.tensor([float(label) for _, label in tickets]))


tickets = [(write_ticket(i % 8 == 0), int(i % 8 == 0)) for i in range(1600)]
train_tickets, test_tickets = split(tickets)
train_tickets = oversample(train_tickets, times=6)
x_train, y_train = to_tensors(train_tickets)
x_test, y_test = to_tensors(test_tickets)
print(f"{len(y_train)} training rows ({int(y_train.sum())} urgent), {len(y_test)} test rows")

model = nn.Sequential(nn.Dropout(0.2), nn.Linear(BUCKETS, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

for epoch in range(1, 9):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(64):
        loss = F.binary_cross_entropy_with_logits(model(x_train[idx]).squeeze(1), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    if epoch % 4 == 0:
        print(f"epoch {epoch:2d}: training loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    flagged = model(x_test).squeeze(1) > 0
hit = (flagged & (y_test == 1)).sum().item()
recall, precision = hit / y_test.sum().item(), hit / max(1, flagged.sum().item())
print(f"urgent tickets: recall {recall:.3f}, precision {precision:.3f}, "
      f"F1 {2 * recall * precision / max(1e-9, recall + precision):.3f}")
