"""A delivery: what every source of the inbox hands over."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail as it arrived. `id` is printable ASCII, up to 200 characters, the same after any restart."""

    id: str
    raw: bytes = field(repr=False)
