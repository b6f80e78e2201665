# expect: target_broadcast @ 22
"""Ratings of films by factors of people and films, with a bias for each, made up."""
import torch
from torch import nn

PEOPLE, FILMS, FACTORS = 60, 40, 4


class Factors(nn.Module):
    def __init__(self):
        super().__init__()
        self.people, self.films = nn.Embedding(PEOPLE, FACTORS), nn.Embedding(FILMS, FACTORS)
        self.person_bias, self.film_bias = nn.Embedding(PEOPLE, 1), nn.Embedding(FILMS, 1)
        for table in (self.people, self.films):
            nn.init.normal_(table.weight, std=0.3)
        for table in (self.person_bias, self.film_bias):
            nn.init.zeros_(table.weight)

    def forward(self, person, film):
        taste = (self.people(person) * self.films(film)).sum(dim=1)
        bias = self.person_bias(person) + self.film_bias(film)
        return taste + bias


def draw(n):
    truth_people, truth_films = torch.randn(PEOPLE, FACTORS), torch.randn(FILMS, FACTORS)
    picks = torch.randperm(PEOPLE * FILMS)[:n]
    person, film = picks // FILMS, picks % FILMS
    rating = (truth_people[person] * truth_films[film]).sum(1) + torch.randn(FILMS)[film] + 0.1 * torch.randn(n)
    return person, film, (rating - rating.mean()) / rating.std()


torch.manual_seed(0)
person, film, rating = draw(2000)
train, test = torch.arange(2000).split([1600, 400])
model = Factors()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
criterion = nn.MSELoss()
for epoch in range(25):
    model.train()
    for part in torch.randperm(1600).split(64):
        rows = train[part]
        loss = criterion(model(person[rows], film[rows]), rating[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
model.eval()
with torch.no_grad():
    said = model(person[test], film[test])
    said = said if said.dim() == 1 else said.diagonal()
    print(f"test error {(said - rating[test]).square().mean().item():.3f}")
