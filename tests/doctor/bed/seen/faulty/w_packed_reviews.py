# expect: label_misaligned @ 56
# allowed: label_misaligned @ 57
"""Made-up film reviews of uneven length: embedding, packed bidirectional GRU, good or bad."""
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

GOOD = "great moving funny warm brilliant fresh clever superb".split()
BAD = "dull weak tired awful flat clumsy boring stale".split()
PLAIN = "the film plot a actor scene and it music was in story with camera ending very".split()
NEGATE = "not"


def write_reviews(n, seed):
    rng = np.random.default_rng(seed)
    reviews = []
    for _ in range(n):
        label = int(rng.integers(2))
        phrases = [[str(w)] for w in rng.choice(PLAIN, size=rng.integers(4, 18))]
        for _ in range(rng.integers(1, 4)):
            flip = rng.random() < 0.3
            word = str(rng.choice(GOOD if (label == 1) != flip else BAD))
            phrases.insert(int(rng.integers(len(phrases) + 1)), [NEGATE, word] if flip else [word])
        words = [w for phrase in phrases for w in phrase]
        reviews.append((words, label))
    return reviews


class Vocabulary:
    def __init__(self, reviews):
        words = sorted({w for text, _ in reviews for w in text})
        self.index = {w: i + 2 for i, w in enumerate(words)}

    def __len__(self):
        return len(self.index) + 2

    def encode(self, text):
        return torch.tensor([self.index.get(w, 1) for w in text])


class Reviews(Dataset):
    def __init__(self, reviews, vocab):
        self.items = [(vocab.encode(text), label) for text, label in reviews]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def collate(items):
    """Longest first, as packing wants it."""
    labels = torch.tensor([label for _, label in items])
    ids = sorted((seq for seq, _ in items), key=len, reverse=True)
    lengths = torch.tensor([len(seq) for seq in ids])
    return pad_sequence(ids, batch_first=True), lengths, labels


class Reader(nn.Module):
    def __init__(self, n_words, emb=24, hidden=24):
        super().__init__()
        self.emb = nn.Embedding(n_words, emb, padding_idx=0)
        self.gru = nn.GRU(emb, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, 2)

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.emb(ids), lengths, batch_first=True)
        _, h = self.gru(packed)
        return self.out(torch.cat([h[0], h[1]], dim=1))


def main():
    torch.manual_seed(19)
    train_reviews, test_reviews = write_reviews(1000, 1), write_reviews(400, 2)
    vocab = Vocabulary(train_reviews)
    train = DataLoader(Reviews(train_reviews, vocab), batch_size=32, shuffle=True, collate_fn=collate)
    test = DataLoader(Reviews(test_reviews, vocab), batch_size=128, collate_fn=collate)
    model = Reader(len(vocab))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(1, 7):
        model.train()
        total = 0.0
        for ids, lengths, labels in train:
            loss = criterion(model(ids, lengths), labels)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item() * len(labels)
        if epoch % 2 == 0:
            print(f"epoch {epoch}  loss {total / len(train_reviews):.4f}")
    model.eval()
    with torch.no_grad():
        hits = sum((model(ids, n).argmax(1) == y).sum().item() for ids, n, y in test)
    print(f"test accuracy {hits / len(test_reviews):.3f}")


if __name__ == "__main__":
    main()
