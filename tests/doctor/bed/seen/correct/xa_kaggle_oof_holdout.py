# expect: nothing
"""
Loan default | embeddings + numeric, StratifiedKFold, inner early stopping, EMA weights
(kernel, version 7: imputer moved INSIDE the folds; early stopping on its own slice)
"""
import copy

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEED, N = 7, 1500
NUM, CAT = ["income", "age", "debt"], ["region", "job"]


def make_df(n, rng):
    d = pd.DataFrame({
        "income": rng.lognormal(10, 0.4, n), "age": rng.integers(20, 70, n).astype(float),
        "debt": rng.gamma(2.0, 3000, n),
        "region": rng.choice(list("NSEW"), n), "job": rng.choice(["office", "field", "none"], n),
    })
    z = d.debt / 4000 - d.income / 15000 + (d.job == "none") * 1.2 + (d.region == "S") * 0.8 - 0.8
    d["default"] = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    d.loc[rng.random(n) < 0.08, "income"] = np.nan  # target was made before the holes
    return d


class Net(nn.Module):
    def __init__(self, cards, n_num):
        super().__init__()
        self.embs = nn.ModuleList([nn.Embedding(c + 1, 3) for c in cards])  # 0 = unseen level
        self.mlp = nn.Sequential(nn.Linear(3 * len(cards) + n_num, 32), nn.SiLU(), nn.Dropout(0.15), nn.Linear(32, 1))

    def forward(self, num, cat):
        e = [emb(cat[:, i]) for i, emb in enumerate(self.embs)]
        return self.mlp(torch.cat([*e, num], dim=1)).squeeze(-1)


class Prep:
    def fit(self, d):
        self.num = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit(d[NUM])
        self.maps = {c: {v: i + 1 for i, v in enumerate(sorted(d[c].unique()))} for c in CAT}
        return self

    def __call__(self, d):
        num = torch.tensor(self.num.transform(d[NUM]), dtype=torch.float32)
        cat = np.stack([d[c].map(self.maps[c]).fillna(0).astype(int) for c in CAT], axis=1)
        return num, torch.tensor(cat), torch.tensor(d["default"].to_numpy(), dtype=torch.float32)


@torch.no_grad()
def predict(model, num, cat):
    model.eval()
    return torch.sigmoid(model(num, cat))


def fit_one(trn, stop, prep, max_epochs=25, patience=4, decay=0.95):
    num, cat, y = prep(trn)
    s_num, s_cat, s_y = prep(stop)
    model = Net([len(m) for m in prep.maps.values()], len(NUM))
    ema = copy.deepcopy(model).requires_grad_(False)  # never in the optimizer, on purpose
    opt = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-2)
    best, best_state, bad = np.inf, None, 0
    for _ in range(max_epochs):
        model.train()
        for idx in torch.randperm(len(y)).split(64):
            loss = F.binary_cross_entropy_with_logits(model(num[idx], cat[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            with torch.no_grad():
                for p_e, p in zip(ema.parameters(), model.parameters()):
                    p_e.lerp_(p, 1 - decay)
        stop_loss = F.binary_cross_entropy(predict(ema, s_num, s_cat), s_y).item()
        if stop_loss < best - 1e-4:
            best, best_state, bad = stop_loss, copy.deepcopy(ema.state_dict()), 0
        elif (bad := bad + 1) >= patience:
            break
    ema.load_state_dict(best_state)
    return ema


torch.manual_seed(SEED)
df = make_df(N, np.random.default_rng(SEED))
work, holdout = train_test_split(df, test_size=0.2, stratify=df["default"], random_state=SEED)
work, holdout = work.reset_index(drop=True), holdout.reset_index(drop=True)

oof, hold = np.zeros(len(work)), np.zeros(len(holdout))
skf = StratifiedKFold(4, shuffle=True, random_state=SEED)
for k, (i_tr, i_va) in enumerate(skf.split(work, work["default"])):
    rest, val = work.iloc[i_tr], work.iloc[i_va]
    trn, stop = train_test_split(rest, test_size=0.15, stratify=rest["default"], random_state=k)
    prep = Prep().fit(trn)
    model = fit_one(trn, stop, prep)
    v_num, v_cat, v_y = prep(val)
    oof[i_va] = predict(model, v_num, v_cat).numpy()
    h_num, h_cat, _ = prep(holdout)
    hold += predict(model, h_num, h_cat).numpy() / skf.get_n_splits()
    print(f"fold {k}  AUC {roc_auc_score(v_y, oof[i_va]):.4f}")
print(f"OOF AUC {roc_auc_score(work['default'], oof):.4f} | holdout AUC {roc_auc_score(holdout['default'], hold):.4f}")
