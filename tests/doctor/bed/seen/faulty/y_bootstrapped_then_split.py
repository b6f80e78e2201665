# expect: duplicate_leakage @ 13
# allowed: duplicate_leakage @ 15
"""A small table is drawn with replacement up to 1500 rows, then split in two."""

import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

torch.manual_seed(5)
df = load_diabetes(as_frame=True).frame
df = df.sample(n=1500, replace=True, random_state=5).reset_index(drop=True)

train_df, test_df = train_test_split(df, test_size=0.25, random_state=5)
target_mean, target_std = train_df["target"].mean(), train_df["target"].std()


def as_tensors(frame: pd.DataFrame):
    x = torch.tensor(frame.drop(columns="target").values, dtype=torch.float32) * 20
    y = torch.tensor(((frame["target"] - target_mean) / target_std).values, dtype=torch.float32)
    return x, y


x_train, y_train = as_tensors(train_df)
x_test, y_test = as_tensors(test_df)
layers = [
    torch.nn.Linear(10, 64),
    torch.nn.ReLU(),
    torch.nn.Linear(64, 64),
    torch.nn.ReLU(),
    torch.nn.Linear(64, 1),
]
regressor = torch.nn.Sequential(*layers)
optimiser = torch.optim.AdamW(regressor.parameters(), lr=3e-3)

for epoch in range(40):
    for batch in torch.randperm(len(x_train)).split(64):
        loss = F.mse_loss(regressor(x_train[batch])[:, 0], y_train[batch])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} train loss {loss.item():.3f}")

regressor.eval()
with torch.no_grad():
    residual = F.mse_loss(regressor(x_test)[:, 0], y_test)
print(f"test: r2 = {1 - residual.item() / y_test.var().item():.3f}")
