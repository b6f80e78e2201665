# expect: nothing
# %% [markdown]
# # Tabular models from scratch
# Categories get embeddings, continuous columns get normalized, and we train with one-cycle.

# %%
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42); np.random.seed(42)

# %%
n = 4000
df = pd.DataFrame({
    "workclass": np.random.choice(["private", "state", "self", "federal"], n, p=[.6, .15, .15, .1]),
    "education": np.random.choice(["hs", "some-college", "bachelors", "masters", "doctorate"], n),
    "occupation": np.random.choice([f"occ{i}" for i in range(12)], n),
    "age": np.random.randint(18, 75, n),
    "hours": np.random.normal(40, 10, n).clip(5, 90),
})
edu = df.education.map(dict(zip(["hs", "some-college", "bachelors", "masters", "doctorate"], [-1.5, -.5, .3, 1, 1.5])))
occ = df.occupation.str[3:].astype(int).map(lambda i: np.sin(i * 1.7))
score = 1.2 * edu + 1.5 * occ + 0.04 * (df.hours - 40) - 0.002 * (df.age - 48) ** 2 + 0.5
df["salary"] = (score + np.random.logistic(0, .5, n) > 0).astype(int)
df.salary.value_counts(normalize=True)

# %%
cat_names, cont_names, dep_var = ["workclass", "education", "occupation"], ["age", "hours"], "salary"
idx = np.random.permutation(n)
train_df, valid_df = df.iloc[idx[:3200]].copy(), df.iloc[idx[3200:]].copy()


class Categorify:
    def __init__(self, train): self.classes = {c: ["#na#"] + sorted(train[c].unique()) for c in cat_names}
    def __call__(self, df):
        codes = [df[c].map({k: i for i, k in enumerate(self.classes[c])}).fillna(0) for c in cat_names]
        return torch.tensor(np.stack(codes, 1).astype("int64"))


class Normalize:
    def __init__(self, train): self.means, self.stds = train[cont_names].mean(), train[cont_names].std()
    def __call__(self, df): return torch.tensor(((df[cont_names] - self.means) / self.stds).to_numpy("float32"))


cats, norm = Categorify(train_df), Normalize(train_df)
def to_ds(d): return TensorDataset(cats(d), norm(d), torch.tensor(d[dep_var].to_numpy()))
train_dl = DataLoader(to_ds(train_df), batch_size=64, shuffle=True, drop_last=True)
valid_dl = DataLoader(to_ds(valid_df), batch_size=128)

# %%
def emb_sz_rule(n_cat): return min(600, round(1.6 * n_cat ** 0.56))


class TabularModel(nn.Module):
    def __init__(self, emb_szs, n_cont, out_sz, layers, ps=0.1):
        super().__init__()
        self.embeds = nn.ModuleList([nn.Embedding(ni, nf) for ni, nf in emb_szs])
        sizes = [sum(nf for _, nf in emb_szs) + n_cont] + layers
        blocks = []
        for i, o in zip(sizes[:-1], sizes[1:]):
            blocks += [nn.Linear(i, o, bias=False), nn.ReLU(), nn.BatchNorm1d(o), nn.Dropout(ps)]
        self.layers = nn.Sequential(*blocks, nn.Linear(sizes[-1], out_sz))

    def forward(self, x_cat, x_cont):
        x = torch.cat([e(x_cat[:, i]) for i, e in enumerate(self.embeds)], 1)
        return self.layers(torch.cat([x, x_cont], 1))


# %%
class Learner:
    def __init__(self, train_dl, valid_dl, model, loss_func):
        self.train_dl, self.valid_dl, self.model, self.loss_func = train_dl, valid_dl, model, loss_func

    def one_epoch(self, train):
        self.model.train(train)
        dl = self.train_dl if train else self.valid_dl
        tot, hit, cnt = 0., 0, 0
        with torch.set_grad_enabled(train):
            for xc, xn, y in dl:
                preds = self.model(xc, xn)
                loss = self.loss_func(preds, y)
                if train:
                    loss.backward()
                    self.opt.step()
                    self.opt.zero_grad()
                    self.sched.step()   # one-cycle moves once per batch
                tot += loss.item() * len(y); hit += (preds.argmax(1) == y).sum().item(); cnt += len(y)
        return tot / cnt, hit / cnt

    def fit_one_cycle(self, n_epoch, lr_max, wd=0.01):
        self.opt = torch.optim.AdamW(self.model.parameters(), lr=lr_max, weight_decay=wd)
        self.sched = torch.optim.lr_scheduler.OneCycleLR(self.opt, lr_max, total_steps=n_epoch * len(self.train_dl))
        print("epoch  train_loss  valid_loss  accuracy")
        for e in range(n_epoch):
            tl, _ = self.one_epoch(True)
            vl, acc = self.one_epoch(False)
            print(f"{e:5d}  {tl:10.4f}  {vl:10.4f}  {acc:8.4f}")


emb_szs = [(len(cats.classes[c]), emb_sz_rule(len(cats.classes[c]))) for c in cat_names]
learn = Learner(train_dl, valid_dl, TabularModel(emb_szs, len(cont_names), 2, [64, 32]), nn.CrossEntropyLoss())
learn.fit_one_cycle(6, 1e-2)
