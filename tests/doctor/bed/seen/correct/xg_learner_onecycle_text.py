# expect: nothing
# In the manner of a course notebook: DataBunch, callbacks, Learner, one-cycle training of a text classifier.
import random
from functools import partial

import torch
from torch import nn
from torch.utils.data import DataLoader, Sampler

random.seed(42)
torch.manual_seed(42)

# %% data: is the bracket string balanced?


def balanced(n):
    if n == 0:
        return ""
    k = random.randrange(n)
    o, c = random.choice(["()", "[]"])
    return o + balanced(k) + c + balanced(n - 1 - k)


def spoil(s):
    i = random.randrange(len(s))
    repl = random.choice([c for c in "()[]" if c != s[i]])
    j = random.randrange(len(s))
    out = list(s)
    out[i] = repl
    out[j] = random.choice("([") if out[j] in ")]" else random.choice(")]")
    return "".join(out)


def is_balanced(s):
    stack = []
    for c in s:
        if c in "([":
            stack.append(c)
        elif not stack or stack.pop() + c not in ("()", "[]"):
            return False
    return not stack


rows = {}
while len(rows) < 2400:
    want = len(rows) % 2
    s = balanced(random.randint(5, 9))
    s = s if want else spoil(s)
    if s not in rows and is_balanced(s) == bool(want):
        rows[s] = want
items = list(rows.items())
random.shuffle(items)
train_ds, valid_ds = items[:2000], items[2000:]

# %% batches of like length


class SortishSampler(Sampler):
    def __init__(self, ds, bs):
        self.ds, self.bs = ds, bs

    def __len__(self):
        return len(self.ds)

    def __iter__(self):
        idxs = torch.randperm(len(self.ds)).tolist()
        mega = [idxs[i:i + self.bs * 10] for i in range(0, len(idxs), self.bs * 10)]
        for m in mega:
            yield from sorted(m, key=lambda i: len(self.ds[i][0]), reverse=True)


def pad_collate(samples):
    width = max(len(s) for s, _ in samples)
    x = torch.zeros(len(samples), width, dtype=torch.long)
    for i, (s, _) in enumerate(samples):
        x[i, :len(s)] = torch.tensor(["()[]".index(c) + 1 for c in s])
    return x, torch.tensor([y for _, y in samples])


bs = 50
train_dl = DataLoader(train_ds, batch_size=bs, sampler=SortishSampler(train_ds, bs), collate_fn=pad_collate)
valid_dl = DataLoader(valid_ds, batch_size=200, collate_fn=pad_collate)

# %% model


class ConcatPoolGRU(nn.Module):
    def __init__(self, d=12, nh=32):
        super().__init__()
        self.emb = nn.Embedding(5, d, padding_idx=0)
        self.rnn = nn.GRU(d, nh, batch_first=True)
        self.lin = nn.Sequential(nn.Linear(2 * nh, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x):
        mask = (x != 0).unsqueeze(-1)
        out, _ = self.rnn(self.emb(x))
        last = out[torch.arange(len(x)), mask.squeeze(-1).sum(1) - 1]
        mean = (out * mask).sum(1) / mask.sum(1)
        return self.lin(torch.cat([last, mean], dim=1))


# %% learner


class Learner:
    def __init__(self, model, train_dl, valid_dl, loss_func, opt_func):
        self.model, self.train_dl, self.valid_dl = model, train_dl, valid_dl
        self.loss_func, self.opt_func = loss_func, opt_func

    def fit_one_cycle(self, epochs, lr_max):
        self.opt = self.opt_func(self.model.parameters(), lr=lr_max)
        self.sched = torch.optim.lr_scheduler.OneCycleLR(
            self.opt, max_lr=lr_max, epochs=epochs, steps_per_epoch=len(self.train_dl))
        print("epoch  train_loss  valid_loss  accuracy")
        for epoch in range(epochs):
            tl = self.one_epoch()
            vl, acc = self.validate()
            print(f"{epoch:5d}  {tl:10.4f}  {vl:10.4f}  {acc:8.4f}")

    def one_epoch(self):
        self.model.train()
        total = n = 0
        for xb, yb in self.train_dl:
            loss = self.loss_func(self.model(xb), yb)
            loss.backward()
            self.opt.step()
            self.sched.step()
            self.opt.zero_grad()
            total, n = total + loss.item() * len(yb), n + len(yb)
        return total / n

    def validate(self):
        self.model.eval()
        total = right = n = 0
        with torch.no_grad():
            for xb, yb in self.valid_dl:
                preds = self.model(xb)
                total += self.loss_func(preds, yb).item() * len(yb)
                right += (preds.argmax(1) == yb).sum().item()
                n += len(yb)
        return total / n, right / n


learn = Learner(ConcatPoolGRU(), train_dl, valid_dl, nn.CrossEntropyLoss(), partial(torch.optim.AdamW, weight_decay=0.01))
learn.fit_one_cycle(9, 1e-2)
