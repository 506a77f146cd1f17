"""What a printed page shows, looked up in the pixels of a PNG (W3C, third edition): 8 bits a sample, no interlacing."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {2: 3, 6: 4}  # a pixel, by colour type: with and without transparency


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows of pixels, each pixel `samples` bytes of which 255 in all is white."""

    width: int
    rows: tuple[bytes, ...]
    samples: int

    def is_white(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Whether nothing is drawn in the box; its sides are shares of the picture's width and height."""
        columns = slice(round(left * self.width) * self.samples, round(right * self.width) * self.samples)
        rows = self.rows[round(top * len(self.rows)) : round(bottom * len(self.rows))]
        return all(set(row[columns]) == {255} for row in rows)


def read(png: bytes) -> Picture:
    """The picture in `png`."""
    chunks = list(_chunks(png))
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (depth, interlaced) == (8, 0)
    samples = _SAMPLES[colour]
    data = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    rows = tuple(_unfiltered(data, width * samples, samples))
    assert len(rows) == height
    return Picture(width, rows, samples)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    assert png.startswith(_SIGNATURE)
    at = len(_SIGNATURE)
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        yield kind, png[at + 8 : at + 8 + length]
        at += length + 12


def _unfiltered(data: bytes, length: int, samples: int) -> Iterator[bytes]:
    above = bytes(length)
    for at in range(0, len(data), length + 1):
        above = _row(data[at], data[at + 1 : at + 1 + length], above, samples)
        yield above


def _row(how: int, filtered: bytes, above: bytes, samples: int) -> bytes:
    if how == 0:
        return filtered
    if how == 2 and not any(filtered):
        return above
    row = bytearray(samples) + filtered
    up = bytes(samples) + above
    for at in range(samples, len(row)):
        row[at] = (row[at] + _predicted(how, row[at - samples], up[at], up[at - samples])) & 255
    return bytes(row[samples:])


def _predicted(how: int, left: int, above: int, diagonal: int) -> int:
    if how == 3:
        return (left + above) // 2
    if how == 4:
        near = left + above - diagonal
        return min((left, above, diagonal), key=lambda each: abs(near - each))
    return (0, left, above)[how]
