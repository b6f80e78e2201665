# expect: nothing
"""Sentiment of made-up film reviews: embeddings, a bidirectional GRU and attention pooling over the words."""
import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

GOOD = "superb moving witty brilliant charming gripping tender dazzling".split()
BAD = "dull clumsy tedious bland noisy hollow wooden lazy".split()
FILL = ("the film a of and plot actor scene was with camera story music ending first half second it we saw "
        "in one some more then after while director script long short city night").split()
VOCAB = {w: i + 1 for i, w in enumerate(GOOD + BAD + FILL)}


def make_reviews(n, rng):
    texts, labels = [], []
    for _ in range(n):
        y = int(rng.integers(2))
        words = list(rng.choice(FILL, size=rng.integers(12, 28)))
        main, other = (GOOD, BAD) if y else (BAD, GOOD)
        strong = rng.integers(2, 4)
        cues = list(rng.choice(main, size=strong)) + list(rng.choice(other, size=strong - 1))
        for cue in cues:
            words.insert(int(rng.integers(len(words) + 1)), cue)
        texts.append(words)
        labels.append(y)
    return texts, labels


class Reviews(Dataset):
    def __init__(self, texts, labels):
        self.items = [(torch.tensor([VOCAB[w] for w in t]), y) for t, y in zip(texts, labels)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def collate(batch):
    seqs, labels = zip(*batch)
    return pad_sequence(seqs, batch_first=True), torch.tensor(labels)


class AttentiveReader(nn.Module):
    def __init__(self, vocab, dim=24, hidden=16):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim, padding_idx=0)
        self.gru = nn.GRU(dim, hidden, batch_first=True, bidirectional=True)
        self.score = nn.Sequential(nn.Linear(2 * hidden, 24), nn.Tanh(), nn.Linear(24, 1))
        self.classify = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * hidden, 2))

    def pool(self, states, mask):
        scores = self.score(states).squeeze(-1).masked_fill(~mask, -1e4)
        weights = scores.softmax(dim=1)
        return torch.einsum("bt,btd->bd", weights, states)

    def forward(self, tokens):
        mask = tokens != 0
        states, _ = self.gru(self.embed(tokens))
        return self.classify(self.pool(states, mask))


def run_epoch(model, loader, loss_fn, optimizer=None):
    training = optimizer is not None
    model.train(training)
    total, right, count = 0.0, 0, 0
    with torch.set_grad_enabled(training):
        for tokens, y in loader:
            logits = model(tokens)
            loss = loss_fn(logits, y)
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(y)
            right += (logits.argmax(dim=1) == y).sum().item()
            count += len(y)
    return total / count, right / count


if __name__ == "__main__":
    torch.manual_seed(21)
    rng = np.random.default_rng(21)
    train_loader = DataLoader(Reviews(*make_reviews(700, rng)), batch_size=32, shuffle=True, collate_fn=collate)
    test_loader = DataLoader(Reviews(*make_reviews(300, rng)), batch_size=50, collate_fn=collate)
    model = AttentiveReader(len(VOCAB) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(6):
        loss, acc = run_epoch(model, train_loader, loss_fn, optimizer)
        print(f"epoch {epoch}  loss {loss:.4f}  train acc {acc:.3f}")
    loss, acc = run_epoch(model, test_loader, loss_fn)
    print(f"test loss {loss:.4f}  test acc {acc:.3f}")
