# expect: unscaled_inputs @ 37
"""Price of flats from a table with very different columns; a step keeps the names of the columns and the scaler of the target."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

NUMERIC = ["area_m2", "year_built", "income_median", "distance_m", "rooms"]


def load(n=1500, seed=27):
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "area_m2": rng.gamma(9, 8, n) + 15,
        "year_built": rng.integers(1900, 2023, n),
        "income_median": rng.normal(38000, 9000, n),
        "distance_m": rng.gamma(2.0, 2500, n),
        "rooms": rng.integers(1, 7, n),
    }).astype(float)
    df["price"] = (
        2600 * df.area_m2 + 700 * (df.year_built - 1900) + 3.5 * df.income_median
        - 9000 * np.sqrt(df.distance_m / 1000) + 9000 * df.rooms + rng.normal(0, 12000, n)
    )
    return df


class Preparation:
    def fit(self, frame):
        self.inputs = StandardScaler().set_output(transform="pandas").fit(frame[NUMERIC])
        self.price = StandardScaler().fit(frame[["price"]])
        return self

    def transform(self, frame):
        table = frame.copy()
        table.update(self.inputs.transform(table[NUMERIC]).add_suffix("_z"))
        y = self.price.transform(table[["price"]])[:, 0]
        return torch.tensor(table[NUMERIC].to_numpy(), dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


class PriceNet(nn.Module):
    def __init__(self, inputs, width=32):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, x):
        return self.net(x).squeeze(-1)


def train(model, x, y, epochs=30, batch=60):
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    for epoch in range(epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
        schedule.step()


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return 1.0 - ((model(x) - y) ** 2).sum().item() / ((y - y.mean()) ** 2).sum().item()


def main():
    torch.manual_seed(27)
    train_frame, test_frame = train_test_split(load(), test_size=0.2, random_state=27)
    prep = Preparation().fit(train_frame)
    model = PriceNet(len(NUMERIC))
    train(model, *prep.transform(train_frame))
    print(f"R2 on {len(test_frame)} held-out flats: {evaluate(model, *prep.transform(test_frame)):.3f}")


if __name__ == "__main__":
    main()
