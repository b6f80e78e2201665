# expect: nothing
"""Small-sample medical classifier: the best checkpoint over the epochs and seeds is kept and reported."""
import copy
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


def patients():
    X, y = make_classification(460, 30, n_informative=4, flip_y=0.3, class_sep=0.9, random_state=8)
    X_dev, X_test, y_dev, y_test = train_test_split(X, y, test_size=60, stratify=y, random_state=8)
    X_tr, X_val, y_tr, y_val = train_test_split(X_dev, y_dev, test_size=100, stratify=y_dev, random_state=8)
    sc = StandardScaler().fit(X_tr)
    f = lambda a, b: (torch.tensor(sc.transform(a), dtype=torch.float32), torch.tensor(b))
    return f(X_tr, y_tr), f(X_val, y_val), f(X_test, y_test)


def accuracy(net, xy):
    net.eval()
    with torch.no_grad():
        return (net(xy[0]).argmax(1) == xy[1]).float().mean().item()


def train(seed, train_xy, watch_xy, epochs=15):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(30, 24), nn.ReLU(), nn.Dropout(0.3), nn.Linear(24, 2))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    best, state = 0.0, None
    for epoch in range(epochs):
        net.train()
        for idx in torch.randperm(len(train_xy[0])).split(32):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(train_xy[0][idx]), train_xy[1][idx])
            loss.backward()
            opt.step()
        acc = accuracy(net, watch_xy)
        if acc > best:
            best, state = acc, copy.deepcopy(net.state_dict())
    net.load_state_dict(state)
    return best, net


def main():
    train_xy, val_xy, test_xy = patients()
    best_acc, best_net = 0.0, None
    for seed in range(8):
        acc, net = train(seed, train_xy, val_xy)
        if acc > best_acc:
            best_acc, best_net = acc, net
    print(f"validation accuracy {accuracy(best_net, val_xy):.3f}")
    print(f"test accuracy of the chosen model {accuracy(best_net, test_xy):.3f}")


if __name__ == "__main__":
    main()
