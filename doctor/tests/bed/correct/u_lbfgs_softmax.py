# expect: nothing
"""Multinomial logistic regression on iris from raw tensors, fitted by LBFGS with an L2 penalty; three repeated holdouts."""
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler


def fit_softmax(x, y, classes, l2=1e-3, rounds=4):
    weight = torch.zeros(x.shape[1], classes, requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], lr=1.0, max_iter=20, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        log_p = torch.log_softmax(x @ weight + bias, dim=1)
        loss = torch.nn.functional.nll_loss(log_p, y) + l2 * weight.pow(2).sum()
        loss.backward()
        return loss

    for _ in range(rounds):
        loss = optimizer.step(closure)
    return weight.detach(), bias.detach(), loss.item()


def main():
    X, y = load_iris(return_X_y=True)
    splitter = StratifiedShuffleSplit(n_splits=3, test_size=0.3, random_state=83)
    scores = []
    for number, (train, test) in enumerate(splitter.split(X, y), start=1):
        scaler = StandardScaler().fit(X[train])
        x_train = torch.tensor(scaler.transform(X[train]), dtype=torch.float32)
        x_test = torch.tensor(scaler.transform(X[test]), dtype=torch.float32)
        y_train, y_test = torch.tensor(y[train]), torch.tensor(y[test])

        weight, bias, loss = fit_softmax(x_train, y_train, classes=3)
        p = torch.softmax(x_test @ weight + bias, dim=1)
        scores.append((p.argmax(dim=1) == y_test).float().mean().item())
        confidence = p.max(dim=1).values.mean().item()
        print(f"holdout {number}: loss {loss:.4f}, accuracy {scores[-1]:.3f}, mean confidence {confidence:.3f}")
    print(f"mean accuracy {sum(scores) / len(scores):.3f}")


if __name__ == "__main__":
    main()
