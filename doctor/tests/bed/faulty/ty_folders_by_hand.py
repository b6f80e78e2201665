# missed: unshuffled_sorted @ 42
# allowed: unshuffled_sorted @ 41
# allowed: unshuffled_sorted @ 69
# allowed: unshuffled_sorted @ 75
# allowed: lr_too_high @ 66
# mend: 41 →     order = torch.randperm(len(x))
# mend: 42 →     for picked in order.split(size):
# mend: 42 +         yield x[picked], y[picked]
# Softmax regression with raw tensors; the pictures are collected "folder by folder".
import torch
from sklearn.datasets import load_digits

torch.manual_seed(9)

BATCH = 16
LR = 0.1
MOMENTUM = 0.9
EPOCHS = 3
HIDDEN = 48


def read_folders(source, classes=range(10)):
    """Mimics walking through data/0, data/1, ... and yields (class, images)."""
    for c in classes:
        yield c, torch.tensor(source.data[source.target == c], dtype=torch.float32) / 16.0


def gather(source, test_share=0.25):
    train_x, train_y, test_x, test_y = [], [], [], []
    for c, images in read_folders(source):
        images = images[torch.randperm(len(images))]
        k = int(len(images) * test_share)
        test_x.append(images[:k])
        test_y.append(torch.full((k,), c))
        train_x.append(images[k:])
        train_y.append(torch.full((len(images) - k,), c))
    return tuple(torch.cat(part) for part in (train_x, train_y, test_x, test_y))


def batches(x, y, size=BATCH):
    for start in range(0, len(x), size):
        yield x[start:start + size], y[start:start + size]


def init(n_in, n_hidden, n_out):
    w1 = torch.randn(n_in, n_hidden) * (2.0 / n_in) ** 0.5
    w2 = torch.randn(n_hidden, n_out) * (1.0 / n_hidden) ** 0.5
    weights = [w1, torch.zeros(n_hidden), w2, torch.zeros(n_out)]
    return [w.requires_grad_() for w in weights]


def forward(weights, x):
    w1, b1, w2, b2 = weights
    return torch.relu(x @ w1 + b1) @ w2 + b2


def nll(logits, y):
    logp = logits - logits.logsumexp(dim=1, keepdim=True)
    return -logp[torch.arange(len(y)), y].mean()


def sgd(weights, grads, velocity):
    with torch.no_grad():
        for w, g, v in zip(weights, grads, velocity):
            v.mul_(MOMENTUM).add_(g)
            w.sub_(LR * v)


train_x, train_y, test_x, test_y = gather(load_digits())
weights = init(train_x.shape[1], HIDDEN, 10)
velocity = [torch.zeros_like(w) for w in weights]

for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in batches(train_x, train_y):
        loss = nll(forward(weights, xb), yb)
        grads = torch.autograd.grad(loss, weights)
        sgd(weights, grads, velocity)
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1}: mean train loss {total / len(train_x):.4f}")

with torch.no_grad():
    predicted = forward(weights, test_x).argmax(dim=1)
    print(f"test accuracy {(predicted == test_y).float().mean().item():.3f}")
    for c in range(10):
        recall = (predicted[test_y == c] == c).float().mean().item()
        print(f"  digit {c}: recall {recall:.2f}")
