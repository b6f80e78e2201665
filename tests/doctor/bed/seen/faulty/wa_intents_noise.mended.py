# expect: nothing
# Intent detection for short commands. Training uses token noise (drop / swap / typo) to be robust to bad ASR output.
import random
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

PAD, UNK = 0, 1


class CommandMaker:
    """Template commands for four intents; the same words occur in several intents, so their order matters."""
    PLACES = ["kitchen", "bedroom", "hall", "garage", "attic", "porch"]
    THINGS = ["lamp", "fan", "radio", "heater", "door", "blind", "pump", "screen"]
    TIMES = [f"{h} {ap}" for h in "one two three four five six seven eight".split() for ap in ("am", "pm")]
    FORMS = [
        "turn {t} in {p} on at {h}", "turn {t} in {p} off at {h}",
        "tell me if {t} in {p} was on at {h}", "tell me if {t} in {p} was off at {h}",
    ]

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def make(self, n):
        made = {}
        while len(made) < n:
            k = self.rng.randrange(len(self.FORMS))
            text = self.FORMS[k].format(t=self.rng.choice(self.THINGS), p=self.rng.choice(self.PLACES),
                                        h=self.rng.choice(self.TIMES))
            made[text] = k
        items = sorted(made.items())
        self.rng.shuffle(items)
        return items


class Noise:
    def __init__(self, p, seed):
        self.p, self.rng = p, random.Random(seed)

    def __call__(self, words):
        words = [w for w in words if self.rng.random() > self.p] or words[:1]
        if self.rng.random() < self.p and len(words) > 2:
            i = self.rng.randrange(len(words) - 1)
            words[i], words[i + 1] = words[i + 1], words[i]
        return ["<typo>" if self.rng.random() < self.p / 2 else w for w in words]


class Commands(Dataset):
    def __init__(self, items, vocab, noise=None):
        self.items, self.vocab, self.noise = items, vocab, noise

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        text, intent = self.items[i]
        words = text.split()
        if self.noise is not None:
            words = self.noise(words)
        return torch.tensor([self.vocab.get(w, UNK) for w in words]), intent


def pad_batch(samples):
    seqs, intents = zip(*samples)
    return nn.utils.rnn.pad_sequence(seqs, batch_first=True, padding_value=PAD), torch.tensor(intents)


def make_loaders(items, batch_size=32):
    cut = int(0.75 * len(items))
    train_items, test_items = items[:cut], items[cut:]
    words = sorted({w for text, _ in train_items for w in text.split()})
    vocab = {w: i + 2 for i, w in enumerate(words)}
    common = dict(vocab=vocab, noise=Noise(0.15, seed=4))
    train = DataLoader(Commands(train_items, **common), batch_size, shuffle=True, collate_fn=pad_batch)
    test = DataLoader(Commands(test_items, vocab), batch_size, collate_fn=pad_batch)
    return train, test, len(vocab) + 2


class IntentNet(nn.Module):
    def __init__(self, n_tokens, dim=32, hidden=48, n_intents=4):
        super().__init__()
        self.embed = nn.Embedding(n_tokens, dim, padding_idx=PAD)
        self.rnn = nn.GRU(dim, hidden, batch_first=True)
        self.head = nn.Linear(hidden, n_intents)

    def forward(self, ids):
        h, _ = self.rnn(self.embed(ids))
        h = h.masked_fill(ids.eq(PAD).unsqueeze(-1), float("-inf"))
        return self.head(h.amax(dim=1))


def train_one_epoch(net, loader, opt, loss_fn):
    net.train()
    running = 0.0
    for ids, intent in loader:
        opt.zero_grad()
        loss = loss_fn(net(ids), intent)
        loss.backward()
        opt.step()
        running += loss.item() * len(intent)
    return running / len(loader.dataset)


@torch.no_grad()
def test_accuracy(net, loader):
    net.eval()
    good = sum((net(ids).argmax(-1) == intent).sum().item() for ids, intent in loader)
    return good / len(loader.dataset)


torch.manual_seed(2)
train_loader, test_loader, n_tokens = make_loaders(CommandMaker(seed=2).make(1200))
net = IntentNet(n_tokens)
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(1, 9):
    print(f"epoch {epoch} loss {train_one_epoch(net, train_loader, opt, loss_fn):.4f}")
print(f"test accuracy {test_accuracy(net, test_loader):.3f}")
