# expect: nothing
# A tabular learner in the fastai spirit: categorify, fill missing, normalize, embeddings, one-cycle.
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(42)
torch.manual_seed(42)

# ---- data -------------------------------------------------------------
n = 2400
df = pd.DataFrame({
    "workclass": np.random.choice(["Private", "State", "Self", "Federal"], n),
    "education": np.random.choice(["HS", "Some-college", "Bachelors", "Masters", "PhD"], n),
    "age": np.random.uniform(18, 70, n),
    "hours": np.random.normal(40, 9, n),
})
edu = df.education.map({"HS": -1.5, "Some-college": -0.7, "Bachelors": 0.3, "Masters": 0.9, "PhD": 1.3})
z = edu + 0.06 * (df.hours - 40) - ((df.age - 48) / 14) ** 2 + 0.6 * (df.workclass == "Self")
df["salary"] = (z + np.random.logistic(0, 0.35, n) > z.median()).astype(int)
df.loc[np.random.rand(n) < 0.05, "hours"] = np.nan

cat_names, cont_names, dep_var = ["workclass", "education"], ["age", "hours"], "salary"
idx = np.random.permutation(n)
valid_idx, train_idx = idx[: n // 5], idx[n // 5:]

# ---- procs, fitted on the training rows -------------------------------
train_df = df.iloc[train_idx]
vocab = {c: {v: i + 1 for i, v in enumerate(sorted(train_df[c].unique()))} for c in cat_names}
medians = train_df[cont_names].median()
filled = train_df[cont_names].fillna(medians)
means, stds = filled.mean(), filled.std()


def process(d):
    cats = np.stack([d[c].map(vocab[c]).fillna(0).astype(int) for c in cat_names], 1)
    conts = (d[cont_names].fillna(medians) - means) / stds
    return TensorDataset(torch.tensor(cats), torch.tensor(conts.values, dtype=torch.float32),
                         torch.tensor(d[dep_var].values))


train_dl = DataLoader(process(train_df), batch_size=64, shuffle=True, drop_last=True)
valid_dl = DataLoader(process(df.iloc[valid_idx]), batch_size=128)


def emb_sz_rule(n_cat):
    return min(600, round(1.6 * n_cat ** 0.56))


class TabularModel(nn.Module):
    def __init__(self, emb_szs, n_cont, out_sz, layers, ps=0.1):
        super().__init__()
        self.embeds = nn.ModuleList([nn.Embedding(ni, nf) for ni, nf in emb_szs])
        self.bn_cont = nn.BatchNorm1d(n_cont)
        sizes = [sum(nf for _, nf in emb_szs) + n_cont] + layers
        blocks = []
        for a, b in zip(sizes[:-1], sizes[1:]):
            blocks += [nn.Linear(a, b, bias=False), nn.ReLU(), nn.BatchNorm1d(b), nn.Dropout(ps)]
        self.layers = nn.Sequential(*blocks, nn.Linear(sizes[-1], out_sz))

    def forward(self, x_cat, x_cont):
        x = torch.cat([e(x_cat[:, i]) for i, e in enumerate(self.embeds)], 1)
        return self.layers(torch.cat([x, self.bn_cont(x_cont)], 1))


emb_szs = [(len(vocab[c]) + 1, emb_sz_rule(len(vocab[c]) + 1)) for c in cat_names]
model = TabularModel(emb_szs, len(cont_names), 2, [64, 32])
epochs = 8
opt = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1e-2, total_steps=epochs * len(train_dl))

print("epoch  train_loss  valid_loss  accuracy")
for epoch in range(epochs):
    model.train()
    tot, cnt = 0.0, 0
    for xc, xn, y in train_dl:
        loss = F.cross_entropy(model(xc, xn), y)
        loss.backward()
        opt.step()
        sched.step()
        opt.zero_grad()
        tot += loss.item() * len(y)
        cnt += len(y)
    model.eval()
    vl, acc = 0.0, 0
    with torch.no_grad():
        for xc, xn, y in valid_dl:
            out = model(xc, xn)
            vl += F.cross_entropy(out, y, reduction="sum").item()
            acc += (out.argmax(1) == y).sum().item()
    print(f"{epoch:5d}  {tot / cnt:10.4f}  {vl / len(valid_idx):10.4f}  {acc / len(valid_idx):8.4f}")
