# expect: detached_graph @ 83
# allowed: detached_graph @ 88
"""Document topic from sentence vectors: word GRU -> sentence GRU -> label."""
import random

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

random.seed(11)
torch.manual_seed(11)

VERBS = ["buy", "sell", "hold", "ship", "store", "return"]
NOUNS = ["apples", "bolts", "chairs", "drums", "engines", "forks", "gloves", "hats"]
FILL = ["the", "a", "some", "many", "old", "new", "red", "blue", "cheap", "heavy"]
NEG = ["not", "never"]
VOCAB = {w: i + 1 for i, w in enumerate(VERBS + NOUNS + FILL + NEG)}


def make_sentence(negated):
    words = [random.choice(FILL) for _ in range(random.randint(2, 5))]
    words.insert(random.randint(0, len(words)), random.choice(VERBS))
    words.append(random.choice(NOUNS))
    if negated:
        words.insert(random.randint(0, len(words) - 1), random.choice(NEG))
    return [VOCAB[w] for w in words]


class Documents(Dataset):
    """A document is 3-5 sentences; label 1 when most of them are negated."""

    def __init__(self, n):
        self.items = []
        for k in range(n):
            label = k % 2
            size = random.choice([3, 5])
            need = size // 2 + 1
            n_neg = random.randint(need, size) if label else random.randint(0, need - 1)
            flags = [True] * n_neg + [False] * (size - n_neg)
            random.shuffle(flags)
            self.items.append(([make_sentence(f) for f in flags], label))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def collate(batch):
    sents = [torch.tensor(s) for doc, _ in batch for s in doc]
    lens = torch.tensor([len(s) for s in sents])
    padded = nn.utils.rnn.pad_sequence(sents, batch_first=True)
    sizes = [len(doc) for doc, _ in batch]
    return padded, lens, sizes, torch.tensor([y for _, y in batch])


class WordEncoder(nn.Module):
    def __init__(self, n_words, dim, hidden):
        super().__init__()
        self.emb = nn.Embedding(n_words, dim, padding_idx=0)
        self.gru = nn.GRU(dim, hidden, batch_first=True)

    def forward(self, x, lens):
        packed = nn.utils.rnn.pack_padded_sequence(
            self.emb(x), lens, batch_first=True, enforce_sorted=False)
        _, h = self.gru(packed)
        return h[-1]


class DocModel(nn.Module):
    def __init__(self, n_words, dim=8, hidden=12, n_out=2):
        super().__init__()
        self.words = WordEncoder(n_words, dim, hidden)
        self.sents = nn.GRU(hidden, hidden, batch_first=True)
        self.out = nn.Linear(hidden, n_out)

    def group(self, vecs, sizes):
        longest = max(sizes)
        table = vecs.new_zeros(len(sizes), longest, vecs.size(1))
        start = 0
        for row, n in enumerate(sizes):
            table[row, :n] = vecs.data[start:start + n]
            start += n
        return table

    def forward(self, x, lens, sizes):
        table = self.group(self.words(x, lens), sizes)
        packed = nn.utils.rnn.pack_padded_sequence(
            table, torch.tensor(sizes), batch_first=True, enforce_sorted=False)
        _, h = self.sents(packed)
        return self.out(h[-1])


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    hits = total = 0
    for x, lens, sizes, y in loader:
        hits += (model(x, lens, sizes).argmax(1) == y).sum().item()
        total += len(y)
    return hits / total


train_dl = DataLoader(Documents(800), batch_size=32, shuffle=True, collate_fn=collate)
test_dl = DataLoader(Documents(300), batch_size=100, collate_fn=collate)
model = DocModel(len(VOCAB) + 1)
opt = torch.optim.Adam(model.parameters(), lr=8e-3)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(8):
    model.train()
    running = 0.0
    for x, lens, sizes, y in train_dl:
        opt.zero_grad()
        loss = loss_fn(model(x, lens, sizes), y)
        loss.backward()
        opt.step()
        running += loss.item() * len(y)
    if epoch % 2 == 1:
        print(f"epoch {epoch + 1:2d}  train loss {running / len(train_dl.dataset):.4f}")
print(f"test accuracy {accuracy(model, test_dl):.3f}")
