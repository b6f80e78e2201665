# expect: nothing
"""Tags every token of sentences of unequal length with a bidirectional LSTM; padding carries the label that the loss leaves out."""
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader

WORDS = {
    "DET": ["the", "a", "every"],
    "ADJ": ["old", "green", "tired", "light"],
    "NOUN": ["cook", "light", "ship", "play", "dog"],
    "VERB": ["cook", "sees", "play", "ship", "likes"],
}
TAGS = {t: i for i, t in enumerate(WORDS)}
VOCAB = {w: i + 1 for i, w in enumerate(sorted({w for ws in WORDS.values() for w in ws}))}
PAD, IGNORE = 0, -100


def sentence(rnd):
    def noun_phrase():
        return ["DET"] + ["ADJ"] * rnd.choice([0, 0, 1, 2]) + ["NOUN"]

    tags = noun_phrase() + ["VERB"] + (noun_phrase() if rnd.random() < 0.7 else [])
    words = [rnd.choice(WORDS[t]) for t in tags]
    return torch.tensor([VOCAB[w] for w in words]), torch.tensor([TAGS[t] for t in tags])


def collate(batch):
    words, tags = zip(*batch)
    lengths = torch.tensor([len(w) for w in words])
    return (
        pad_sequence(words, batch_first=True, padding_value=PAD),
        lengths,
        pad_sequence(tags, batch_first=True, padding_value=IGNORE),
    )


class Tagger(nn.Module):
    def __init__(self, dim=16, hidden=24):
        super().__init__()
        self.emb = nn.Embedding(len(VOCAB) + 1, dim, padding_idx=PAD)
        self.drop = nn.Dropout(0.1)
        self.lstm = nn.LSTM(dim, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, len(TAGS))

    def forward(self, words, lengths):
        packed = pack_padded_sequence(self.drop(self.emb(words)), lengths, batch_first=True, enforce_sorted=False)
        states, _ = self.lstm(packed)
        states, _ = pad_packed_sequence(states, batch_first=True)
        return self.out(states)


def evaluate(model, loader):
    model.eval()
    right = count = 0
    with torch.no_grad():
        for words, lengths, tags in loader:
            guess = model(words, lengths).argmax(dim=-1)
            real = tags != IGNORE
            right += (guess[real] == tags[real]).sum().item()
            count += real.sum().item()
    return right / count


def main():
    rnd = random.Random(52)
    torch.manual_seed(52)
    seen, train, test = set(), [], []
    while len(train) < 500 or len(test) < 150:
        item = sentence(rnd)
        key = tuple(item[0].tolist())
        if key not in seen:
            seen.add(key)
            (train if len(train) < 500 else test).append(item)
    train_loader = DataLoader(train, batch_size=25, shuffle=True, collate_fn=collate)
    test_loader = DataLoader(test, batch_size=75, collate_fn=collate)

    model = Tagger()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    loss_fn = nn.CrossEntropyLoss(ignore_index=IGNORE)
    for epoch in range(1, 7):
        model.train()
        total = 0.0
        for words, lengths, tags in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(words, lengths).transpose(1, 2), tags)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch} loss {total / len(train_loader):.4f}")
    print(f"token accuracy on unseen sentences {evaluate(model, test_loader):.3f}")


if __name__ == "__main__":
    main()
