# expect: unshuffled_sorted @ 79
# allowed: unshuffled_sorted @ 39
# allowed: unshuffled_sorted @ 69
"""Five drawn shapes told apart by a convolutional network (a tutorial in plain functions)."""
import numpy as np
import torch
import torch.nn as nn

SHAPES = ("disc", "square", "cross", "ring", "triangle")
SIZE = 12


def draw(shape, rng):
    yy, xx = np.mgrid[:SIZE, :SIZE].astype(float)
    y, x, r = yy - rng.uniform(4.5, 6.5), xx - rng.uniform(4.5, 6.5), rng.uniform(2.8, 4.0)
    dist = np.hypot(y, x)
    if shape == "disc":
        mask = dist <= r
    elif shape == "square":
        mask = np.maximum(abs(y), abs(x)) <= r * 0.9
    elif shape == "cross":
        mask = (np.minimum(abs(y), abs(x)) <= 0.8) & (np.maximum(abs(y), abs(x)) <= r)
    elif shape == "ring":
        mask = abs(dist - r) <= 0.8
    else:
        mask = (y >= -r) & (y <= r) & (abs(x) <= (y + r) / 2)
    return mask * rng.uniform(0.7, 1.0) + rng.normal(0, 0.15, (SIZE, SIZE))


def make_images(per_class, rng):
    X, y = [], []
    for label, shape in enumerate(SHAPES):
        for _ in range(per_class):
            X.append(draw(shape, rng))
            y.append(label)
    return (torch.tensor(np.array(X)[:, None], dtype=torch.float32), torch.tensor(y))


def iterate_minibatches(inputs, targets, batchsize, shuffle=False):
    indices = np.arange(len(inputs))
    if shuffle:
        np.random.shuffle(indices)
    for start in range(0, len(indices), batchsize):
        excerpt = indices[start:start + batchsize]
        yield inputs[excerpt], targets[excerpt]


def build_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 9, 32), nn.ReLU(), nn.Linear(32, len(SHAPES)),
    )


def accuracy(network, X, y):
    network.eval()
    right = 0
    with torch.no_grad():
        for inputs, targets in iterate_minibatches(X, y, 100):
            right += (network(inputs).argmax(1) == targets).sum().item()
    return right / len(y)


np.random.seed(4)
torch.manual_seed(4)
torch.set_num_threads(1)
rng = np.random.default_rng(4)
X_train, y_train = make_images(160, rng)
X_test, y_test = make_images(60, rng)

network = build_cnn()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)

for epoch in range(10):
    network.train()
    train_err, train_batches = 0.0, 0
    for inputs, targets in iterate_minibatches(X_train, y_train, 32):
        optimizer.zero_grad()
        loss = criterion(network(inputs), targets)
        loss.backward()
        optimizer.step()
        train_err += loss.item()
        train_batches += 1
    if epoch % 2 == 1:
        print(f"epoch {epoch + 1} of 10: training loss {train_err / train_batches:.4f}")
print(f"test accuracy: {100 * accuracy(network, X_test, y_test):.2f} %")
