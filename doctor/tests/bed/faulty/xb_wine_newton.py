# missed: sorted_split @ 24
# allowed: sorted_split @ 15
# allowed: sorted_split @ 23
# allowed: sorted_split @ 77
# mend: 22 →     """Random part for fitting, the rest is held out."""
# mend: 22 +     frame = frame.sample(frac=1.0, random_state=4)
# Multinomial logistic regression on the wine table, raw tensors, full-batch LBFGS.
import torch
from sklearn.datasets import load_wine

torch.set_default_dtype(torch.float64)


def load_frame():
    frame = load_wine(as_frame=True).frame
    print(f"{len(frame)} wines, {frame.shape[1] - 1} measurements, "
          f"cultivars {sorted(frame['target'].unique().tolist())}")
    return frame


def split(frame, holdout=0.25):
    """First part for fitting, the rest is held out."""
    cut = int(len(frame) * (1 - holdout))
    return frame.iloc[:cut], frame.iloc[cut:]


def to_tensors(part):
    X = torch.from_numpy(part.drop(columns="target").to_numpy(copy=True))
    y = torch.from_numpy(part["target"].to_numpy(copy=True))
    return X, y


def standardizer(X):
    mu, sd = X.mean(dim=0), X.std(dim=0)
    return lambda Z: (Z - mu) / sd


def log_softmax(scores):
    shifted = scores - scores.max(dim=1, keepdim=True).values
    return shifted - shifted.exp().sum(dim=1, keepdim=True).log()


def neg_log_lik(theta, X, y):
    weight, bias = theta
    logp = log_softmax(X @ weight + bias)
    return -logp.gather(1, y.unsqueeze(1)).mean()


def fit(X, y, n_classes=3, ridge=1e-2, outer=4):
    weight = torch.zeros(X.shape[1], n_classes, requires_grad=True)
    bias = torch.zeros(n_classes, requires_grad=True)
    theta = (weight, bias)
    opt = torch.optim.LBFGS(theta, max_iter=10, history_size=8, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        obj = neg_log_lik(theta, X, y) + 0.5 * ridge * weight.pow(2).sum()
        obj.backward()
        return obj

    for k in range(outer):
        obj = opt.step(closure)
        print(f"  outer {k}: objective {obj.item():.5f}, |grad| {weight.grad.norm().item():.2e}")
    return tuple(p.detach() for p in theta)


def confusion(theta, X, y, n_classes=3):
    weight, bias = theta
    guess = (X @ weight + bias).argmax(dim=1)
    table = torch.zeros(n_classes, n_classes, dtype=torch.long)
    for truth, g in zip(y.tolist(), guess.tolist()):
        table[truth, g] += 1
    return table


frame = load_frame()
fit_part, held_out = split(frame)
X_fit, y_fit = to_tensors(fit_part)
X_out, y_out = to_tensors(held_out)
scale = standardizer(X_fit)
X_fit, X_out = scale(X_fit), scale(X_out)

theta = fit(X_fit, y_fit)
for name, X, y in [("fit", X_fit, y_fit), ("held out", X_out, y_out)]:
    table = confusion(theta, X, y)
    print(f"{name}: nll {neg_log_lik(theta, X, y).item():.4f}, "
          f"accuracy {table.diag().sum().item() / len(y):.3f}")
    print(table)
