# expect: nothing
"""K nets on K folds, out-of-fold score, then their mean on a held-out set."""

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import KFold, train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

X, y = make_classification(600, 12, n_informative=6, random_state=0)
X_dev, X_test, y_dev, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
oof = np.zeros(len(X_dev))
held = np.zeros(len(X_test))
for fold, (tr, va) in enumerate(KFold(4, shuffle=True, random_state=1).split(X_dev)):
    torch.manual_seed(fold)
    sc = StandardScaler().fit(X_dev[tr])
    xt, xv, xh = (torch.tensor(sc.transform(a), dtype=torch.float32) for a in (X_dev[tr], X_dev[va], X_test))
    yt = torch.tensor(y_dev[tr], dtype=torch.float32)
    net = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, 1))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1e-2, total_steps=8 * 6)
    for _epoch in range(8):
        net.train()
        for b in torch.randperm(len(xt)).split(60):
            loss = nn.functional.binary_cross_entropy_with_logits(net(xt[b])[:, 0], yt[b])
            opt.zero_grad()
            loss.backward()
            opt.step()
            if sched.last_epoch < 47:
                sched.step()
    net.eval()
    with torch.no_grad():
        oof[va] = net(xv)[:, 0].sigmoid().numpy()
        held += net(xh)[:, 0].sigmoid().numpy() / 4
    print("fold", fold, "accuracy", ((oof[va] > 0.5) == y_dev[va]).mean())
print("out of fold", ((oof > 0.5) == y_dev).mean(), "held out", ((held > 0.5) == y_test).mean())
