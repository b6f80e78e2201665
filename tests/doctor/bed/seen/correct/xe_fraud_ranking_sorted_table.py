# expect: nothing
"""Rare fraud in a table that is stored sorted by label. Every batch is drawn half fraud, half
normal by a batch sampler, and the net is trained to rank fraud above normal, pair by pair."""
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset

torch.manual_seed(23)
rng = np.random.default_rng(23)

n_ok, n_bad = 2800, 200
amount = np.concatenate([rng.lognormal(3.0, 0.8, n_ok), rng.lognormal(3.7, 0.9, n_bad)])
hour = np.concatenate([rng.normal(14, 4, n_ok), rng.normal(3, 5, n_bad)]) % 24
trips = np.concatenate([rng.poisson(2, n_ok), rng.poisson(3.2, n_bad)])
table = pd.DataFrame({
    "log_amount": np.log(amount),
    "hour_sin": np.sin(2 * np.pi * hour / 24),
    "hour_cos": np.cos(2 * np.pi * hour / 24),
    "trips": trips,
    "fraud": np.repeat([0, 1], [n_ok, n_bad]),
})

fit_rows, test_rows = train_test_split(table, test_size=0.3, stratify=table["fraud"], random_state=23)
fit_rows = fit_rows.sort_values("fraud")
features = [c for c in table.columns if c != "fraud"]
mu, sigma = fit_rows[features].mean(), fit_rows[features].std()


def to_tensor(rows):
    return torch.tensor(((rows[features] - mu) / sigma).to_numpy(), dtype=torch.float32)


class HalfAndHalf(Sampler):
    """Index lists with as many positives as negatives, newly drawn in every epoch."""

    def __init__(self, labels, per_class, n_batches):
        self.pos = torch.nonzero(labels == 1).flatten()
        self.neg = torch.nonzero(labels == 0).flatten()
        self.per_class, self.n_batches = per_class, n_batches

    def __len__(self):
        return self.n_batches

    def __iter__(self):
        for _ in range(self.n_batches):
            p = self.pos[torch.randperm(len(self.pos))[: self.per_class]]
            q = self.neg[torch.randperm(len(self.neg))[: self.per_class]]
            yield torch.cat([p, q]).tolist()


def pairwise_loss(score, label):
    # score is [B, 1]: every fraud (rows) against every normal one (columns)
    margin = score[label == 1] - score[label == 0].squeeze(1)
    return nn.functional.softplus(-margin).mean()


labels = torch.tensor(fit_rows["fraud"].to_numpy())
data = TensorDataset(to_tensor(fit_rows), labels)
loader = DataLoader(data, batch_sampler=HalfAndHalf(labels, per_class=32, n_batches=40))

scorer = nn.Sequential(nn.Linear(len(features), 24), nn.ReLU(), nn.Linear(24, 1))
optimizer = torch.optim.Adam(scorer.parameters(), lr=3e-3)
for epoch in range(1, 16):
    scorer.train()
    losses = []
    for x, t in loader:
        optimizer.zero_grad()
        loss = pairwise_loss(scorer(x), t)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d}: pair loss {np.mean(losses):.4f}")

scorer.eval()
with torch.no_grad():
    s = scorer(to_tensor(test_rows)).flatten().numpy()
t = test_rows["fraud"].to_numpy()
print(f"test ROC AUC {roc_auc_score(t, s):.3f}, average precision {average_precision_score(t, s):.3f} "
      f"(share of fraud {t.mean():.3f})")
