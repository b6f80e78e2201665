# expect: nothing
# needs: skorch
"""Shape classifier with skorch: circles, squares, triangles and crosses drawn by hand."""
import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(13)
rng = np.random.default_rng(13)
SIZE, PER_CLASS = 20, 240
SHAPES = ["circle", "square", "triangle", "cross"]


def draw(shape):
    yy, xx = np.mgrid[:SIZE, :SIZE]
    r = rng.uniform(4.0, 6.5)
    cy, cx = rng.uniform(r, SIZE - r, 2)
    dy, dx = yy - cy, xx - cx
    if shape == "circle":
        m = dy ** 2 + dx ** 2 < r ** 2
    elif shape == "square":
        m = (abs(dy) < r * 0.85) & (abs(dx) < r * 0.85)
    elif shape == "triangle":
        m = (dy < r) & (dy > -r + 2 * abs(dx))
    else:
        m = ((abs(dy) < r * 0.35) | (abs(dx) < r * 0.35)) & (abs(dy) < r) & (abs(dx) < r)
    return m.astype(np.float32) + rng.normal(0, 0.3, m.shape).astype(np.float32)


images, labels = [], []
for k, shape in enumerate(SHAPES):
    for _ in range(PER_CLASS):
        images.append(draw(shape))
        labels.append(k)
X = np.stack(images)[:, None]
y = np.array(labels, dtype=np.int64)

X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=0.75, stratify=y, random_state=13)
print("train", X_train.shape, "test", X_test.shape)


class ShapeNet(nn.Module):
    def __init__(self, width=12, n_out=len(SHAPES)):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 5, padding=2), nn.BatchNorm2d(width), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, width * 2, 3, padding=1), nn.BatchNorm2d(width * 2), nn.ReLU(),
            nn.MaxPool2d(2))
        self.head = nn.Linear(width * 2 * 25, n_out)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


net = NeuralNetClassifier(
    ShapeNet,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=2e-3,
    batch_size=32,
    max_epochs=16,
    train_split=None,
    iterator_train__shuffle=True,
    callbacks=[EpochScoring("accuracy", on_train=True, name="train_acc",
                            lower_is_better=False)],
)
net.fit(X_train, y_train)

pred = net.predict(X_test)
print(f"test accuracy: {accuracy_score(y_test, pred):.3f}")
print(classification_report(y_test, pred, labels=range(len(SHAPES)),
                            target_names=SHAPES, zero_division=0))
