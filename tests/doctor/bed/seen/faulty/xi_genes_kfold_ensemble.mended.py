# expect: nothing
"""Tumour subtype from a wide expression table: few patients, many genes.
Stratified k-fold, a small MLP ensemble per fold."""
import numpy as np
import torch
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch import nn

rng = np.random.default_rng(17)
N_PATIENTS, N_GENES, K = 120, 3000, 30

y = rng.permutation(np.repeat([0, 1], N_PATIENTS // 2))
X = rng.normal(8, 2, size=(N_PATIENTS, N_GENES))
X[:, :12] += 1.6 * y[:, None]  # a dozen weakly informative genes


def fit_member(xt, yt, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(xt.shape[1], 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3, weight_decay=1e-3)
    loss_fn = nn.BCEWithLogitsLoss()
    net.train()
    for _ in range(15):
        for b in torch.randperm(len(xt)).split(16):
            opt.zero_grad()
            loss_fn(net(xt[b]).squeeze(1), yt[b]).backward()
            opt.step()
    return net.eval()


print(f"keeping {K} genes of {N_GENES} in each fold")

oof = np.zeros(N_PATIENTS)
folds = StratifiedKFold(n_splits=4, shuffle=True, random_state=17)
for fold, (fit_idx, hold_idx) in enumerate(folds.split(X, y)):
    select = SelectKBest(f_classif, k=K).fit(X[fit_idx], y[fit_idx])
    scaler = StandardScaler().fit(select.transform(X[fit_idx]))
    xt = torch.from_numpy(scaler.transform(select.transform(X[fit_idx]))).float()
    xh = torch.from_numpy(scaler.transform(select.transform(X[hold_idx]))).float()
    yt = torch.from_numpy(y[fit_idx]).float()
    members = [fit_member(xt, yt, seed=10 * fold + m) for m in range(3)]
    with torch.no_grad():
        oof[hold_idx] = torch.stack([torch.sigmoid(m(xh)).squeeze(1) for m in members]).mean(0).numpy()
    print(f"fold {fold}: AUC {roc_auc_score(y[hold_idx], oof[hold_idx]):.3f}")

print(f"out-of-fold AUC {roc_auc_score(y, oof):.3f}")
print(f"out-of-fold accuracy {((oof > 0.5) == y).mean():.3f}")
