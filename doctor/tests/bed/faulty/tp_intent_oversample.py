# missed: duplicate_leakage @ 59
# allowed: duplicate_leakage @ 60
# mend: 59 →
# mend: 60 + train_df = balance(train_df)
"""Urgent or routine? Short support messages as bags of embedded words, with the rare class resampled."""
import random

import pandas as pd
import torch
from sklearn.metrics import classification_report, f1_score
from sklearn.model_selection import train_test_split
from sklearn.utils import resample
from torch import nn

SEED = 21
random.seed(SEED)
torch.manual_seed(SEED)

COMMON = [f"{a}{b}" for a in "ba de ki lo mu ne po ra si tu".split() for b in "nt rk sh ld mp st ver lin dor gan".split()]
HINTS = {"urgent": "down outage broken stuck error".split(), "routine": "invoice thanks question update renew".split()}


def message(kind):
    words = random.choices(COMMON, k=8)
    for _ in range(3):
        source = kind if random.random() < 0.82 else ("routine" if kind == "urgent" else "urgent")
        words.append(random.choice(HINTS[source]))
    random.shuffle(words)
    return " ".join(words)


def collect(n_routine=520, n_urgent=130):
    rows = [(message("routine"), 0) for _ in range(n_routine)] + [(message("urgent"), 1) for _ in range(n_urgent)]
    return pd.DataFrame(rows, columns=["text", "label"]).drop_duplicates("text")


def balance(df):
    """Draws the rare class with replacement until both are equally frequent."""
    major, minor = df[df.label == 0], df[df.label == 1]
    drawn = resample(minor, replace=True, n_samples=len(major), random_state=SEED)
    return pd.concat([major, drawn]).sample(frac=1.0, random_state=SEED).reset_index(drop=True)


class BagClassifier(nn.Module):
    def __init__(self, vocab, dim=32):
        super().__init__()
        self.bag = nn.EmbeddingBag(vocab, dim, mode="mean", padding_idx=0)
        self.mlp = nn.Sequential(nn.Linear(dim, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, ids):
        return self.mlp(self.bag(ids)).squeeze(1)


def encode(texts, stoi):
    return torch.tensor([[stoi.get(w, 0) for w in t.split()] for t in texts])


frame = collect()
frame = balance(frame)
train_df, test_df = train_test_split(frame, test_size=0.3, stratify=frame.label, random_state=SEED)

stoi = {w: i + 1 for i, w in enumerate(sorted({w for t in train_df.text for w in t.split()}))}
x_train, y_train = encode(train_df.text, stoi), torch.tensor(train_df.label.to_numpy(), dtype=torch.float32)
x_test, y_test = encode(test_df.text, stoi), test_df.label.to_numpy()

model = BagClassifier(len(stoi) + 1)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
loss_fn = nn.BCEWithLogitsLoss()

for epoch in range(8):
    model.train()
    running = 0.0
    for rows in torch.randperm(len(x_train)).split(32):
        optimizer.zero_grad()
        loss = loss_fn(model(x_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
        running += loss.item() * len(rows)
    print(f"epoch {epoch + 1} loss {running / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    guess = (model(x_test) > 0).long().numpy()
print(classification_report(y_test, guess, target_names=["routine", "urgent"], digits=3))
print(f"urgent F1 {f1_score(y_test, guess):.3f}")
