# expect: train_mode_never_restored @ 45
# allowed: train_mode_never_restored @ 37
# allowed: train_mode_never_restored @ 39
# allowed: train_mode_never_restored @ 51
# allowed: train_mode_never_restored @ 53
# allowed: train_mode_never_restored @ 55
"""Runner class for a transformer encoder that counts tokens, with dropout and periodic evaluation."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def sequences(n, seed, length=10, vocab=6):
    g = torch.Generator().manual_seed(seed)
    x = torch.randint(0, vocab, (n, length), generator=g)
    return x, ((x == 0).sum(1) > (x == 1).sum(1)).long()


class Encoder(nn.Module):
    def __init__(self, vocab=6, dim=24):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim)
        layer = nn.TransformerEncoderLayer(dim, 2, 48, dropout=0.2, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.cls = nn.Linear(dim, 2)

    def forward(self, x):
        return self.cls(self.enc(self.emb(x)).mean(1))


class Runner:
    def __init__(self, model, train, test):
        self.model, self.train_loader, self.test_loader = model, train, test
        self.opt = torch.optim.AdamW(model.parameters(), lr=3e-3)

    def train_one_epoch(self):
        for x, y in self.train_loader:
            self.opt.zero_grad()
            loss = nn.functional.cross_entropy(self.model(x), y)
            loss.backward()
            self.opt.step()
        return loss.item()

    def evaluate(self):
        self.model.eval()
        with torch.inference_mode():
            ok = torch.cat([self.model(x).argmax(1) == y for x, y in self.test_loader])
        return ok.float().mean().item()

    def run(self, epochs):
        self.model.train()
        for epoch in range(epochs):
            loss = self.train_one_epoch()
            if epoch % 2 == 1:
                print(f"epoch {epoch + 1} loss {loss:.3f} accuracy {self.evaluate():.3f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    train = DataLoader(TensorDataset(*sequences(900, 0)), batch_size=50, shuffle=True)
    test = DataLoader(TensorDataset(*sequences(300, 1)), batch_size=150)
    Runner(Encoder(), train, test).run(6)
