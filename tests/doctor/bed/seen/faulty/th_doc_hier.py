# expect: detached_graph @ 55
"""Hierarchical document classifier: a GRU reads words into sentence vectors, a second GRU reads the sentences."""
import random

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

VOCAB, N_CLASS = 120, 4


class Reports(Dataset):
    """Documents of 3 to 5 sentences; the topic shows in a few word pairs."""

    def __init__(self, n, seed):
        rnd = random.Random(seed)
        self.docs = []
        for _ in range(n):
            label = rnd.randrange(N_CLASS)
            doc = []
            for _ in range(rnd.randint(3, 5)):
                words = [w for w in (rnd.randrange(1, VOCAB) for _ in range(rnd.randint(7, 11))) if (w - 1) % 30 >= 8] or [29]
                if rnd.random() < 0.6:
                    words[rnd.randrange(len(words))] = 1 + label * 30 + rnd.randrange(8)
                doc.append(torch.tensor(words))
            self.docs.append((doc, label))

    def __len__(self):
        return len(self.docs)

    def __getitem__(self, i):
        return self.docs[i]


def collate(items):
    return [d for d, _ in items], torch.tensor([l for _, l in items])


class HierNet(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, dim, padding_idx=0)
        self.word_fc = nn.Linear(dim, dim)
        self.sent_rnn = nn.GRU(dim, dim, batch_first=True)
        self.out = nn.Linear(dim, N_CLASS)

    def encode_sentences(self, doc):
        padded = pad_sequence(doc, batch_first=True)
        h = torch.tanh(self.word_fc(self.emb(padded)))
        h = h.masked_fill((padded == 0).unsqueeze(-1), -1.0)
        return h.max(dim=1).values

    def forward(self, docs):
        sents = [self.encode_sentences(d).data for d in docs]
        lengths = torch.tensor([len(s) for s in sents])
        packed = nn.utils.rnn.pack_padded_sequence(
            pad_sequence(sents, batch_first=True), lengths, batch_first=True, enforce_sorted=False)
        _, h = self.sent_rnn(packed)
        return self.out(h[-1])


def run():
    torch.manual_seed(7)
    train_dl = DataLoader(Reports(900, 1), batch_size=32, shuffle=True, collate_fn=collate)
    test_dl = DataLoader(Reports(300, 2), batch_size=64, collate_fn=collate)
    net = HierNet()
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    ce = nn.CrossEntropyLoss()
    for epoch in range(8):
        net.train()
        running = 0.0
        for docs, labels in train_dl:
            opt.zero_grad()
            loss = ce(net(docs), labels)
            loss.backward()
            opt.step()
            running += loss.item()
        print(f"epoch {epoch + 1} loss {running / len(train_dl):.3f}")
    net.eval()
    hits = 0
    with torch.no_grad():
        for docs, labels in test_dl:
            hits += (net(docs).argmax(-1) == labels).sum().item()
    print(f"test accuracy {hits / 300:.3f}")


run()
