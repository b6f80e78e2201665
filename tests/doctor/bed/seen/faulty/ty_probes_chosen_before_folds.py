# expect: scaler_leakage @ 59
# allowed: scaler_leakage @ 60
# allowed: scaler_leakage @ 62
# allowed: scaler_leakage @ 63
"""Gene expression style study: few patients, many probes, 5-fold CV of a small net."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

N_PATIENTS, N_PROBES, N_INFORMATIVE = 90, 1500, 10
KEEP = 25


def simulate(seed=17):
    rng = np.random.default_rng(seed)
    response = rng.permutation(np.repeat([0, 1], N_PATIENTS // 2))
    values = rng.normal(8.0, 2.0, size=(N_PATIENTS, N_PROBES))
    values[:, :N_INFORMATIVE] += 1.8 * response[:, None]
    frame = pd.DataFrame(values, columns=[f"probe_{i:04d}" for i in range(N_PROBES)])
    frame["response"] = response
    return frame


def preprocess():
    return make_pipeline(StandardScaler(), SelectKBest(f_classif, k=KEEP))


def tensors(x, y):
    return torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(y, dtype=torch.float32)


def fit_network(x, y, epochs=15):
    net = nn.Sequential(nn.Linear(x.shape[1], 8), nn.ELU(), nn.Linear(8, 1))
    opt = torch.optim.AdamW(net.parameters(), lr=1e-2, weight_decay=1e-2)
    criterion = nn.BCEWithLogitsLoss()
    for _ in range(epochs):
        for idx in torch.randperm(len(x)).split(16):
            opt.zero_grad()
            loss = criterion(net(x[idx]).squeeze(1), y[idx])
            loss.backward()
            opt.step()
    return net, loss.item()


@torch.inference_mode()
def accuracy(net, x, y):
    net.eval()
    return ((net(x).squeeze(1) > 0).float() == y).float().mean().item()


def cross_validate(frame, folds=5):
    y = frame["response"].to_numpy()
    x = frame.drop(columns="response").to_numpy()
    x = preprocess().fit_transform(x, y)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=17)
    results = []
    for k, (tr, te) in enumerate(splitter.split(x, y)):
        x_tr, x_te = x[tr], x[te]
        xt, yt = tensors(x_tr, y[tr])
        xv, yv = tensors(x_te, y[te])
        net, last_loss = fit_network(xt, yt)
        acc = accuracy(net, xv, yv)
        print(f"fold {k}: last batch loss {last_loss:.4f}, held-out accuracy {acc:.3f}")
        results.append(acc)
    return np.array(results)


def main():
    torch.manual_seed(17)
    scores = cross_validate(simulate())
    print(f"CV accuracy {scores.mean():.3f} +- {scores.std(ddof=1):.3f}")


if __name__ == "__main__":
    main()
