"""Measurements as bytes: the samples of one write, and the steps of one series in a row.

Values are kept in 32 bits until they are packed. Packed, requests keep 12 significant bits of them (exact up to 4,096),
a percentile 7 and everything else 8 (an error of at most 1 in 256, and 1 in 512): that makes a year small enough.
"""

from __future__ import annotations

import math
import zlib
from array import array
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from litellm_tui.model.history import COUNTED, PEAKS, Measure

_LARGEST: Final = 1e30
# of the bits of a value, those that are dropped
_COUNT_SHIFT: Final = 12
_PERCENTILE_SHIFT: Final = 17
_OTHER_SHIFT: Final = 16
_PERCENTILES: Final[frozenset[Measure]] = frozenset({"latency_p50", "latency_p95", "latency_p99", "ttft"})
_SPENT: Final[frozenset[Measure]] = frozenset({"tokens_in", "tokens_out", "cost"})
_RAW: Final = -15
# no chunk is longer, whatever a damaged one claims
_MOST_BYTES: Final = 1 << 20


class Level(NamedTuple):
    """Steps of `step` seconds, `slots` of them in a chunk, kept for `kept` seconds."""

    step: int
    slots: int
    kept: int

    @property
    def span(self) -> int:
        """The seconds of a chunk."""
        return self.step * self.slots


_DAY: Final = 86400
LEVELS: Final = (Level(10, 2160, 2 * _DAY), Level(60, 1440, 14 * _DAY), Level(600, 1008, 400 * _DAY))
STEP: Final = LEVELS[0].step
# what is not packed yet is of this hour
PACKED_SECONDS: Final = 3600

Value = float | None


def sample_bytes(values: dict[int, float]) -> bytes:
    """The samples of one step, by the numbers of their series."""
    numbers, floats = array("I", values), array("f", map(bounded, values.values()))
    return zlib.compress(numbers.tobytes() + floats.tobytes(), 1)


def samples_of(data: bytes) -> tuple[array[int], array[float]]:
    """The numbers of the series and their values. Raises ValueError for what `sample_bytes` has not made."""
    raw = _inflated(data, zlib.MAX_WBITS)
    if len(raw) % 8:
        raise ValueError("a damaged row of samples")
    numbers, floats = array("I"), array("f")
    numbers.frombytes(raw[: len(raw) // 2])
    floats.frombytes(raw[len(raw) // 2 :])
    return numbers, floats


def chunk_bytes(values: Sequence[Value], measure: Measure) -> bytes:
    """The values of one chunk; None where nothing was recorded."""
    shift = _shift(measure)
    half = 1 << (shift - 1)
    bits = array("I", array("f", [0.0 if value is None else bounded(value) for value in values]).tobytes())
    codes = array(
        "I", [0 if value is None else ((bit + half) >> shift) + 1 for value, bit in zip(values, bits, strict=True)]
    ).tobytes()
    # the bytes of equal weight beside each other compress best
    planes = b"".join(codes[place::4] for place in range(_planes(shift)))
    packer = zlib.compressobj(6, zlib.DEFLATED, _RAW)
    return packer.compress(planes) + packer.flush()


def values_of(data: bytes, measure: Measure, slots: int) -> list[Value]:
    """The values of a chunk of so many slots. Raises ValueError for what `chunk_bytes` has not made."""
    shift = _shift(measure)
    count = _planes(shift)
    planes = _inflated(data, _RAW)
    if len(planes) != slots * count:
        raise ValueError("a damaged chunk of values")
    raw = bytearray(slots * 4)
    for place in range(count):
        raw[place::4] = planes[place * slots : (place + 1) * slots]
    codes = array("I", bytes(raw))
    floats = array("f", array("I", [max(code - 1, 0) << shift for code in codes]).tobytes())
    return [value if code else None for code, value in zip(codes, floats, strict=True)]


def _shift(measure: Measure) -> int:
    if measure in _PERCENTILES:
        return _PERCENTILE_SHIFT
    return _COUNT_SHIFT if measure in COUNTED - _SPENT else _OTHER_SHIFT


def _planes(shift: int) -> int:
    return 3 if shift == _COUNT_SHIFT else 2


def _inflated(data: bytes, form: int) -> bytes:
    unpacker = zlib.decompressobj(form)
    try:
        raw = unpacker.decompress(data, _MOST_BYTES)
    except zlib.error as error:
        raise ValueError(f"damaged: {error}") from error
    if not unpacker.eof:
        raise ValueError("damaged: it does not end")
    return raw


def bounded(value: float) -> float:
    """The value as it can be kept: nothing below 0 is measured, and nothing without bounds."""
    return min(max(value, 0.0), _LARGEST) if math.isfinite(value) else 0.0


def joined(values: Iterable[Value], measure: Measure) -> Value:
    """One value for several steps: the sum of what is counted, the largest of a size, the mean of all others.

    The mean of percentiles is none of the whole: it says how high they stood. None where nothing was recorded.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    if measure in COUNTED:
        return sum(known)
    return max(known) if measure in PEAKS else sum(known) / len(known)


def coarser(values: Sequence[Value], of: int, measure: Measure) -> list[Value]:
    """The values of steps that are `of` times as long."""
    return [joined(values[place : place + of], measure) for place in range(0, len(values), of)]
