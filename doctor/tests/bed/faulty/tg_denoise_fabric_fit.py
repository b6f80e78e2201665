# expect: seed_reset_each_epoch @ 40
# mend: 40 →
"""Denoising autoencoder for digits with a LightningModule-like module and a tiny Fit loop."""
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def seed_everything(seed: int) -> int:
    torch.manual_seed(seed)
    return seed


class DenoisingModule(nn.Module):
    def __init__(self, hidden: int = 48, noise: float = 0.3) -> None:
        super().__init__()
        self.noise = noise
        self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.ReLU())
        self.decoder = nn.Linear(hidden, 64)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))

    def training_step(self, batch: list[Tensor]) -> Tensor:
        (clean,) = batch
        noisy = clean + self.noise * torch.randn_like(clean)
        return nn.functional.mse_loss(self(noisy), clean)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=3e-3)


class Fit:
    def __init__(self, max_epochs: int, seed: int) -> None:
        self.max_epochs, self.seed = max_epochs, seed

    def on_epoch_start(self, module: nn.Module) -> None:
        seed_everything(self.seed)
        module.train()

    def __call__(self, module: DenoisingModule, loader: DataLoader) -> None:
        optimizer = module.configure_optimizers()
        for epoch in range(self.max_epochs):
            self.on_epoch_start(module)
            total = 0.0
            for batch in loader:
                loss = module.training_step(batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item()
            if epoch % 5 == 4:
                print(f"epoch {epoch + 1:2d} train_mse {total / len(loader):.5f}")


def main() -> None:
    seed = seed_everything(7)
    x = load_digits().data / 16.0
    xtr, xte = train_test_split(torch.tensor(x, dtype=torch.float32), test_size=0.25, random_state=seed)
    module = DenoisingModule()
    Fit(max_epochs=20, seed=seed)(module, DataLoader(TensorDataset(xtr), batch_size=64, shuffle=True))
    module.eval()
    with torch.no_grad():
        noisy = xte + module.noise * torch.randn(xte.shape, generator=torch.Generator().manual_seed(99))
        mse = nn.functional.mse_loss(module(noisy), xte).item()
        base = nn.functional.mse_loss(noisy, xte).item()
    print(f"test mse {mse:.5f} (noisy input {base:.5f})")


if __name__ == "__main__":
    main()
