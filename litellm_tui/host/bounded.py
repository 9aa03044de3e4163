"""Reading no more than a cap: files and HTTP bodies that are larger are refused, and the cap is said."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import zlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import httpx

# settings, themes, unit files
SMALL: Final = 1 << 20
# files of NAME=VALUE lines, records of our own
MEDIUM: Final = 4 << 20
# configurations, indexes, catalogues
LARGE: Final = 32 << 20

_CHUNK: Final = 1 << 16


class TooLarge(OSError):
    """A file that holds more than the cap."""


class BodyRefused(ValueError):
    """An HTTP body that is larger than the cap, or compressed in a way that cannot be read within it."""


class _Enough(BodyRefused):
    """What was wanted has been read."""


def size(limit: int) -> str:
    """A cap in words, such as `32 MB`."""
    for unit, name in ((1 << 20, "MB"), (1 << 10, "kB")):
        if limit >= unit:
            return f"{limit // unit} {name}"
    return f"{limit} bytes"


def read_bytes(path: str | os.PathLike[str], limit: int = LARGE) -> bytes:
    """The content of a file of at most `limit` bytes; raises OSError, `TooLarge` among them.

    A pipe or a socket is refused rather than waited for.
    """
    if "\0" in os.fspath(path):
        raise OSError(errno.EINVAL, "its path holds a NUL byte")
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        found = os.fstat(handle)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISCHR(found.st_mode)):
            raise OSError(errno.EINVAL, "it is no regular file", os.fspath(path))
        # the size is not to be relied on: /proc says 0, and a log grows
        content = b"" if found.st_size > limit else file.read(limit + 1)
        if found.st_size > limit or len(content) > limit:
            raise TooLarge(errno.EFBIG, f"more than {size(limit)}: not read", os.fspath(path))
        return content


def read_text(
    path: str | os.PathLike[str], limit: int = MEDIUM, *, encoding: str = "utf-8", errors: str = "strict"
) -> str:
    """The text of a file of at most `limit` bytes, its line ends as `\\n`. Raises OSError and UnicodeDecodeError."""
    return io.TextIOWrapper(io.BytesIO(read_bytes(path, limit)), encoding=encoding, errors=errors).read()


async def body(response: httpx.Response, limit: int) -> bytes:
    """The whole body of a streamed response, of at most `limit` bytes after decompression. Raises `BodyRefused`."""
    parts = bytearray()
    async for part in chunks(response, limit):
        parts += part
    return bytes(parts)


async def beginning(response: httpx.Response, limit: int) -> bytes:
    """The first `limit` bytes of the body; what comes after them is not read. Raises `BodyRefused` for its coding."""
    parts = bytearray()
    with contextlib.suppress(_Enough):
        async for part in chunks(response, limit, _Enough):
            parts += part
    return bytes(parts)


async def chunks(response: httpx.Response, limit: int, beyond: type[BodyRefused] = BodyRefused) -> AsyncIterator[bytes]:
    """The body as it comes, of at most `limit` bytes after decompression. Raises `BodyRefused` at the byte beyond.

    httpx would decompress a whole network chunk at once, which a hostile server makes gigabytes of: it is done here,
    piece by piece.
    """
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise BodyRefused(f"compressed as {coding[:20]}, which was not asked for")
    # a transport that has read the response already has decompressed it as well
    plain = response.is_stream_consumed or coding in ("identity", "")
    source = response.aiter_bytes() if response.is_stream_consumed else response.aiter_raw()
    decoder = None if plain else zlib.decompressobj(zlib.MAX_WBITS | 32 if "gzip" in coding else zlib.MAX_WBITS)
    told = response.headers.get("content-length", "")
    if beyond is BodyRefused and plain and told.isascii() and told.isdigit() and len(told) < 20 and int(told) > limit:
        raise beyond(f"more than {size(limit)}: not read")
    count = 0
    async for raw in source:
        pending = raw
        while pending:
            if decoder is None:
                part, pending = pending, b""
            else:
                try:
                    part = decoder.decompress(pending, _CHUNK)
                except zlib.error as error:
                    raise BodyRefused(f"it cannot be decompressed ({error})") from error
                pending = decoder.unconsumed_tail
            count += len(part)
            if count > limit:
                raise beyond(f"more than {size(limit)}: not read")
            if part:
                yield part
