"""A stand-in for `journalctl -f` that writes lines of a busy proxy: so many a second, or as fast as they are taken.

    python flood.py RATE FOLDER [journalctl's own arguments]

A rate of 0 lines is none, a negative one all that is taken. FOLDER/emitted holds how many have been written.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

BLOCK = 1000
# replaced by the time of a block, in microseconds
WHEN = "1111111111111111"


def block() -> bytes:
    """A second of a proxy with `LITELLM_LOG=INFO`: access lines mostly, attempts, now and then a failure."""
    lines = []
    for number in range(BLOCK):
        if number % 100 == 7:
            message = "12:00:00 - LiteLLM Router:INFO: router.py:993 - litellm.acompletion(model=openai/gpt-4.1) 200 OK"
        elif number % 500 == 11:
            error = {"message": "litellm.Timeout: no answer", "level": "ERROR", "logger": "router.py:1023"}
            message = json.dumps(
                {**error, "component": "LiteLLM Router", "stacktrace": "Traceback\n" + "  at x\n" * 40}
            )
        else:
            client = f"10.0.{number % 7}.{number % 250}:{40000 + number}"
            message = f'INFO:     {client} - "POST /v1/chat/completions HTTP/1.1" {500 if number % 50 == 1 else 200} OK'
        cursor = f"s=5e;i={number:x};b=b;m=1;t=1;x={number:x}"
        fields = {"__CURSOR": cursor, "__REALTIME_TIMESTAMP": WHEN, "__MONOTONIC_TIMESTAMP": "1", "_BOOT_ID": "b"}
        fields |= {"PRIORITY": "6", "_PID": "77", "SYSLOG_IDENTIFIER": "litellm", "MESSAGE": message}
        lines.append(json.dumps(fields, separators=(",", ":")) + "\n")
    return "".join(lines).encode()


def main() -> None:
    rate, folder = float(sys.argv[1]), Path(sys.argv[2])
    if "-f" not in sys.argv:
        return
    template = block()
    written = 0
    began = time.monotonic()
    ends = [end + 1 for end, byte in enumerate(template) if byte == 10]
    with (folder / "emitted").open("w", encoding="ascii") as told:
        while True:
            stamped = template.replace(WHEN.encode(), str(int(time.time() * 1e6)).encode())
            if rate < 0:
                due = BLOCK
            else:
                due = min(BLOCK, int((time.monotonic() - began) * rate) - written)
                if due <= 0:
                    time.sleep(0.01 if rate else 1.0)
                    continue
            sys.stdout.buffer.write(stamped[: ends[due - 1]])
            sys.stdout.buffer.flush()
            written += due
            told.seek(0)
            told.write(str(written))
            told.flush()


if __name__ == "__main__":
    main()
