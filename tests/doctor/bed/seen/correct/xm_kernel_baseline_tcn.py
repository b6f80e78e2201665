# expect: nothing
# %% [code]
# TPS baseline: 60-step multisensor sequences -> state (0/1). GroupKFold by subject, OOF AUC, warm restarts.
import os
import random
import tempfile

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, GroupShuffleSplit
from torch.utils.data import DataLoader, Dataset


class CFG:
    seed = 2022
    n_folds = 3
    epochs = 6
    bs = 64
    lr = 3e-3
    wd = 1e-3


def seed_everything(seed):
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


seed_everything(CFG.seed)

# %% [code]
N, T, C = 1800, 60, 6
subject = np.random.randint(0, 60, N)
offset = np.random.normal(0, 0.5, (60, C))
state = np.random.permutation(np.arange(N) % 2)
seqs = np.random.normal(0, 1, (N, T, C)) + offset[subject][:, None, :]
for i in np.where(state == 1)[0]:
    s = np.random.randint(0, T - 15)
    seqs[i, s:s + 15, 1] += 1.4
    seqs[i, s + 3:s + 15, 4] -= 0.8
train = pd.DataFrame({"sequence": np.arange(N), "subject": subject, "state": state})
print(train["state"].value_counts().to_dict(), "subjects:", train["subject"].nunique())


# %% [code]
class SeqDataset(Dataset):
    def __init__(self, ids, mean, std):
        self.x = torch.tensor((seqs[ids] - mean) / std, dtype=torch.float32).transpose(1, 2)
        self.y = torch.tensor(state[ids], dtype=torch.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Net(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        layers, cin = [], C
        for d in (1, 2, 4):
            layers += [nn.Conv1d(cin, width, 3, padding=d, dilation=d), nn.BatchNorm1d(width), nn.ReLU()]
            cin = width
        self.tcn = nn.Sequential(*layers)
        self.fc = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * width, 1))

    def forward(self, x):
        h = self.tcn(x)
        return self.fc(torch.cat([h.mean(dim=2), h.amax(dim=2)], dim=1)).squeeze(1)


def predict(model, loader):
    model.eval()
    with torch.no_grad():
        return torch.cat([torch.sigmoid(model(x)) for x, _ in loader]).numpy()


# %% [code]
oof = np.zeros(N)
folder = tempfile.mkdtemp()
for fold, (tr, te) in enumerate(GroupKFold(CFG.n_folds).split(train, state, subject)):
    inner = GroupShuffleSplit(n_splits=1, test_size=0.15, random_state=CFG.seed)
    fit_pos, es_pos = next(inner.split(tr, groups=subject[tr]))
    fit, es = tr[fit_pos], tr[es_pos]
    mean, std = seqs[fit].mean((0, 1)), seqs[fit].std((0, 1))
    dl = DataLoader(SeqDataset(fit, mean, std), CFG.bs, shuffle=True, drop_last=True)
    dl_es = DataLoader(SeqDataset(es, mean, std), 256)
    dl_te = DataLoader(SeqDataset(te, mean, std), 256)

    model = Net()
    opt = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=CFG.wd)
    sched = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=2, T_mult=2, eta_min=1e-5)
    crit = nn.BCEWithLogitsLoss()
    best_auc, ckpt = -1.0, os.path.join(folder, f"fold{fold}.pt")
    for epoch in range(CFG.epochs):
        model.train()
        losses = []
        for i, (x, y) in enumerate(dl):
            opt.zero_grad()
            loss = crit(model(x), y)
            loss.backward()
            opt.step()
            sched.step(epoch + (i + 1) / len(dl))
            losses.append(loss.item())
        auc = roc_auc_score(state[es], predict(model, dl_es))
        if auc > best_auc:
            best_auc = auc
            torch.save(model.state_dict(), ckpt)
    model.load_state_dict(torch.load(ckpt))
    oof[te] = predict(model, dl_te)
    print(f"fold {fold}: loss {np.mean(losses):.4f}  inner AUC {best_auc:.4f}  fold AUC {roc_auc_score(state[te], oof[te]):.4f}")

print(f"OOF AUC {roc_auc_score(state, oof):.4f}")
