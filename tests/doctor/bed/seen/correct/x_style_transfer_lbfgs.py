# expect: nothing
# looks suspicious: the net is in eval mode during the whole optimisation, its weights are frozen and in no
# optimizer; the picture is what is trained, by LBFGS with a closure.
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_sample_images

torch.manual_seed(0)
photos = [
    torch.tensor(p[:192:8, :192:8].copy(), dtype=torch.float32) / 255 for p in load_sample_images().images
]
content_img, style_img = (p.permute(2, 0, 1).unsqueeze(0).contiguous() for p in photos)
cnn = nn.Sequential(
    nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2)
)
cnn.eval().requires_grad_(False)


def gram_matrix(feature):
    a, b, c, d = feature.size()
    features = feature.view(a * b, c * d)
    return torch.mm(features, features.t()).div(a * b * c * d)


class ContentLoss(nn.Module):
    def __init__(self, target):
        super().__init__()
        self.target = target.detach()

    def forward(self, x):
        self.loss = F.mse_loss(x, self.target)
        return x


class StyleLoss(nn.Module):
    def __init__(self, target_feature):
        super().__init__()
        self.target = gram_matrix(target_feature).detach()

    def forward(self, x):
        self.loss = F.mse_loss(gram_matrix(x), self.target)
        return x


model, content_losses, style_losses = nn.Sequential(), [], []
for i, layer in enumerate(cnn):
    model.append(layer)
    if isinstance(layer, nn.Conv2d):
        style_losses.append(StyleLoss(model(style_img)))
        model.append(style_losses[-1])
    if i == 3:
        content_losses.append(ContentLoss(model(content_img)))
        model.append(content_losses[-1])

input_img = content_img.clone().requires_grad_(True)
model.eval()
optimizer = torch.optim.LBFGS([input_img])
run = [0]
while run[0] <= 40:

    def closure():
        with torch.no_grad():
            input_img.clamp_(0, 1)
        optimizer.zero_grad()
        model(input_img)
        style_score = 1e4 * sum(sl.loss for sl in style_losses)
        content_score = sum(cl.loss for cl in content_losses)
        loss = style_score + content_score
        loss.backward()
        run[0] += 1
        if run[0] % 20 == 0:
            print(f"run {run[0]}: style {style_score.item():.4f} content {content_score.item():.4f}")
        return loss

    optimizer.step(closure)
with torch.no_grad():
    input_img.clamp_(0, 1)
print("changed by", (input_img - content_img).abs().mean().item())
