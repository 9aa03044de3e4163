"""A sample of LiteLLM's errors for a person to judge: `python -m tests.collectors.error_sample SEED NUMBER`.

Prints NUMBER errors of each installed LiteLLM, always the same for a seed, with whose failure the console says each is.
docs/errors.md tells what came of the samples `third` to `ninth`, each of 120 of two releases.
"""

from __future__ import annotations

import random
import sys

from litellm_tui.collectors.litellm_source.litellm_errors import errors_said
from litellm_tui.collectors.litellm_source.litellm_package import Package
from tests.collectors.error_subjects import TABLE, as_reported, expected
from tests.lab.environments import environments, newest_environments


def main(seed: str, number: str) -> None:
    """Write the sample to the standard output."""
    reached = tuple(prefix for prefix, row in TABLE if row.area)
    for environment in (*environments(), *newest_environments()):
        every = errors_said(Package(environment.packages / "litellm"), reached)
        said = sorted(one for one in every if one.telling and expected(one) is not None)
        drawn = random.Random(f"{seed} {environment.version}").sample(said, int(number))
        for one in sorted(drawn):
            words = " ".join(one.words.split())[:200]
            judged = as_reported(one) or "unexplained"
            sys.stdout.write(f"{environment.version} {one.place}:{one.line} {one.kind} -> {judged}: {words}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
