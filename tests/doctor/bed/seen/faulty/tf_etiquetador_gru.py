# expect: metric_wrong_axis @ 46
"""Aula pratica: a bidirectional GRU tags each of the six words of a toy sentence with one of six word classes."""
import numpy as np
import torch
from torch import nn

TAGS = ["DET", "NOUN", "ADJ", "VERB", "ADV", "PREP"]
GRAMMAR = [["DET", "NOUN", "VERB", "PREP", "DET", "NOUN"],
           ["DET", "ADJ", "NOUN", "VERB", "ADV", "ADV"],
           ["NOUN", "VERB", "DET", "ADJ", "ADJ", "NOUN"],
           ["ADV", "DET", "NOUN", "VERB", "PREP", "NOUN"]]
WORDS_PER_TAG = 12
VOCAB = WORDS_PER_TAG * len(TAGS)


def make_corpus(n, rng):
    sentences, labels = [], []
    for _ in range(n):
        tags = [TAGS.index(t) for t in GRAMMAR[rng.integers(len(GRAMMAR))]]
        words = []
        for t in tags:
            # one word in seven is a homonym and belongs to the next tag's list too
            shift = 1 if rng.random() < 0.15 else 0
            words.append(((t + shift) % len(TAGS)) * WORDS_PER_TAG + rng.integers(WORDS_PER_TAG))
        sentences.append(words)
        labels.append(tags)
    return torch.tensor(np.array(sentences)), torch.tensor(labels)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, 16)
        self.rnn = nn.GRU(16, 24, batch_first=True, bidirectional=True)
        self.head = nn.Linear(48, len(TAGS))

    def forward(self, ids):
        states, _ = self.rnn(self.emb(ids))
        return self.head(states)          # (batch, words, tags)


def token_accuracy(model, ids, tags):
    model.eval()
    with torch.no_grad():
        scores = model(ids)
        predicted = scores.argmax(dim=1)
    return (predicted == tags).float().mean().item()


rng = np.random.default_rng(11)
torch.manual_seed(11)
train_ids, train_tags = make_corpus(1200, rng)
test_ids, test_tags = make_corpus(300, rng)

model = Tagger()
optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(6):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(train_ids)).split(50):
        scores = model(train_ids[rows]).permute(0, 2, 1)     # CrossEntropyLoss wants the classes second
        loss = loss_fn(scores, train_tags[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    print(f"epoch {epoch}: loss {total / len(train_ids):.4f}")
print(f"tokens tagged rightly (test): {token_accuracy(model, test_ids, test_tags):.3f}")
