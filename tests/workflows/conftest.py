"""What the tests of the workflows ask for."""

from tests.installations import installation

__all__ = ["installation"]
