# expect: exploding_sum_loss @ 29
# allowed: exploding_sum_loss @ 23
# mend: 23 → criterion = nn.MSELoss()
"""A denoising autoencoder, the loss summed over pixels and pictures."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
pix = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1) / 16
pix = pix[torch.randperm(len(pix))]
train, test = pix[:1408], pix[1408:]

denoiser = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(16, 16, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(16, 1, 3, padding=1),
)
optimizer = torch.optim.SGD(denoiser.parameters(), lr=0.05, momentum=0.9)
criterion = nn.MSELoss(reduction="sum")

for epoch in range(3):
    denoiser.train()
    for clean in train[torch.randperm(1408)].split(128):
        noisy = clean + 0.3 * torch.randn_like(clean)
        loss = criterion(denoiser(noisy), clean)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(denoiser.parameters(), 10.0)
        optimizer.step()
    denoiser.eval()
    with torch.no_grad():
        restored = denoiser(test + 0.3 * torch.randn_like(test))
        print(f"epoch {epoch}: {loss.item():.4f}, test mse {((restored - test) ** 2).mean():.4f}")
