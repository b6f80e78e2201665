# expect: nothing
# Gene panel: which of 1500 expression values tell responders from non-responders?
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PATIENTS, GENES, PANEL = 150, 1500, 25
REAL, EFFECT = 8, 0.6  # few genes matter, and each only a little


def cohort(seed):
    rng = np.random.default_rng(seed)
    response = rng.permutation(np.arange(PATIENTS) % 2)
    log_expr = rng.normal(6.0, 1.5, size=(PATIENTS, GENES))
    log_expr[:, :REAL] += EFFECT * 1.5 * response[:, None]
    return log_expr, response


def panel_pipeline():
    return make_pipeline(StandardScaler(), SelectKBest(f_classif, k=PANEL))


def prepare(expr, response, seed):
    panel = panel_pipeline()
    tr, te, r_tr, r_te = train_test_split(
        expr, response, test_size=50, stratify=response, random_state=seed
    )
    tr = panel.fit_transform(tr, r_tr)
    te = panel.transform(te)
    f32 = lambda a: torch.as_tensor(a, dtype=torch.float32)
    return f32(tr), f32(r_tr), f32(te), f32(r_te)


def logistic(x, w, b):
    return x @ w + b


def train(x, r, ridge=0.05, epochs=30):
    w = (0.01 * torch.randn(x.shape[1])).requires_grad_()
    b = torch.zeros((), requires_grad=True)
    opt = torch.optim.Adam([w, b], lr=0.03)
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(20):
            loss = F.binary_cross_entropy_with_logits(logistic(x[rows], w, b), r[rows])
            penalty = ridge * w.square().sum()
            opt.zero_grad()
            (loss + penalty).backward()
            opt.step()
            total += loss.item() * len(rows)
        if epoch % 10 == 9:
            print(f"    epoch {epoch + 1}: bce {total / len(x):.4f}")
    return w.detach(), b.detach()


torch.manual_seed(9)
scores = []
expr, response = cohort(9)
for split_seed in range(3):  # three random splits, to see the spread
    x, r, x_te, r_te = prepare(expr, response, split_seed)
    print(f"split {split_seed}: {len(x)} for training, {len(x_te)} held out")
    w, b = train(x, r)
    hit = ((logistic(x_te, w, b) > 0).float() == r_te).float().mean().item()
    scores.append(hit)
print(f"held-out accuracy {np.mean(scores):.3f} (+- {np.std(scores):.3f}), by chance 0.5")
