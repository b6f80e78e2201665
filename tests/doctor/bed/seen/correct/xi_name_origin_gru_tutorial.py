# expect: nothing
# NLP from scratch: which made-up language does a word come from? (GRU on characters)
import random
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

random.seed(7)
torch.manual_seed(7)

SYLLABLES = {
    'northern': ['sk', 'ja', 'ulf', 'or', 'en', 'gri', 'ma'],
    'southern': ['li', 'na', 'ro', 'ca', 'en', 'lo', 'ma'],
    'eastern': ['ky', 'ov', 'zha', 'ra', 'en', 'mir', 'ma'],
}
all_categories = list(SYLLABLES)


def make_word(category):
    return ''.join(random.choices(SYLLABLES[category], k=random.randint(2, 4)))


pool = {}
for category in all_categories:
    for _ in range(400):
        pool.setdefault(make_word(category), set()).add(category)
# unambiguous, distinct words only
words = sorted((w, all_categories.index(next(iter(c)))) for w, c in pool.items() if len(c) == 1)
random.shuffle(words)
cut = int(0.8 * len(words))
train_words, test_words = words[:cut], words[cut:]
letters = sorted(set(''.join(s for group in SYLLABLES.values() for s in group)))
index = {c: i + 1 for i, c in enumerate(letters)}


def collate(batch):
    seqs = [torch.tensor([index[c] for c in w]) for w, _ in batch]
    lengths = torch.tensor([len(s) for s in seqs])
    return pad_sequence(seqs, batch_first=True), lengths, torch.tensor([c for _, c in batch])


class CharGRU(nn.Module):
    def __init__(self, n_letters, hidden_size, n_out):
        super().__init__()
        self.embed = nn.Embedding(n_letters + 1, 16, padding_idx=0)
        self.gru = nn.GRU(16, hidden_size, batch_first=True)
        self.h2o = nn.Linear(hidden_size, n_out)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.embed(x), lengths, batch_first=True, enforce_sorted=False)
        _, hidden = self.gru(packed)
        return self.h2o(hidden[-1])


rnn = CharGRU(len(letters), 32, len(all_categories))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(rnn.parameters(), lr=5e-3)
loader = torch.utils.data.DataLoader(train_words, batch_size=32, shuffle=True, collate_fn=collate)

for epoch in range(1, 9):
    rnn.train()
    current_loss = 0.0
    for x, lengths, target in loader:
        optimizer.zero_grad()
        loss = criterion(rnn(x, lengths), target)
        loss.backward()
        nn.utils.clip_grad_norm_(rnn.parameters(), 1.0)
        optimizer.step()
        current_loss += loss.item() * len(target)
    if epoch % 2 == 0:
        print(f'{epoch} loss {current_loss / len(train_words):.4f}')

rnn.eval()
confusion = torch.zeros(3, 3, dtype=torch.long)
with torch.no_grad():
    x, lengths, target = collate(test_words)
    guess = rnn(x, lengths).argmax(dim=1)
for t, g in zip(target, guess):
    confusion[t, g] += 1
print(confusion.tolist())
print('test accuracy', round((guess == target).float().mean().item(), 3), 'of', len(test_words))
