# expect: nothing
# needs: skorch
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.metrics import classification_report
from sklearn.model_selection import GridSearchCV, train_test_split
from skorch import NeuralNetClassifier
from torch import nn


class Cnn(nn.Module):
    def __init__(self, channels=10, dropout=0.3):
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(channels, 2 * channels, kernel_size=3, padding=1)
        self.conv2_drop = nn.Dropout2d(p=dropout)
        self.fc1 = nn.Linear(2 * channels * 4, 50)
        self.fc2 = nn.Linear(50, 10)
        self.fc1_drop = nn.Dropout(p=dropout)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2_drop(self.conv2(x)), 2))
        x = x.view(-1, x.size(1) * x.size(2) * x.size(3))
        x = F.relu(self.fc1_drop(self.fc1(x)))
        return F.softmax(self.fc2(x), dim=-1)


torch.manual_seed(0)
np.random.seed(0)

digits = load_digits()
X = (digits.images / 16.0).astype("float32")[:, np.newaxis]
y = digits.target.astype("int64")
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=42)

cnn = NeuralNetClassifier(
    Cnn,
    max_epochs=8,
    lr=0.008,
    optimizer=torch.optim.Adam,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
    device="cpu",
)

grid = GridSearchCV(
    cnn,
    {"module__dropout": [0.1, 0.3]},
    cv=3,
    scoring="accuracy",
    refit=True,
)
grid.fit(X_train, y_train)
print("cv accuracy: {:.4f} with {}".format(grid.best_score_, grid.best_params_))
print(classification_report(y_test, grid.predict(X_test), digits=3))
