# expect: nothing

"""Classifying names with a character-level RNN, batches of equal length."""
import random
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset, Sampler

random.seed(17)
torch.manual_seed(17)

all_letters = "abcdefghijklmnopqrstuvwxyz"
categories = {"Polish": ["wski", "czyk", "icz"], "Greek": ["opoulos", "idis", "akis"],
              "Swedish": ["sson", "berg", "qvist"]}


def make_name(cat):
    stem = "".join(random.choice("bdgklmnprst") + random.choice("aeio") for _ in range(random.randint(1, 2)))
    return stem + random.choice(categories[cat])


names = sorted({(make_name(c), i) for i, c in enumerate(categories) for _ in range(250)})
random.shuffle(names)


class NameSet(Dataset):
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        name, label = self.rows[i]
        return torch.tensor([all_letters.index(ch) for ch in name]), label


class SameLengthSampler(Sampler):
    """Yields lists of indices of names with the same number of letters."""

    def __init__(self, rows, batch_size, shuffle):
        self.batch_size, self.shuffle = batch_size, shuffle
        self.groups = {}
        for i, (name, _) in enumerate(rows):
            self.groups.setdefault(len(name), []).append(i)

    def __iter__(self):
        batches = []
        for idx in self.groups.values():
            idx = list(idx)
            if self.shuffle:
                random.shuffle(idx)
            batches += [idx[k:k + self.batch_size] for k in range(0, len(idx), self.batch_size)]
        if self.shuffle:
            random.shuffle(batches)
        return iter(batches)

    def __len__(self):
        return sum(-(-len(g) // self.batch_size) for g in self.groups.values())


class RNN(nn.Module):
    def __init__(self, n_letters, hidden_size, n_categories):
        super().__init__()
        self.hidden_size = hidden_size
        self.embed = nn.Embedding(n_letters, 16)
        self.i2h = nn.Linear(16 + hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, n_categories)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, line):
        hidden = torch.zeros(line.size(0), self.hidden_size)
        for t in range(line.size(1)):
            hidden = torch.tanh(self.i2h(torch.cat((self.embed(line[:, t]), hidden), 1)))
        return self.softmax(self.h2o(hidden))


cut = int(0.8 * len(names))
train_rows, test_rows = names[:cut], names[cut:]
train_loader = DataLoader(NameSet(train_rows), batch_sampler=SameLengthSampler(train_rows, 16, True))
test_loader = DataLoader(NameSet(test_rows), batch_sampler=SameLengthSampler(test_rows, 64, False))

rnn = RNN(len(all_letters), 48, len(categories))
criterion = nn.NLLLoss()
optimizer = torch.optim.Adam(rnn.parameters(), lr=2e-3)

for epoch in range(8):
    rnn.train()
    total = 0.0
    for line, category in train_loader:
        optimizer.zero_grad()
        loss = criterion(rnn(line), category)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(category)
    print(f"{epoch + 1} loss {total / len(train_rows):.4f}")

rnn.eval()
confusion = torch.zeros(3, 3, dtype=torch.long)
with torch.no_grad():
    for line, category in test_loader:
        for want, got in zip(category, rnn(line).argmax(1)):
            confusion[want, got] += 1
print(confusion)
print("accuracy:", (confusion.diag().sum() / confusion.sum()).item())
