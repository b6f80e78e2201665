# expect: dead_relu @ 30
# allowed: dead_relu @ 27
# allowed: dead_relu @ 28
# mend: 30 →                 nn.init.constant_(module.bias, bias if module is self.head else 0.0)
"""Card payments: weighted loss against the imbalance and a head that starts at the base rate."""
import math

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, f1_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


class FraudNet(nn.Module):
    def __init__(self, n_in, prior, width=48):
        super().__init__()
        self.fc1 = nn.Linear(n_in, width)
        self.fc2 = nn.Linear(width, width)
        self.head = nn.Linear(width, 1)
        self.reset_parameters(prior)

    def reset_parameters(self, prior):
        bias = -math.log((1 - prior) / prior)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.constant_(module.bias, bias)

    def forward(self, x):
        h = torch.relu(self.fc1(x))
        h = torch.relu(self.fc2(h))
        return self.head(h).squeeze(1)


def payments(seed):
    x, y = make_classification(n_samples=3000, n_features=12, n_informative=8, n_redundant=2, weights=[0.95],
                               flip_y=0.0, class_sep=1.2, random_state=seed)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(x_train)
    return scaler.transform(x_train), scaler.transform(x_test), y_train, y_test


def main(seed=19, epochs=15):
    torch.manual_seed(seed)
    x_train, x_test, y_train, y_test = payments(seed)
    x = torch.tensor(x_train, dtype=torch.float32)
    y = torch.tensor(y_train, dtype=torch.float32)
    model = FraudNet(x.shape[1], prior=float(y.mean()))
    criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(4.0))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(epochs):
        model.train()
        losses = []
        for rows in torch.randperm(len(x)).split(64):
            loss = criterion(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}  loss {np.mean(losses):.4f}")

    model.eval()
    with torch.no_grad():
        probability = torch.sigmoid(model(torch.tensor(x_test, dtype=torch.float32))).numpy()
    flagged = probability > 0.5
    print(f"test AP {average_precision_score(y_test, probability):.3f}  F1 {f1_score(y_test, flagged):.3f}  "
          f"flagged {flagged.sum()} of {len(flagged)}, fraud {y_test.sum()}")


if __name__ == "__main__":
    main()
