# expect: nothing
"""House prices from a listings table: the usual beginner's walk-through, with embeddings for the district."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(99)
rng = np.random.default_rng(99)

# ---- 1. load -------------------------------------------------------------------------------
N = 1600
listings = pd.DataFrame({
    "district": rng.integers(0, 12, N),
    "sqm": rng.gamma(9.0, 10.0, N).round(),
    "rooms": rng.integers(1, 7, N),
    "year": rng.integers(1920, 2021, N),
    "balcony": rng.integers(0, 2, N),
})
level = np.linspace(2.2, 6.0, 12)[rng.permutation(12)]
listings["price"] = (listings.sqm * level[listings.district] * (1 + 0.004 * (listings.year - 1970))
                     + 12 * listings.rooms + 15 * listings.balcony + rng.normal(0, 20, N)).round(1)

# ---- 2. a first look ------------------------------------------------------------------------
print(listings.groupby("balcony").price.mean().round(1).to_dict())
by_price = listings.sort_values("price").reset_index(drop=True)
print("cheapest:", by_price.price.head(3).tolist())
print("dearest: ", by_price.price.tail(3).tolist())

# ---- 3. hold out the last fifth -------------------------------------------------------------
n_train = int(0.8 * len(listings))
train_df, test_df = listings.iloc[:n_train], listings.iloc[n_train:]

NUMERIC = ["sqm", "rooms", "year", "balcony"]
center, spread = train_df[NUMERIC].mean(), train_df[NUMERIC].std()
price_mean, price_std = train_df.price.mean(), train_df.price.std()


def as_dataset(df):
    numbers = ((df[NUMERIC] - center) / spread).to_numpy(np.float32)
    target = ((df.price - price_mean) / price_std).to_numpy(np.float32)
    return TensorDataset(torch.tensor(df.district.to_numpy()), torch.from_numpy(numbers), torch.from_numpy(target))


train_loader = DataLoader(as_dataset(train_df), batch_size=64, shuffle=True)
test_loader = DataLoader(as_dataset(test_df), batch_size=320)


# ---- 4. model -------------------------------------------------------------------------------
class PriceNet(nn.Module):
    def __init__(self, n_districts, n_numeric, emb=4, hidden=48):
        super().__init__()
        self.district = nn.Embedding(n_districts, emb)
        self.body = nn.Sequential(nn.Linear(emb + n_numeric, hidden), nn.ReLU(),
                                  nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, district, numbers):
        return self.body(torch.cat([self.district(district), numbers], dim=1)).squeeze(1)


model = PriceNet(12, len(NUMERIC))
criterion = nn.SmoothL1Loss()
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=30)

# ---- 5. train -------------------------------------------------------------------------------
for epoch in range(30):
    model.train()
    epoch_loss = 0.0
    for district, numbers, target in train_loader:
        loss = criterion(model(district, numbers), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() * len(target)
    scheduler.step()
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1}: loss {epoch_loss / len(train_df):.4f}")

# ---- 6. how far off are we? -----------------------------------------------------------------
model.eval()
with torch.no_grad():
    predicted = torch.cat([model(d, n) for d, n, _ in test_loader]).numpy() * price_std + price_mean
error = np.abs(predicted - test_df.price.to_numpy())
print(f"median error on held-out listings: {np.median(error):.1f}k   mean {error.mean():.1f}k")
