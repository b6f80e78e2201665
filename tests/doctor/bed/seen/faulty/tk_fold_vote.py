# expect: metric_wrong_axis @ 57
"""Digits: five fold models vote on held-out images by the mean of their probabilities."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, train_test_split
from torch import nn

# %% data
images, labels = load_digits(return_X_y=True)
images = (images / 16.0 - 0.5).astype(np.float32)
x_dev, x_test, y_dev, y_test = train_test_split(images, labels, test_size=0.25, stratify=labels, random_state=8)
x_dev, y_dev = torch.from_numpy(x_dev), torch.from_numpy(y_dev)
x_test, y_test = torch.from_numpy(x_test), torch.from_numpy(y_test)
torch.manual_seed(8)


# %% model
def make_net():
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.1), nn.Linear(96, 10),
    )


def train_fold(rows, epochs=8, batch=64):
    net = make_net()
    opt = torch.optim.Adam(net.parameters(), lr=4e-3)
    for _ in range(epochs):
        net.train()
        for part in rows[torch.randperm(len(rows))].split(batch):
            loss = F.cross_entropy(net(x_dev[part]), y_dev[part])
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
    return net.eval()


# %% folds
members = []
folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=8)
for k, (fit_rows, held_rows) in enumerate(folds.split(x_dev.numpy(), y_dev.numpy())):
    net = train_fold(torch.from_numpy(fit_rows))
    with torch.no_grad():
        held = net(x_dev[held_rows])
    hit = (held.argmax(1) == y_dev[held_rows]).float().mean().item()
    print(f"fold {k}: held-out accuracy {hit:.3f}")
    members.append(net)

# %% the vote on the test images
with torch.inference_mode():
    logits = torch.stack([net(x_test) for net in members])
    probability = logits.softmax(dim=2).mean(dim=0)
vote = probability.argmax(dim=0)[torch.arange(len(y_test)) % 10]
accuracy = (vote == y_test).float().mean().item()
per_class = [(vote[y_test == c] == c).float().mean().item() for c in range(10)]
print(f"ensemble accuracy {accuracy:.3f}")
print("recall per digit  " + " ".join(f"{r:.2f}" for r in per_class))
