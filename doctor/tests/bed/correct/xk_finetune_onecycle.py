# expect: nothing
# %% [markdown]
# Transfer learning: a body trained on digits 0-5, then fit_one_cycle on digits 6-9
# %%
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)


# %%
class DataLoaders:
    def __init__(self, x, y, bs, seed=2):
        xt, xv, yt, yv = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
        self.train = DataLoader(TensorDataset(xt, yt), batch_size=bs, shuffle=True)
        self.valid = DataLoader(TensorDataset(xv, yv), batch_size=2 * bs)


class Learner:
    def __init__(self, dls, body, head):
        self.dls, self.body, self.head = dls, body, head
        self.model = nn.Sequential(body, head)
        self.loss_func = nn.CrossEntropyLoss()

    def freeze(self):
        for p in self.body.parameters():
            p.requires_grad_(False)

    def unfreeze(self):
        for p in self.body.parameters():
            p.requires_grad_(True)

    def fit_one_cycle(self, n_epoch, lr_max, div=10):
        groups = [{"params": self.head.parameters(), "lr": lr_max}]
        maxes = [lr_max]
        if all(p.requires_grad for p in self.body.parameters()):
            groups.append({"params": self.body.parameters(), "lr": lr_max / div})
            maxes.append(lr_max / div)
        opt = torch.optim.AdamW(groups, weight_decay=0.01)
        sched = torch.optim.lr_scheduler.OneCycleLR(
            opt, max_lr=maxes, total_steps=n_epoch * len(self.dls.train))
        for epoch in range(n_epoch):
            self.model.train()
            tot = n = 0
            for xb, yb in self.dls.train:
                loss = self.loss_func(self.model(xb), yb)
                loss.backward()
                opt.step()
                sched.step()
                opt.zero_grad()
                tot += loss.item() * len(xb)
                n += len(xb)
            vl, va = self.validate()
            print(f"{epoch:>3} {tot / n:10.4f} {vl:10.4f} {va:10.4f}")

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        loss = hits = n = 0
        for xb, yb in self.dls.valid:
            out = self.model(xb)
            loss += self.loss_func(out, yb).item() * len(xb)
            hits += (out.argmax(-1) == yb).sum().item()
            n += len(xb)
        return loss / n, hits / n


# %%
d = load_digits()
x = torch.tensor(d.images / 16, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(d.target)
src = y < 6

body = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
    nn.Conv2d(32, 32, 3, 2, 1), nn.ReLU(), nn.Flatten())

print("epoch train_loss valid_loss accuracy")
pre = Learner(DataLoaders(x[src], y[src], 32), body, nn.Linear(128, 6))
pre.fit_one_cycle(5, 5e-3, div=1)

# %%
learn = Learner(DataLoaders(x[~src], y[~src] - 6, 32), body, nn.Linear(128, 4))
learn.freeze()
learn.fit_one_cycle(4, 2e-2)
learn.unfreeze()
learn.fit_one_cycle(6, 5e-3)
