# expect: nothing
# looks suspicious: after training, backward runs on single logits with no step following and hooks collect
# activations that carry a graph; the picture needs both.
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU()
        )
        self.classifier = nn.Linear(12 * 16, 10)

    def forward(self, x):
        return self.classifier(F.max_pool2d(self.features(x), 2).flatten(1))


class GradCam:
    def __init__(self, model, layer):
        self.model, self.activations, self.gradients = model, None, None
        self.handles = [
            layer.register_forward_hook(self._save_activation),
            layer.register_full_backward_hook(self._save_gradient),
        ]

    def _save_activation(self, module, inputs, output):
        self.activations = output

    def _save_gradient(self, module, grad_input, grad_output):
        self.gradients = grad_output[0]

    def __call__(self, image, category=None):
        logits = self.model(image)
        category = logits.argmax(1).item() if category is None else category
        self.model.zero_grad()
        logits[0, category].backward()
        weights = self.gradients.mean((2, 3), keepdim=True)
        cam = F.relu((weights * self.activations).sum(1)).detach()
        return cam / cam.max().clamp_min(1e-8), category

    def release(self):
        for handle in self.handles:
            handle.remove()


torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
y = torch.tensor(digits.target)
model = ConvNet()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(3):
    model.train()
    for rows in torch.randperm(len(x)).split(64):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")

model.eval()
cam = GradCam(model, model.features[3])
for i in range(4):
    heat, category = cam(x[i : i + 1])
    row, column = divmod(heat[0].argmax().item(), 8)
    print(f"image {i}: class {category}, hottest pixel ({row}, {column})")
cam.release()
