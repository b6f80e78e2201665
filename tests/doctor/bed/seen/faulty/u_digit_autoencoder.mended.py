# expect: nothing
"""An autoencoder squeezes digit images into eight numbers; the part of the variance it gives back is reported."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, random_split


class AutoEncoder(nn.Module):
    def __init__(self, size=64, code=8):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(size, 48), nn.ReLU(), nn.Linear(48, code))
        self.decoder = nn.Sequential(nn.Linear(code, 48), nn.ReLU(), nn.Linear(48, size))

    def forward(self, x):
        return self.decoder(self.encoder(x))


def loaders(generator):
    images = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    train, test = random_split(images, [1500, 297], generator=generator)
    mean = torch.stack(list(train)).mean(dim=0)
    return DataLoader(train, batch_size=64, shuffle=True, generator=generator), DataLoader(test, batch_size=297), mean


def run_epoch(model, loader, optimizer):
    model.train()
    total = 0.0
    for x in loader:
        loss = nn.functional.mse_loss(model(x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def explained(model, loader, mean):
    model.eval()
    left = spread = 0.0
    for x in loader:
        left += (model(x) - x).pow(2).sum().item()
        spread += (x - mean).pow(2).sum().item()
    return 1.0 - left / spread


def main():
    torch.manual_seed(13)
    generator = torch.Generator().manual_seed(13)
    train_loader, test_loader, mean = loaders(generator)
    model = AutoEncoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3, weight_decay=1e-6)
    for epoch in range(15):
        loss = run_epoch(model, train_loader, optimizer)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} reconstruction loss {loss:.4f}")
    print(f"variance explained on held-out images: {explained(model, test_loader, mean):.3f}")


if __name__ == "__main__":
    main()
