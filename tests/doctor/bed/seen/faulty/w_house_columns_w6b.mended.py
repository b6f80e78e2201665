# expect: nothing
"""House values in made-up districts from a table with figures and yes/no marks; a net for the middle of the range."""
import numpy as np
import pandas as pd
import torch
from torch import nn

FIGURES = ["income", "population", "rooms", "altitude", "distance"]
MARKS = ["coast", "station", "school"]
COLUMNS = FIGURES + MARKS


def districts(rows=1600, seed=70):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "income": rng.gamma(6, 7000, rows), "population": rng.gamma(2, 900, rows),
        "rooms": rng.normal(5, 1, rows), "altitude": rng.gamma(2, 150, rows),
        "distance": rng.uniform(200, 30000, rows),
    })
    for mark, share in zip(MARKS, (0.3, 0.5, 0.6)):
        frame[mark] = (rng.random(rows) < share).astype(float)
    frame["value"] = (4.0 * frame["income"] + 22000 * frame["rooms"] + 60000 * frame["coast"]
                      - 3.0 * frame["distance"] + 25000 * frame["school"] - 90 * frame["altitude"]
                      + 80000 * np.sin(frame["population"] / 900) + rng.normal(0, 15000, rows))
    return frame


class Preparer:
    def __init__(self, train):
        self.mean, self.std = train.mean(), train.std()

    def inputs(self, frame):
        ready = frame[COLUMNS].copy()
        for column in COLUMNS:
            ready[column] = (ready[column] - self.mean[column]) / self.std[column]
        return torch.tensor(ready.to_numpy(), dtype=torch.float32)

    def goal(self, frame):
        return torch.tensor(((frame["value"] - self.mean["value"]) / self.std["value"]).to_numpy(), dtype=torch.float32)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(len(COLUMNS), 40)
        self.b = nn.Linear(40, 40)
        self.c = nn.Linear(40, 1)

    def forward(self, x):
        h = torch.relu(self.a(x))
        h = torch.relu(self.b(h))
        return self.c(h)[:, 0]


def train(net, x, y, epochs=30):
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [15, 24], gamma=0.3)
    for epoch in range(epochs):
        net.train()
        total = 0.0
        for ids in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            loss = nn.functional.huber_loss(net(x[ids]), y[ids])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(ids)
        schedule.step()
        if epoch % 6 == 5:
            print(f"epoch {epoch + 1:2d}  loss {total / len(x):.4f}")


def main():
    torch.manual_seed(70)
    frame = districts()
    frame = frame.sample(frac=1.0, random_state=70).reset_index(drop=True)
    train_rows, test_rows = frame[:1200], frame[1200:]
    prepare = Preparer(train_rows)
    net = Net()
    train(net, prepare.inputs(train_rows), prepare.goal(train_rows))
    net.eval()
    with torch.no_grad():
        guess, true = net(prepare.inputs(test_rows)), prepare.goal(test_rows)
    r2 = 1 - ((guess - true) ** 2).sum() / ((true - true.mean()) ** 2).sum()
    print(f"R2 on unseen districts {r2.item():.3f}")


main()
