# expect: softmax_before_cross_entropy @ 19
# allowed: softmax_before_cross_entropy @ 27
# allowed: softmax_before_cross_entropy @ 51
"""Three MLP shapes on digits, same budget, same builder."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SHAPES = {
    "narrow": [64, 16, 10],
    "wide": [64, 96, 10],
    "two-deep": [64, 48, 24, 10],
}
EPOCHS = 5


def build_mlp(sizes, act=nn.ReLU, out_act=nn.Softmax(dim=1)):
    mods = []
    last = len(sizes) - 2
    for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:])):
        mods.append(nn.Linear(a, b))
        if i < last:
            mods.append(act())
        elif out_act is not None:
            mods.append(out_act)
    return nn.Sequential(*mods)


def get_data(seed):
    X, y = load_digits(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)
    mu, sd = Xa.mean(0), Xa.std(0)
    sd[sd < 1e-6] = 1.0
    pack = lambda X, y: TensorDataset(
        torch.tensor((X - mu) / sd, dtype=torch.float32).clamp(-5, 5), torch.tensor(y, dtype=torch.long)
    )
    return pack(Xa, ya), pack(Xb, yb)


def fit(net, train_set, epochs=EPOCHS, lr=0.02):
    loss_fn = nn.CrossEntropyLoss()
    opt = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    history = []
    for _ in range(epochs):
        net.train()
        running, seen = 0.0, 0
        for xb, yb in DataLoader(train_set, batch_size=32, shuffle=True):
            opt.zero_grad(set_to_none=True)
            loss = loss_fn(net(xb), yb)
            loss.backward()
            opt.step()
            running += loss.item() * len(xb)
            seen += len(xb)
        history.append(running / seen)
    return history


@torch.inference_mode()
def score(net, test_set):
    net.eval()
    right = 0
    for xb, yb in DataLoader(test_set, batch_size=256):
        right += (net(xb).argmax(dim=1) == yb).sum().item()
    return right / len(test_set)


if __name__ == "__main__":
    train_set, test_set = get_data(seed=3)
    for name, sizes in SHAPES.items():
        torch.manual_seed(3)
        net = build_mlp(sizes)
        hist = fit(net, train_set)
        print(f"{name:9s} loss {hist[0]:.3f} -> {hist[-1]:.3f}   test acc {score(net, test_set):.3f}")
