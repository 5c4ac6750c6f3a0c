"""Data sets, the same call in every profile: real data in `full`, embedded data in `mini` and `grade`."""

from homework.data.handwritten_digits import Digits, digits, embedded_digits, mnist
from homework.errors import DataError

__all__ = ["DataError", "Digits", "digits", "embedded_digits", "mnist"]
