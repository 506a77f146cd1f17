"""What the tests of second factors ask for."""

from tests.installations import installation

__all__ = ["installation"]
