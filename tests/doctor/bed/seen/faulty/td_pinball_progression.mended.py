# expect: nothing
"""Disease progression a year on (diabetes data): the 10 %, 50 % and 90 % quantiles, a small net for each level."""
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from torch import nn


def pinball(level):
    """Return the loss for one quantile level."""
    def loss(prediction, target):
        error = target - prediction
        return torch.maximum(level * error, (level - 1) * error).mean()
    return loss


def standardiser(reference):
    mean, std = reference.mean(0), reference.std(0)
    return lambda t: (t - mean) / std


def prepare():
    x, y = load_diabetes(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=7)
    to = lambda a: torch.tensor(a, dtype=torch.float32)
    fx, fy = standardiser(to(x_train)), standardiser(to(y_train))
    return fx(to(x_train)), fx(to(x_test)), fy(to(y_train)), fy(to(y_test))


def make_net(n_in):
    return nn.Sequential(nn.Linear(n_in, 8), nn.Tanh(), nn.Linear(8, 1))


def fit_quantile(level, x, y, epochs=15, batch_size=32):
    net = make_net(x.shape[1])
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    criterion = pinball(level)
    for _ in range(epochs):
        for idx in torch.randperm(len(x)).split(batch_size):
            prediction = net(x[idx])
            loss = criterion(prediction, y[idx].unsqueeze(1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net


def main():
    torch.manual_seed(0)
    x_train, x_test, y_train, y_test = prepare()
    quantiles = {}
    for level in (0.1, 0.5, 0.9):
        net = fit_quantile(level, x_train, y_train)
        net.eval()
        with torch.no_grad():
            quantiles[level] = net(x_test).squeeze(1)
        below = (y_test <= quantiles[level]).float().mean().item()
        print(f"level {level:.1f}: share of test patients below {below:.2f}")

    median_error = (y_test - quantiles[0.5]).abs().mean().item()
    baseline = (y_test - y_train.median()).abs().mean().item()
    width = (quantiles[0.9] - quantiles[0.1]).mean().item()
    print(f"median error {median_error:.3f} (constant guess {baseline:.3f}), mean band width {width:.3f}")


if __name__ == "__main__":
    main()
