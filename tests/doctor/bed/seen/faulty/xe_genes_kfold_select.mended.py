# expect: nothing
"""Response to a drug from a wide gene table: select the best genes, scale them, small net, 5 folds."""
import numpy as np
import pandas as pd
import torch
from sklearn.feature_selection import f_classif
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from torch import nn

torch.manual_seed(17)
rng = np.random.default_rng(17)

n, p = 160, 2000
genes = pd.DataFrame(rng.lognormal(2.0, 0.5, size=(n, p)), columns=[f"g{i:04d}" for i in range(p)])
response = pd.Series(rng.permutation(np.repeat([0, 1], n // 2)), name="response")
# a handful of genes really matter
for col in genes.columns[:6]:
    genes[col] *= np.exp(0.4 * response)


class TopGenes:
    """Keeps the k genes with the largest F and standardises their logarithm."""

    def __init__(self, k=20):
        self.k = k

    def fit(self, frame, target):
        logs = np.log(frame)
        score, _ = f_classif(logs, target)
        self.keep = frame.columns[np.argsort(score)[::-1][: self.k]]
        self.mu, self.sd = logs[self.keep].mean(), logs[self.keep].std()
        return self

    def __call__(self, frame):
        z = (np.log(frame[self.keep]) - self.mu) / self.sd
        return torch.tensor(z.to_numpy(), dtype=torch.float32)


def fit_net(x, t, epochs=25):
    net = nn.Sequential(nn.Linear(x.shape[1], 16), nn.ReLU(), nn.Linear(16, 1))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3, weight_decay=1e-4)
    loss_fn = nn.BCEWithLogitsLoss()
    for _ in range(epochs):
        for idx in torch.randperm(len(x)).split(16):
            opt.zero_grad()
            loss_fn(net(x[idx]).squeeze(1), t[idx]).backward()
            opt.step()
    return net.eval()


folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=17)
aucs = []
for k, (tr, te) in enumerate(folds.split(genes, response), start=1):
    prep = TopGenes(20).fit(genes.iloc[tr], response.iloc[tr])
    x_tr, x_te = prep(genes.iloc[tr]), prep(genes.iloc[te])
    t_tr = torch.tensor(response.iloc[tr].to_numpy(), dtype=torch.float32)

    net = fit_net(x_tr, t_tr)
    with torch.no_grad():
        score = net(x_te).squeeze(1).numpy()
    aucs.append(roc_auc_score(response.iloc[te], score))
    known = sum(c in prep.keep for c in genes.columns[:6])
    print(f"fold {k}: AUC {aucs[-1]:.3f}  ({known} of the 6 real genes among the kept)")

print(f"AUC over folds: {np.mean(aucs):.3f} +- {np.std(aucs):.3f}")
