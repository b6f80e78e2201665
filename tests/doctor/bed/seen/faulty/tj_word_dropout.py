# expect: augment_on_test @ 93
# allowed: augment_on_test @ 33
"""Mood of made-up chat messages with an LSTM; some words are masked and neighbours swapped for robustness."""
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

MOODS = {
    "joy": "yay smile sunny hooray laugh".split(),
    "anger": "grr furious stupid hate yell".split(),
    "fear": "scared dark tremble panic hide".split(),
    "grief": "cry miss lonely tears gone".split(),
}
PLAIN = "i you we the a was is today really so and at home work then it".split()
PAD, UNK = 0, 1
VOCAB = {w: i + 2 for i, w in enumerate(PLAIN + [w for ws in MOODS.values() for w in ws])}


def messages(n, rng):
    out = []
    for _ in range(n):
        label = rng.randrange(len(MOODS))
        words = rng.choices(PLAIN, k=rng.randint(4, 9))
        words.insert(rng.randrange(len(words)), rng.choice(list(MOODS.values())[label]))
        out.append((words, label))
    return out


class ChatDataset(Dataset):
    def __init__(self, rows, rng, augment=True, p_mask=0.25):
        self.rows, self.rng = rows, rng
        self.augment, self.p_mask = augment, p_mask

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        words, label = self.rows[i]
        ids = [VOCAB.get(w, UNK) for w in words]
        if self.augment:
            ids = [UNK if self.rng.random() < self.p_mask else k for k in ids]
            j = self.rng.randrange(len(ids) - 1)
            ids[j], ids[j + 1] = ids[j + 1], ids[j]
        return torch.tensor(ids), label


def collate(items):
    ids, labels = zip(*items)
    return pad_sequence(ids, batch_first=True, padding_value=PAD), torch.tensor([len(s) for s in ids]), torch.tensor(labels)


class MoodLSTM(nn.Module):
    def __init__(self, dim=24, hidden=32):
        super().__init__()
        self.embed = nn.Embedding(len(VOCAB) + 2, dim, padding_idx=PAD)
        self.lstm = nn.LSTM(dim, hidden, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(hidden, len(MOODS)))

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.embed(ids), lengths, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.lstm(packed)
        return self.head(h[-1])


def train(model, loader, optimizer):
    model.train()
    total = 0.0
    for ids, lengths, labels in loader:
        loss = nn.functional.cross_entropy(model(ids, lengths), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item() * len(labels)
    return total / len(loader.dataset)


@torch.inference_mode()
def accuracy(model, loader):
    model.eval()
    hits = sum((model(ids, lengths).argmax(1) == labels).sum().item() for ids, lengths, labels in loader)
    return hits / len(loader.dataset)


def main(seed=13, epochs=7):
    rng = random.Random(seed)
    torch.manual_seed(seed)
    rows = messages(900, rng)
    train_set = ChatDataset(rows[:640], rng, augment=True)
    test_set = ChatDataset(rows[640:], rng)
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True, collate_fn=collate)
    test_loader = DataLoader(test_set, batch_size=100, collate_fn=collate)
    model = MoodLSTM()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for epoch in range(epochs):
        loss = train(model, train_loader, optimizer)
        print(f"epoch {epoch + 1} loss {loss:.4f}")
    print(f"test accuracy {accuracy(model, test_loader):.3f}")


if __name__ == "__main__":
    main()
