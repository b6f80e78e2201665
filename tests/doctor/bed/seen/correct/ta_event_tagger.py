# expect: nothing
"""Tags every step of sensor sequences of unequal length: padding, packing, labels -100 where there is nothing to score."""
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader

TAGS = ["idle", "rising", "falling"]


def make_sequence(g):
    """A random walk between plateaus; the first two steps carry no label (the sensor warms up)."""
    pieces, tags, level = [], [], 0.0
    for _ in range(int(torch.randint(3, 7, (), generator=g))):
        tag = int(torch.randint(0, 3, (), generator=g))
        length = int(torch.randint(4, 9, (), generator=g))
        slope = (0.0, 0.3, -0.3)[tag]
        steps = level + slope * torch.arange(1, length + 1)
        level = steps[-1].item()
        pieces.append(steps)
        tags += [tag] * length
    values = torch.cat(pieces)
    values = values + 0.1 * torch.randn(len(values), generator=g)
    labels = torch.tensor(tags)
    labels[:2] = -100
    return values, labels


def collate(batch):
    batch = sorted(batch, key=lambda pair: len(pair[0]), reverse=True)
    lengths = torch.tensor([len(values) for values, _ in batch])
    values = pad_sequence([v for v, _ in batch], batch_first=True)
    labels = pad_sequence([t for _, t in batch], batch_first=True, padding_value=-100)
    return values, lengths, labels


class Tagger(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = nn.GRU(2, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Sequential(nn.Dropout(0.1), nn.Linear(2 * hidden, len(TAGS)))

    def forward(self, values, lengths):
        change = torch.diff(values, dim=1, prepend=values[:, :1])
        packed = pack_padded_sequence(torch.stack([values / 3, change / 0.3], dim=-1), lengths, batch_first=True)
        states, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        return self.out(states)


def evaluate(model, loader):
    model.eval()
    table = torch.zeros(len(TAGS), len(TAGS), dtype=torch.long)
    with torch.no_grad():
        for values, lengths, labels in loader:
            guess = model(values, lengths).argmax(dim=-1)
            scored = labels != -100
            pairs = labels[scored] * len(TAGS) + guess[scored]
            table += torch.bincount(pairs, minlength=len(TAGS) ** 2).view(len(TAGS), -1)
    return table


def main():
    torch.manual_seed(70)
    g = torch.Generator().manual_seed(700)
    sequences = [make_sequence(g) for _ in range(700)]
    train_loader = DataLoader(sequences[:550], batch_size=25, shuffle=True, collate_fn=collate)
    test_loader = DataLoader(sequences[550:], batch_size=75, collate_fn=collate)
    model = Tagger()
    optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)
    criterion = nn.CrossEntropyLoss(ignore_index=-100)
    for epoch in range(7):
        model.train()
        total = 0.0
        for values, lengths, labels in train_loader:
            optimizer.zero_grad()
            logits = model(values, lengths)
            loss = criterion(logits.transpose(1, 2), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / len(train_loader):.3f}")
    table = evaluate(model, test_loader)
    for name, row in zip(TAGS, table):
        print(f"{name:8s} {row.tolist()}")
    print(f"step accuracy {table.diag().sum().item() / table.sum().item():.3f}")


if __name__ == "__main__":
    main()
