# expect: vanishing_gradient @ 50
# allowed: vanishing_gradient @ 15
"""A deep narrow classifier on the digits, built from a list of widths."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(50)


def mlp(widths, act):
    layers = []
    for a, b in zip(widths[:-2], widths[1:-1]):
        layers += [nn.Linear(a, b), act()]
    layers.append(nn.Linear(widths[-2], widths[-1]))
    return nn.Sequential(*layers)


def get_data():
    X, y = load_digits(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=5, stratify=y)
    to = lambda a: torch.tensor(a / 8.0 - 1.0, dtype=torch.float32)
    return to(Xa), torch.tensor(ya), to(Xb), torch.tensor(yb)


def train(model, x, y, epochs=15, lr=0.05):
    opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(48):
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} loss {total / len(x):.4f}")


def test(model, x, y):
    model.eval()
    with torch.inference_mode():
        return (model(x).argmax(1) == y).float().mean().item()


if __name__ == "__main__":
    xa, ya, xb, yb = get_data()
    net = mlp([64] + [40] * 7 + [10], nn.Sigmoid)
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
            nn.init.zeros_(m.bias)
    train(net, xa, ya)
    print(f"test accuracy {test(net, xb, yb):.3f}")
