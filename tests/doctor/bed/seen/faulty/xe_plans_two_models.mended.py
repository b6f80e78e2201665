# expect: nothing
"""Which plan will a client take? A linear model against an MLP with embeddings, same trainer."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(5)
rng = np.random.default_rng(5)
PLANS = ["basic", "plus", "family"]

n = 2100
table = pd.DataFrame({
    "job": rng.choice(["nurse", "clerk", "driver", "teacher", "cook", "retired"], n),
    "age": rng.uniform(18, 80, n),
    "devices": rng.poisson(3, n),
})
taste = {j: rng.normal(0, 1.2, 3) for j in sorted(table["job"].unique())}
u = np.stack(table["job"].map(taste).to_list())
u[:, 1] += 0.05 * (50 - table["age"])
u[:, 2] += 0.9 * (table["devices"] - 3)
u = u - u.mean(axis=0) + rng.gumbel(0, 0.5, (n, 3))
table["plan"] = u.argmax(axis=1)


class Clients(Dataset):
    def __init__(self, frame, jobs, mean, std):
        self.job = torch.tensor([jobs.index(j) for j in frame["job"]])
        num = (frame[["age", "devices"]] - mean) / std
        self.num = torch.tensor(num.to_numpy(), dtype=torch.float32)
        self.plan = torch.tensor(frame["plan"].to_numpy())

    def __len__(self):
        return len(self.plan)

    def __getitem__(self, i):
        return self.job[i], self.num[i], self.plan[i]


class Linear(nn.Module):
    def __init__(self, n_jobs):
        super().__init__()
        self.bias = nn.Embedding(n_jobs, 3)
        self.lin = nn.Linear(2, 3)

    def forward(self, job, num):
        return torch.log_softmax(self.bias(job) + self.lin(num), dim=1)


class Mlp(nn.Module):
    def __init__(self, n_jobs, width=32):
        super().__init__()
        self.emb = nn.Embedding(n_jobs, 4)
        self.body = nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Linear(width, 3))

    def forward(self, job, num):
        return torch.log_softmax(self.body(torch.cat([self.emb(job), num], dim=1)), dim=1)


def train(model, data, epochs=12, criterion=nn.NLLLoss()):
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    loader = DataLoader(data, batch_size=64, shuffle=True)
    model.train()
    for epoch in range(epochs):
        running = 0.0
        for job, num, plan in loader:
            opt.zero_grad()
            loss = criterion(model(job, num), plan)
            loss.backward()
            opt.step()
            running += loss.item() * len(plan)
    return running / len(data)


tr, te = train_test_split(table, test_size=0.3, stratify=table["plan"], random_state=5)
jobs = sorted(tr["job"].unique())
mean, std = tr[["age", "devices"]].mean(), tr[["age", "devices"]].std()
train_set, test_set = Clients(tr, jobs, mean, std), Clients(te, jobs, mean, std)
print("plans in the table:", dict(zip(PLANS, np.bincount(table["plan"]))))

for name, model in [("linear", Linear(len(jobs))), ("mlp", Mlp(len(jobs)))]:
    last = train(model, train_set)
    model.eval()
    with torch.no_grad():
        pred = model(test_set.job, test_set.num).argmax(dim=1)
    acc = (pred == test_set.plan).float().mean()
    print(f"{name:7s} train loss {last:12.3f}   test accuracy {acc:.3f}")
