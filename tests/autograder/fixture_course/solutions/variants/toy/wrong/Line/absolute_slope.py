# misconception: you used the absolute value of the slope
class Line(nn.Module):
    def __init__(self, slope: float = 1.0, intercept: float = 0.0):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))
        self.intercept = nn.Parameter(torch.tensor(intercept))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.slope.abs() * x + self.intercept
