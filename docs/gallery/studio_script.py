"""Make the picture of a script in ``apps/studio/docs/studio-script.md``: run one, fan out, photograph its page.

python docs/gallery/studio_script.py [--chromium /usr/bin/chromium]
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Page
from studio_page import chromium, keep, studio_page

SCRIPT = """import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x_ND = torch.randn(2000, 10)
y_N = (x_ND[:, 0] * x_ND[:, 1] > 0).long()
train = DataLoader(TensorDataset(x_ND[:1600], y_N[:1600]), batch_size=32, shuffle=True)
net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
loss_function = nn.CrossEntropyLoss()
for epoch in range(60):
    for x_BD, y_B in train:
        optimizer.zero_grad()
        loss_function(net(x_BD), y_B).backward()
        optimizer.step()
        time.sleep(0.005)
    with torch.no_grad():
        out_NC = net(x_ND[1600:])
        validation = loss_function(out_NC, y_N[1600:])
    accuracy = (out_NC.argmax(1) == y_N[1600:]).float().mean()
    print(f"epoch {epoch + 1}/60: val_loss {validation:.4f} val_acc {accuracy:.3f}")
"""


def photograph(page: Page) -> None:
    """The page after some seconds, with the futures of its second checkpoint."""
    page.locator("#script-track .stop").nth(3).wait_for()
    page.locator("#script-track .stop").nth(1).click()
    page.locator("#script-fan-out").click()
    page.locator("#script-futures li").nth(4).wait_for()
    page.get_by_text("100 of 100 steps each").wait_for()
    page.wait_for_timeout(500)
    keep(page, "studio-script")


def main() -> None:
    """Run the script in the studio, and photograph its page."""
    browser = chromium(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "train.py").write_text(SCRIPT)
        with studio_page(folder, ["train.py", "--checkpoints"], browser) as page:
            page.set_viewport_size({"width": 1280, "height": 1400})
            photograph(page)


if __name__ == "__main__":
    main()
