"""Reads files and HTTP bodies up to a limit: larger ones are refused, and the error names the limit."""

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
# files of NAME=VALUE lines, the console's own records
MEDIUM: Final = 4 << 20
# configurations, indexes, catalogues
LARGE: Final = 32 << 20

_CHUNK: Final = 1 << 16


class TooLarge(OSError):
    """A file is larger than the limit."""


class BodyRefused(ValueError):
    """An HTTP body is larger than the limit, or its compression cannot be read."""


class _Enough(BodyRefused):
    """As much as was wanted has been read."""


def size(limit: int) -> str:
    """A limit for people, such as `32 MB`."""
    for unit, name in ((1 << 20, "MB"), (1 << 10, "kB")):
        if limit >= unit:
            return f"{limit // unit} {name}"
    return f"{limit} bytes"


def read_bytes(path: str | os.PathLike[str], limit: int = LARGE) -> bytes:
    """The content of a file of at most `limit` bytes. Raises OSError, `TooLarge` among them.

    A pipe or a socket is refused, so that the call cannot hang on it.
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
        # the size proves nothing: it is 0 in /proc, and a log grows
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
    """The first `limit` bytes of the body; the rest is not read. Raises `BodyRefused` for an unknown compression."""
    parts = bytearray()
    with contextlib.suppress(_Enough):
        async for part in chunks(response, limit, _Enough):
            parts += part
    return bytes(parts)


async def chunks(response: httpx.Response, limit: int, beyond: type[BodyRefused] = BodyRefused) -> AsyncIterator[bytes]:
    """The body in chunks, at most `limit` bytes after decompression. Raises `beyond` at the first byte more.

    httpx decompresses a whole network chunk at once, which a hostile server can turn into gigabytes. This function
    decompresses piece by piece.
    """
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise BodyRefused(f"compressed as {coding[:20]}, which was not asked for")
    # a response that was read before is already decompressed
    plain = response.is_stream_consumed or coding in ("identity", "")
    source = response.aiter_bytes() if response.is_stream_consumed else response.aiter_raw()
    decoder = None if plain else zlib.decompressobj(zlib.MAX_WBITS | 32 if "gzip" in coding else zlib.MAX_WBITS)
    length = response.headers.get("content-length", "")
    known = plain and length.isascii() and length.isdigit() and len(length) < 20
    if beyond is BodyRefused and known and int(length) > limit:
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
