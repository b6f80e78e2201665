# expect: symmetric_init @ 23
# allowed: symmetric_init @ 37
# mend: 23 →         nn.init.xavier_uniform_(m.weight)
# Autoencoder fuer die Ziffern, Gewichte ueber eine init-Funktion
import torch
from torch import nn, optim
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class Autoencoder(nn.Module):
    def __init__(self, d=64, h=32, code=8):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(d, h), nn.Tanh(), nn.Linear(h, code))
        self.decoder = nn.Sequential(nn.Linear(code, h), nn.Tanh(), nn.Linear(h, d))

    def forward(self, x):
        return self.decoder(self.encoder(x))


def init_gewichte(m):
    if isinstance(m, nn.Linear):
        nn.init.constant_(m.weight, 0.05)
        nn.init.zeros_(m.bias)


def lade_daten():
    X = load_digits().data.astype("float32") / 16.0
    tr, te = train_test_split(X, test_size=0.2, random_state=1)
    return torch.from_numpy(tr), torch.from_numpy(te)


def main():
    torch.manual_seed(1)
    train, test = lade_daten()
    modell = Autoencoder()
    modell.apply(init_gewichte)
    opt = optim.Adam(modell.parameters(), lr=3e-3)
    mse = nn.MSELoss()

    for epoche in range(1, 41):
        modell.train()
        summe = 0.0
        for idx in torch.randperm(len(train)).split(64):
            x = train[idx]
            verlust = mse(modell(x), x)
            opt.zero_grad()
            verlust.backward()
            opt.step()
            summe += verlust.item() * len(idx)
        if epoche % 10 == 0:
            print(f"Epoche {epoche}: MSE {summe / len(train):.5f}")

    modell.eval()
    with torch.no_grad():
        print(f"Test-MSE {mse(modell(test), test).item():.5f}")


if __name__ == "__main__":
    main()
