# expect: nothing
#!/usr/bin/env python
# Expression panel -> responder / non-responder.
# Ported from my R script (limma + glmnet); 10-fold CV with a small torch classifier.
import numpy as np
import pandas as pd
import torch
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

N_PATIENTS = 110
N_GENES = 1500
TOP = 25


def load_cohort(seed=42):
    rs = np.random.RandomState(seed)
    genes = [f"g{i:04d}" for i in range(N_GENES)]
    expr = pd.DataFrame(rs.normal(6.0, 1.3, (N_PATIENTS, N_GENES)), columns=genes)
    response = pd.Series(rs.permutation(np.arange(N_PATIENTS) % 2), name="responder")
    # two genes carry a mild effect
    expr["g0007"] += 0.6 * response
    expr["g0311"] -= 0.6 * response
    return expr, response


class LogisticNet(torch.nn.Module):
    def __init__(self, p, hidden=8):
        super().__init__()
        self.body = torch.nn.Sequential(
            torch.nn.Linear(p, hidden), torch.nn.Tanh(), torch.nn.Dropout(0.3), torch.nn.Linear(hidden, 1)
        )

    def forward(self, x):
        return self.body(x).squeeze(1)


def fit(x, y, epochs=40):
    net = LogisticNet(x.shape[1])
    opt = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=1e-3)
    crit = torch.nn.BCEWithLogitsLoss()
    net.train()
    for _ in range(epochs):
        for b in torch.randperm(len(x)).split(33):
            opt.zero_grad()
            loss = crit(net(x[b]), y[b])
            loss.backward()
            opt.step()
    return net, loss.item()


def score(net, x):
    net.eval()
    with torch.no_grad():
        return torch.sigmoid(net(x)).numpy()


def top_genes(expr, response, k=TOP):
    sel = SelectKBest(f_classif, k=k).fit(expr, response)
    return expr.columns[sel.get_support()]


def cross_validate(expr, response, folds=10):
    aucs = []
    cv = StratifiedKFold(folds, shuffle=True, random_state=1)
    for k, (tr, te) in enumerate(cv.split(expr, response), start=1):
        panel = expr[top_genes(expr.iloc[tr], response.iloc[tr])]
        scaler = StandardScaler().fit(panel.iloc[tr])
        x_tr, x_te = (torch.tensor(scaler.transform(panel.iloc[i]), dtype=torch.float32) for i in (tr, te))
        y_tr = torch.tensor(response.iloc[tr].to_numpy(), dtype=torch.float32)
        net, last = fit(x_tr, y_tr)
        aucs.append(roc_auc_score(response.iloc[te], score(net, x_te)))
        print(f"fold {k:2d}  last batch loss {last:.3f}  AUC {aucs[-1]:.3f}")
    return np.array(aucs)


if __name__ == "__main__":
    torch.manual_seed(42)
    expr, response = load_cohort()
    aucs = cross_validate(expr, response)
    print(f"10-fold AUC: {aucs.mean():.3f} +/- {aucs.std():.3f}")
