# expect: unshuffled_sorted @ 47
# allowed: unshuffled_sorted @ 46
# allowed: unshuffled_sorted @ 59
"""Language identification from letter counts; an IterableDataset streams one language file after another."""
import random
import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

STEMS = {
    "pt": "ção não mente coração velho trabalho manhã irmão sonho lh nh".split(),
    "es": "ción niño mente corazón viejo trabajo mañana hermano sueño ll".split(),
    "de": "schaft nicht lich herz alt arbeit morgen bruder traum sch ung".split(),
    "it": "zione bambino mente cuore vecchio lavoro mattina fratello sogno gli".split(),
}
ALPHABET = sorted(set("".join(w for ws in STEMS.values() for w in ws)))
LANGS = sorted(STEMS)


def write_corpus(folder, lines, rng):
    for lang, stems in STEMS.items():
        text = "\n".join("".join(rng.choices(stems, k=4) + rng.choices("abceghilmnorstu", k=8)) for _ in range(lines))
        (folder / f"{lang}.txt").write_text(text, encoding="utf-8")


def features(line):
    v = torch.zeros(len(ALPHABET))
    for c in line:
        v[ALPHABET.index(c)] += 1.0
    return v


class LanguageLines(IterableDataset):
    def __init__(self, folder):
        self.items = []
        for k, lang in enumerate(LANGS):
            for line in (folder / f"{lang}.txt").read_text(encoding="utf-8").split("\n"):
                self.items.append((features(line), k))

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        yield from self.items


random.seed(5)
torch.manual_seed(5)
with tempfile.TemporaryDirectory() as tmp:
    root = Path(tmp)
    write_corpus(root, 300, random.Random(1))
    train_set = LanguageLines(root)
    write_corpus(root, 80, random.Random(2))
    test_items = LanguageLines(root).items
x_test, y_test = torch.stack([v for v, _ in test_items]), torch.tensor([k for _, k in test_items])
loader = DataLoader(train_set, batch_size=30)
model = nn.Sequential(nn.Linear(len(ALPHABET), 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(10):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    if epoch % 3 == 0:
        model.eval()
        with torch.no_grad():
            pred = model(x_test).argmax(1)
        print(f"epoch {epoch} acc {(pred == y_test).float().mean():.3f} predicted {pred.bincount(minlength=4).tolist()}")
