# expect: augment_on_test @ 45
# needs: lightning
import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


def jitter(img):
    """Random shift by up to one pixel, random contrast and grain."""
    dy, dx = torch.randint(-1, 2, (2,)).tolist()
    img = torch.roll(img, shifts=(dy, dx), dims=(-2, -1))
    img = img * (0.8 + 0.4 * torch.rand(1))
    return img + 0.15 * torch.randn_like(img)


class DigitSet(Dataset):
    def __init__(self, images, labels, transform=None):
        self.images = torch.as_tensor(images, dtype=torch.float32).view(-1, 1, 8, 8) / 16
        self.labels = torch.as_tensor(labels)
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        img = self.images[i]
        if self.transform is not None:
            img = self.transform(img)
        return img, self.labels[i]


class DigitData(L.LightningDataModule):
    def __init__(self, batch_size=32):
        super().__init__()
        self.batch_size = batch_size

    def setup(self, stage=None):
        x, y = load_digits(return_X_y=True)
        xa, xb, ya, yb = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
        self.train_set = DigitSet(xa, ya, transform=jitter)
        self.test_set = DigitSet(xb, yb, transform=jitter)

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True, drop_last=True)

    def test_dataloader(self):
        return DataLoader(self.test_set, batch_size=self.batch_size)


class SmallConv(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * 16, 64), nn.ReLU(), nn.Linear(64, 10),
        )

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, _):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def test_step(self, batch, _):
        x, y = batch
        logits = self(x)
        self.log("test_loss", F.cross_entropy(logits, y), batch_size=len(y))
        self.log("test_acc", (logits.argmax(1) == y).float().mean(), batch_size=len(y))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=3e-3)


if __name__ == "__main__":
    L.seed_everything(8, verbose=False)
    trainer = L.Trainer(
        max_epochs=8, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )
    data, model = DigitData(), SmallConv()
    trainer.fit(model, datamodule=data)
    print("last train loss", round(trainer.callback_metrics["train_loss"].item(), 4))
    result = trainer.test(model, datamodule=data, verbose=False)[0]
    print("test loss", round(result["test_loss"], 4), "test accuracy", round(result["test_acc"], 4))
