"""A small convolutional network with batch normalization: plain PyTorch, nothing of the harness."""

from torch import nn


class SmallNet(nn.Module):
    """Two convolutions, each with batch normalization and ReLU, and a linear layer.

    Args:
        input_shape: (channels, height, width) of a picture; the harness fills it in.
        outputs: number of classes; the harness fills it in.
        width: channels of the first convolution; the second has twice as many.
    """

    def __init__(self, input_shape, outputs, width=8):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(input_shape[0], width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
        )
        self.head = nn.Linear(4 * 2 * width, outputs)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))
