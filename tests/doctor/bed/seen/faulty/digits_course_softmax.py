# expect: softmax_before_cross_entropy @ 48
# expect: missing_zero_grad @ 66
"""Digits with an MLP that ends in a Softmax layer; mean and deviation of the loss per epoch."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

args = {
    "batch_size": 20,
    "num_workers": 0,
    "num_classes": 10,
    "lr": 1e-4,
    "weight_decay": 5e-4,
    "num_epochs": 5,
}
args["device"] = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
torch.manual_seed(0)

digits = load_digits()
images = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
train_set = TensorDataset(images, torch.tensor(digits.target))
train_loader = DataLoader(
    train_set,
    batch_size=args["batch_size"],
    shuffle=True,
    num_workers=args["num_workers"],
)


class MLP(nn.Module):
    def __init__(self, input_size, hidden_size, out_size):
        super().__init__()
        self.features = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
        )
        self.out = nn.Linear(hidden_size, out_size)
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, X):
        X = X.view(X.size(0), -1)
        feature = self.features(X)
        return self.softmax(self.out(feature))


net = MLP(64, 128, args["num_classes"]).to(args["device"])
criterion = nn.CrossEntropyLoss().to(args["device"])
optimizer = optim.Adam(net.parameters(), lr=args["lr"], weight_decay=args["weight_decay"])

for epoch in range(args["num_epochs"]):
    epoch_loss = []
    for batch in train_loader:
        dado, rotulo = batch
        dado = dado.to(args["device"])
        rotulo = rotulo.to(args["device"])

        pred = net(dado)
        loss = criterion(pred, rotulo)
        epoch_loss.append(loss.cpu().data)

        loss.backward()
        optimizer.step()

    epoch_loss = np.asarray(epoch_loss)
    print(f"Epoca {epoch}, Loss: {epoch_loss.mean():.4f} +/- {epoch_loss.std():.4f}")
