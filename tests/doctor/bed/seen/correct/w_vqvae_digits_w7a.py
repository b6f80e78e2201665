# expect: nothing
"""VQ-VAE on the digits: straight-through codes, EMA codebook, test reconstruction against the mean picture."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class EMAQuantizer(nn.Module):
    """The codebook is no parameter: it follows the encoder by moving averages."""

    def __init__(self, codes, dim, decay=0.95, eps=1e-5):
        super().__init__()
        self.decay, self.eps = decay, eps
        book = torch.randn(codes, dim)
        self.register_buffer("book", book)
        self.register_buffer("count", torch.ones(codes))
        self.register_buffer("total", book.clone())

    def forward(self, z):
        flat = z.flatten(0, 1)
        code = torch.cdist(flat.detach(), self.book).argmin(dim=1)
        quantized = self.book[code].view_as(z)
        if self.training:
            self._follow(flat.detach(), code)
        commitment = F.mse_loss(z, quantized.detach())
        return z + (quantized - z).detach(), commitment, code

    @torch.no_grad()
    def _follow(self, flat, code):
        hot = F.one_hot(code, len(self.book)).to(flat.dtype)
        self.count.lerp_(hot.sum(0), 1 - self.decay)
        self.total.lerp_(hot.T @ flat, 1 - self.decay)
        n = self.count.sum()
        smoothed = (self.count + self.eps) / (n + len(self.book) * self.eps) * n
        self.book.copy_(self.total / smoothed.unsqueeze(1))


class VQVAE(nn.Module):
    def __init__(self, slots=8, dim=6, codes=32):
        super().__init__()
        self.slots, self.dim = slots, dim
        self.encoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, slots * dim), nn.LayerNorm(slots * dim))
        self.quantizer = EMAQuantizer(codes, dim)
        self.decoder = nn.Sequential(nn.Linear(slots * dim, 128), nn.ReLU(), nn.Linear(128, 64))

    def forward(self, x):
        z = self.encoder(x).view(-1, self.slots, self.dim)
        q, commitment, code = self.quantizer(z)
        return self.decoder(q.flatten(1)), commitment, code


def main():
    torch.manual_seed(14)
    pictures = (load_digits().data / 16.0).astype("float32")
    train, test = train_test_split(pictures, test_size=0.2, random_state=14)
    train, test = torch.from_numpy(train), torch.from_numpy(test)
    loader = DataLoader(TensorDataset(train), batch_size=64, shuffle=True)
    model = VQVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(15):
        model.train()
        rec_sum = com_sum = 0.0
        for (x,) in loader:
            logits, commitment, _ = model(x)
            rec = F.binary_cross_entropy_with_logits(logits, x)
            loss = rec + 0.05 * commitment
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            rec_sum += rec.item()
            com_sum += commitment.item()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: reconstruction {rec_sum / len(loader):.4f} commitment {com_sum / len(loader):.4f}")

    model.eval()
    with torch.no_grad():
        logits, _, code = model(test)
        mse = F.mse_loss(logits.sigmoid(), test).item()
        flat = F.mse_loss(train.mean(0).expand_as(test), test).item()
    print(f"test mse {mse:.4f} (mean picture {flat:.4f}), {code.unique().numel()} codes in use")


if __name__ == "__main__":
    main()
