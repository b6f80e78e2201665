# expect: nothing
# %% [markdown]
# Share of buyers who like a listing, from a synthetic survey table: an MLP with
# an embedding of the district gives the probability of a "like".
# %%
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(5)
torch.manual_seed(5)

# %% raw table, as exported by the survey tool
N = 900
listings = pd.DataFrame(
    {
        "area": rng.gamma(6.0, 15.0, N),
        "rooms": rng.integers(1, 7, N),
        "age": rng.uniform(0, 60, N),
        "district": rng.choice(list("ABCDE"), N),
    }
)
bonus = listings["district"].map({"A": 1.2, "B": 0.4, "C": 0.0, "D": -0.5, "E": -1.0})
quality = 0.02 * listings["area"] + 0.3 * listings["rooms"] - 0.03 * listings["age"] + bonus
p_like = 1 / (1 + np.exp(-(quality - quality.median())))
# each listing was shown to 5 buyers who said like / don't like; survey gives stars 0..5
listings["stars"] = rng.binomial(5, p_like)

# %%
NUMERIC = ["area", "rooms", "age"]
codes = {d: i for i, d in enumerate(sorted(listings["district"].unique()))}
listings["district_code"] = listings["district"].map(codes)
train_df, test_df = train_test_split(listings, test_size=0.25, random_state=5)
mu, sd = train_df[NUMERIC].mean(), train_df[NUMERIC].std()


class ListingSet(Dataset):
    """Numeric columns standardised by the training table, district as index."""

    def __init__(self, df: pd.DataFrame):
        self.num = torch.tensor(((df[NUMERIC] - mu) / sd).to_numpy(), dtype=torch.float32)
        self.cat = torch.tensor(df["district_code"].to_numpy(), dtype=torch.long)
        self.score = torch.tensor(df["stars"].to_numpy() / 5, dtype=torch.float32)

    def __len__(self):
        return len(self.score)

    def __getitem__(self, i):
        return self.num[i], self.cat[i], self.score[i]


class BuyerNet(nn.Module):
    def __init__(self, n_num, n_districts, emb=3, hidden=24):
        super().__init__()
        self.emb = nn.Embedding(n_districts, emb)
        self.mlp = nn.Sequential(nn.Linear(n_num + emb, hidden), nn.SiLU(), nn.Linear(hidden, 1))

    def forward(self, num, cat):
        return self.mlp(torch.cat([num, self.emb(cat)], dim=1)).squeeze(1)


net = BuyerNet(len(NUMERIC), len(codes))
opt = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=1e-3)
bce = nn.BCEWithLogitsLoss()
train_dl = DataLoader(ListingSet(train_df), batch_size=64, shuffle=True)
test_dl = DataLoader(ListingSet(test_df), batch_size=256)

# %%
for epoch in range(20):
    net.train()
    running = 0.0
    for num, cat, share in train_dl:
        opt.zero_grad()
        loss = bce(net(num, cat), share)
        loss.backward()
        opt.step()
        running += loss.item() * len(share)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:02d}  train bce {running / len(train_dl.dataset):.4f}")

# %%
net.eval()
with torch.no_grad():
    preds = torch.cat([torch.sigmoid(net(num, cat)) for num, cat, _ in test_dl]).numpy()
truth = test_df["stars"].to_numpy() / 5
print("mean predicted like-share:", preds.mean().round(3), " surveyed:", truth.mean().round(3))
print("mean abs error of share  :", np.abs(preds - truth).mean().round(3))
