# expect: grad_cleared_before_step @ 45
# needs: lightning
import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

L.seed_everything(1234, verbose=False)


def inverse_sine(n):
    """y -> x of a sine curve: several x belong to one y."""
    t = torch.rand(n, 1) * 2 - 1
    seen = t + 0.3 * torch.sin(2 * torch.pi * t) + 0.03 * torch.randn(n, 1)
    return seen, t


class MixtureDensity(L.LightningModule):
    def __init__(self, components=5, hidden=32, lr=3e-3, clip=1.0):
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.trunk = nn.Sequential(
            nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh()
        )
        self.pi = nn.Linear(hidden, components)
        self.mu = nn.Linear(hidden, components)
        self.log_sigma = nn.Linear(hidden, components)

    def forward(self, x):
        h = self.trunk(x)
        mix = torch.distributions.Categorical(logits=self.pi(h))
        scale = self.log_sigma(h).clamp(-5, 3).exp()
        parts = torch.distributions.Normal(self.mu(h), scale)
        return torch.distributions.MixtureSameFamily(mix, parts)

    def nll(self, batch):
        x, y = batch
        return -self(x).log_prob(y.squeeze(-1)).mean()

    def training_step(self, batch, batch_idx):
        opt = self.optimizers()
        loss = self.nll(batch)
        self.manual_backward(loss)
        opt.zero_grad()
        nn.utils.clip_grad_norm_(self.parameters(), self.hparams.clip)
        opt.step()
        self.log("train_nll", loss, on_step=False, on_epoch=True)

    def validation_step(self, batch, batch_idx):
        self.log("val_nll", self.nll(batch))

    def on_validation_epoch_end(self):
        if self.current_epoch % 5 == 0:
            val = self.trainer.callback_metrics["val_nll"].item()
            print(f"epoch {self.current_epoch:2d}  val nll {val:.4f}")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


def main():
    train = TensorDataset(*inverse_sine(2000))
    val = TensorDataset(*inverse_sine(500))
    trainer = L.Trainer(
        max_epochs=26,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    model = MixtureDensity()
    trainer.fit(
        model,
        DataLoader(train, batch_size=100, shuffle=True),
        DataLoader(val, batch_size=500),
    )
    print(f"final train nll {trainer.callback_metrics['train_nll'].item():.4f}")
    print(f"final val nll   {trainer.callback_metrics['val_nll'].item():.4f}")


if __name__ == "__main__":
    main()
