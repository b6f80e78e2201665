# expect: nothing
"""Deep bottleneck autoencoder on the 8x8 digits; reports the share of held-out variance that the code keeps."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class DeepAutoencoder(nn.Module):
    def __init__(self, sizes=(64, 48, 40, 32, 12)):
        super().__init__()
        path = list(sizes) + list(reversed(sizes[:-1]))
        layers = []
        for a, b in zip(path[:-1], path[1:]):
            layers += [nn.Linear(a, b), nn.Tanh()]
        self.net = nn.Sequential(*layers[:-1])
        self.apply(self._init_weights)

    @staticmethod
    def _init_weights(module):
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight, gain=nn.init.calculate_gain("tanh"))
            nn.init.zeros_(module.bias)

    def forward(self, x):
        return self.net(x)

    def error(self, x):
        return (self(x) - x).pow(2).mean()


def fit(model, rows, epochs, batch, lr):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(rows)).split(batch):
            loss = model.error(rows[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        scheduler.step()
        if epoch % 8 == 7:
            print(f"epoch {epoch + 1}: reconstruction {total / len(rows):.4f}")


def main():
    torch.manual_seed(2)
    pictures = load_digits().data
    train, test = train_test_split(pictures, test_size=0.25, random_state=2)
    train = torch.tensor(train / 8.0, dtype=torch.float32)
    test = torch.tensor(test / 8.0, dtype=torch.float32)
    centre = train.mean(dim=0)
    train, test = train - centre, test - centre

    model = DeepAutoencoder()
    fit(model, train, epochs=24, batch=64, lr=1.0)

    model.eval()
    with torch.no_grad():
        error = model.error(test).item()
    print(f"held-out reconstruction {error:.4f}, variance kept {1 - error / test.pow(2).mean().item():.4f}")


if __name__ == "__main__":
    main()
