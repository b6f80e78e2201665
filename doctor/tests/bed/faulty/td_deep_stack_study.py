# expect: vanishing_gradient @ 45
# allowed: vanishing_gradient @ 20
# mend: 45 →     model = Stack(x_train.shape[1], 2, activation=nn.Tanh)
"""Depth study: how does a stack of twelve narrow layers do on the breast cancer table?"""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

DEPTH, WIDTH = 12, 32
EPOCHS, BATCH, LR = 20, 32, 0.01


class Stack(nn.Module):
    def __init__(self, n_in, n_out, activation):
        super().__init__()
        layers, size = [], n_in
        for _ in range(DEPTH):
            layers += [nn.Linear(size, WIDTH), activation()]
            size = WIDTH
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(size, n_out)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_normal_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.head(self.body(x))


def get_data():
    x, y = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=3)
    scaler = StandardScaler()
    x_train, x_test = scaler.fit_transform(x_train), scaler.transform(x_test)
    as_tensor = lambda a: torch.as_tensor(a, dtype=torch.float32)
    return as_tensor(x_train), as_tensor(x_test), torch.as_tensor(y_train), torch.as_tensor(y_test)


def main():
    torch.manual_seed(3)
    x_train, x_test, y_train, y_test = get_data()
    model = Stack(x_train.shape[1], 2, activation=nn.Sigmoid)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
    criterion = nn.CrossEntropyLoss()

    for epoch in range(1, EPOCHS + 1):
        model.train()
        summed = 0.0
        for rows in torch.randperm(len(x_train)).split(BATCH):
            optimizer.zero_grad()
            loss = criterion(model(x_train[rows]), y_train[rows])
            loss.backward()
            optimizer.step()
            summed += loss.item() * len(rows)
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}: train loss {summed / len(x_train):.4f}")

    model.eval()
    with torch.no_grad():
        predicted = model(x_test).argmax(dim=1)
    recall = [(predicted[y_test == c] == c).float().mean().item() for c in (0, 1)]
    print(f"test accuracy {(predicted == y_test).float().mean().item():.3f}, per class {recall[0]:.3f} / {recall[1]:.3f}")


if __name__ == "__main__":
    main()
