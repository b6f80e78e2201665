# expect: duplicate_leakage @ 32
# allowed: duplicate_leakage @ 33
# Final project, image classification with few pictures.
# We use 500 of the sklearn digits, enlarge them with shifted and noisy copies and train a small CNN.
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
rng = np.random.default_rng(0)

images, labels = load_digits(return_X_y=True)
chosen = rng.permutation(len(images))[:500]
images = images[chosen].reshape(-1, 8, 8) / 16.0
labels = labels[chosen]
print("pictures:", len(images))


def enlarge(images, labels, copies=3):
    """The originals and, for each of them, some noisy copies in other brightness."""
    xs, ys = [images], [labels]
    for _ in range(copies):
        gain = rng.uniform(0.7, 1.1, size=(len(images), 1, 1))
        noise = 0.08 * rng.standard_normal(images.shape)
        xs.append(np.clip(images * gain + noise, 0, 1))
        ys.append(labels)
    return np.concatenate(xs), np.concatenate(ys)


images, labels = enlarge(images, labels)
X_train, X_test, y_train, y_test = train_test_split(
    images, labels, test_size=0.3, stratify=labels, random_state=0)
print("training pictures:", len(X_train), " test pictures:", len(X_test))

X_train = torch.tensor(X_train, dtype=torch.float32).unsqueeze(1)
X_test = torch.tensor(X_test, dtype=torch.float32).unsqueeze(1)
y_train = torch.tensor(y_train)
y_test = torch.tensor(y_test)
mean, std = X_train.mean(), X_train.std()
X_train = (X_train - mean) / std
X_test = (X_test - mean) / std

model = nn.Sequential(
    nn.Conv2d(1, 8, 3), nn.ReLU(),
    nn.Flatten(), nn.Linear(8 * 36, 64), nn.ReLU(),
    nn.Linear(64, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)

for epoch in range(7):
    model.train()
    losses = []
    for batch in torch.randperm(len(X_train)).split(64):
        optimizer.zero_grad()
        loss = criterion(model(X_train[batch]), y_train[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 3 == 0:
        print("epoch", epoch, "loss %.4f" % np.mean(losses))

model.eval()
with torch.no_grad():
    predicted = model(X_test).argmax(1)
accuracy = (predicted == y_test).float().mean().item()
print("test accuracy: %.3f" % accuracy)
