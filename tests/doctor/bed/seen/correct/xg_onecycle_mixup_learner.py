# expect: nothing
# a mini "Learner" with callbacks-like hooks, 1cycle schedule and mixup (fast.ai course style)
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import TensorDataset, DataLoader
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

def set_seed(s=42):
    np.random.seed(s); torch.manual_seed(s)

class DataLoaders:
    def __init__(self, *dls): self.train, self.valid = dls[:2]

def get_dls(bs=64):
    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16
    y = torch.tensor(d.target)
    xt, xv, yt, yv = train_test_split(x, y, test_size=.2, stratify=y, random_state=1)
    m, s = xt.mean(), xt.std()
    norm = lambda o: (o - m) / s
    return DataLoaders(DataLoader(TensorDataset(norm(xt), yt), bs, shuffle=True, drop_last=True),
                       DataLoader(TensorDataset(norm(xv), yv), bs * 2))

def conv(ni, nf, ks=3, stride=2, act=True):
    layers = [nn.Conv2d(ni, nf, ks, stride=stride, padding=ks // 2, bias=False), nn.BatchNorm2d(nf)]
    if act: layers.append(nn.ReLU())
    return nn.Sequential(*layers)

class ResBlock(nn.Module):
    def __init__(self, ni, nf, stride=1):
        super().__init__()
        self.convs = nn.Sequential(conv(ni, nf, stride=stride), conv(nf, nf, stride=1, act=False))
        self.idconv = nn.Identity() if ni == nf else nn.Conv2d(ni, nf, 1)
        self.pool = nn.Identity() if stride == 1 else nn.AvgPool2d(2, ceil_mode=True)
    def forward(self, x): return F.relu(self.convs(x) + self.idconv(self.pool(x)))

def get_model():
    return nn.Sequential(conv(1, 12, stride=1), ResBlock(12, 24, stride=2), ResBlock(24, 32, stride=2),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))

class Learner:
    def __init__(self, model, dls, loss_func, lr, alpha=.2):
        self.model, self.dls, self.loss_func, self.lr, self.alpha = model, dls, loss_func, lr, alpha

    def mixup(self, xb, yb):
        lam = torch.tensor(np.random.beta(self.alpha, self.alpha, len(xb)), dtype=torch.float32)
        lam = torch.max(lam, 1 - lam)
        perm = torch.randperm(len(xb))
        w = lam[:, None, None, None]
        return xb * w + xb[perm] * (1 - w), yb, yb[perm], lam

    def one_batch(self, xb, yb):
        xb, y1, y2, lam = self.mixup(xb, yb)
        preds = self.model(xb)
        l1 = F.cross_entropy(preds, y1, reduction='none')
        l2 = F.cross_entropy(preds, y2, reduction='none')
        loss = (lam * l1 + (1 - lam) * l2).mean()
        loss.backward()
        self.opt.step(); self.opt.zero_grad(); self.sched.step()
        return loss.item()

    def validate(self):
        self.model.eval()
        tot_loss, tot_acc, n = 0., 0., 0
        with torch.no_grad():
            for xb, yb in self.dls.valid:
                preds = self.model(xb)
                tot_loss += self.loss_func(preds, yb).item() * len(xb)
                tot_acc += (preds.argmax(1) == yb).float().sum().item()
                n += len(xb)
        return tot_loss / n, tot_acc / n

    def fit_one_cycle(self, n_epochs):
        self.opt = torch.optim.AdamW(self.model.parameters(), lr=self.lr)
        self.sched = torch.optim.lr_scheduler.OneCycleLR(
            self.opt, max_lr=self.lr, total_steps=n_epochs * len(self.dls.train))
        print('epoch  train_loss  valid_loss  accuracy')
        for epoch in range(n_epochs):
            self.model.train()
            losses = [self.one_batch(*b) for b in self.dls.train]
            vl, acc = self.validate()
            print(f'{epoch:5d}  {np.mean(losses):10.4f}  {vl:10.4f}  {acc:8.4f}')

set_seed(42)
learn = Learner(get_model(), get_dls(), nn.CrossEntropyLoss(), lr=1e-2)
learn.fit_one_cycle(10)
