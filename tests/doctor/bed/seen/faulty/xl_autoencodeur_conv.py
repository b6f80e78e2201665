# expect: exploding_sum_loss @ 32
# allowed: exploding_sum_loss @ 33
# allowed: exploding_sum_loss @ 40
"""Auto-encodeur convolutif sur les chiffres 8x8."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader


class AutoEncodeur(nn.Module):
    def __init__(self, code=16):
        super().__init__()
        self.encodeur = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(8 * 4 * 4, code),
        )
        self.decodeur = nn.Sequential(
            nn.Linear(code, 8 * 4 * 4), nn.ReLU(),
            nn.Unflatten(1, (8, 4, 4)),
            nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1),
        )

    def forward(self, x):
        return self.decodeur(self.encodeur(x))


class Entraineur:
    def __init__(self, modele, pas=0.2, clip=5.0):
        self.modele = modele
        self.critere = nn.MSELoss(reduction="sum")
        self.opt = torch.optim.SGD(modele.parameters(), lr=pas, momentum=0.9)
        self.clip = clip

    def une_epoque(self, lots):
        self.modele.train()
        total = 0.0
        for x in lots:
            perte = self.critere(self.modele(x), x)
            self.opt.zero_grad()
            perte.backward()
            nn.utils.clip_grad_norm_(self.modele.parameters(), self.clip)
            self.opt.step()
            total += perte.item()
        return total / len(lots)

    @torch.no_grad()
    def erreur_par_pixel(self, lots):
        self.modele.eval()
        carre = sum(((self.modele(x) - x) ** 2).sum().item() for x in lots)
        return carre / sum(x.numel() for x in lots)


def main():
    torch.manual_seed(21)
    images = torch.tensor(load_digits().images / 16.0, dtype=torch.float32).unsqueeze(1)
    appr, essai = train_test_split(images, test_size=0.25, random_state=21)
    moyenne, ecart = appr.mean(), appr.std()
    appr, essai = (appr - moyenne) / ecart, (essai - moyenne) / ecart
    lots_appr = DataLoader(appr, batch_size=64, shuffle=True, drop_last=True)
    lots_essai = DataLoader(essai, batch_size=256)

    entraineur = Entraineur(AutoEncodeur())
    for epoque in range(1, 16):
        perte = entraineur.une_epoque(lots_appr)
        if epoque % 5 == 0:
            print(f"époque {epoque:2d}  perte {perte:.4f}")
    print(f"erreur quadratique par pixel (essai) : {entraineur.erreur_par_pixel(lots_essai):.4f}")


if __name__ == "__main__":
    main()
