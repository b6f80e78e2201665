# expect: nothing
# %% [markdown]
# # Fine-tuning, fast.ai style: freeze, one cycle, unfreeze with discriminative rates

# %%
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(99)

# %%
X, y = load_digits(return_X_y=True)


def get_dls(keep, bs=32):
    xs, ys = X[keep], y[keep] - y[keep].min()
    x_tr, x_va, y_tr, y_va = train_test_split(xs, ys, test_size=0.25, stratify=ys, random_state=99)
    t = lambda a: torch.tensor(a, dtype=torch.float32).view(-1, 1, 8, 8)
    x_tr, x_va = t(x_tr), t(x_va)
    m, s = x_tr.mean(), x_tr.std()
    return (DataLoader(TensorDataset((x_tr - m) / s, torch.tensor(y_tr)), bs, shuffle=True,
                       drop_last=True),
            DataLoader(TensorDataset((x_va - m) / s, torch.tensor(y_va)), bs * 4))


# %%
def conv(ni, nf, stride=1):
    return nn.Sequential(nn.Conv2d(ni, nf, 3, stride, 1, bias=False), nn.BatchNorm2d(nf), nn.ReLU())


def create_body():
    return nn.Sequential(conv(1, 16), conv(16, 32, 2), conv(32, 32))


def create_head(nf, n_out):
    return nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.BatchNorm1d(nf * 4),
                         nn.Dropout(0.2), nn.Linear(nf * 4, n_out))


# %%
class Learner:
    def __init__(self, dls, body, head):
        self.train_dl, self.valid_dl = dls
        self.body, self.head = body, head
        self.model = nn.Sequential(body, head)
        self.frozen = False

    def freeze(self):
        self.frozen = True
        self.body.requires_grad_(False)

    def unfreeze(self):
        self.frozen = False
        self.body.requires_grad_(True)

    def fit_one_cycle(self, n_epoch, lr_max):
        lo, hi = (lr_max.start, lr_max.stop) if isinstance(lr_max, slice) else (lr_max, lr_max)
        if self.frozen:
            groups, lrs = [{"params": self.head.parameters()}], [hi]
        else:
            groups = [{"params": self.body.parameters()}, {"params": self.head.parameters()}]
            lrs = [lo, hi]
        opt = torch.optim.AdamW(groups, lr=hi, betas=(0.9, 0.99), weight_decay=0.01)
        sched = torch.optim.lr_scheduler.OneCycleLR(
            opt, max_lr=lrs, total_steps=n_epoch * len(self.train_dl))
        print("epoch  train_loss  valid_loss  accuracy")
        for epoch in range(n_epoch):
            self.model.train()
            if self.frozen:
                self.body.eval()
            tot = 0.0
            for xb, yb in self.train_dl:
                loss = F.cross_entropy(self.model(xb), yb)
                loss.backward()
                opt.step()
                opt.zero_grad()
                sched.step()
                tot += loss.item()
            vl, acc = self.validate()
            print(f"{epoch:5d}  {tot / len(self.train_dl):10.4f}  {vl:10.4f}  {acc:8.4f}")

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        loss = correct = n = 0
        for xb, yb in self.valid_dl:
            out = self.model(xb)
            loss += F.cross_entropy(out, yb, reduction="sum").item()
            correct += (out.argmax(-1) == yb).sum().item()
            n += len(yb)
        return loss / n, correct / n


# %% pretrain the body on 0-4
body = create_body()
learn = Learner(get_dls(y < 5), body, create_head(32, 5))
learn.fit_one_cycle(4, 5e-3)

# %% transfer to 5-9
learn = Learner(get_dls(y >= 5), body, create_head(32, 5))
learn.freeze()
learn.fit_one_cycle(3, 5e-3)
learn.unfreeze()
learn.fit_one_cycle(4, slice(5e-4, 2e-3))
