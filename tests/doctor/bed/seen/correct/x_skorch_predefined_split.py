# needs: skorch
# expect: nothing
# looks suspicious: a Dataset of the person's own instead of arrays, a validation set given whole, training
# continued by partial_fit, and gradients clipped by a callback.
"""Datasets of torch with predefined_split, a small convolution, warm start, then the held-out rows once."""

import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from skorch import NeuralNetClassifier
from skorch.callbacks import GradientNormClipping, LRScheduler
from skorch.helper import predefined_split
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import Dataset

torch.manual_seed(9)


class Digits(Dataset):
    def __init__(self, rows):
        images, labels = load_digits(return_X_y=True)
        self.x = torch.tensor(images[rows] / 16, dtype=torch.float32).view(-1, 1, 8, 8)
        self.y = torch.tensor(labels[rows])

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 12, 3, padding=1)
        self.bn = nn.BatchNorm2d(12)
        self.fc = nn.Linear(12 * 16, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.bn(self.conv(x))), 2)
        return self.fc(x.flatten(1))


order = torch.randperm(1797, generator=torch.Generator().manual_seed(0)).numpy()
train, valid, test = Digits(order[:1000]), Digits(order[1000:1300]), Digits(order[1300:])
net = NeuralNetClassifier(
    Cnn,
    classes=list(range(10)),
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.SGD,
    optimizer__momentum=0.9,
    lr=0.05,
    batch_size=50,
    max_epochs=4,
    iterator_train__shuffle=True,
    iterator_valid__batch_size=300,
    train_split=predefined_split(valid),
    callbacks=[
        ("clip", GradientNormClipping(5.0)),
        ("cosine", LRScheduler(CosineAnnealingLR, T_max=6 * 20, step_every="batch")),
    ],
    verbose=0,
)
net.fit(train, y=None)
net.partial_fit(train, y=None, epochs=2)
for row in net.history:
    print(row["epoch"], round(row["train_loss"], 4), round(row["valid_acc"], 3))
print("test", round(accuracy_score(test.y.numpy(), net.predict(test)), 3))
