"""`litellm-tui where`: what was found, how, and what is missing; `--write NAME` keeps it as a profile.

Secrets are never printed.
"""

from __future__ import annotations

from collections.abc import Iterator

from litellm_tui.collectors.config import config_file
from litellm_tui.commands.release_line import release_line
from litellm_tui.logs.log_line import clean
from litellm_tui.model.configuration import ConfigError
from litellm_tui.model.found import Missing
from litellm_tui.services.known_environment import why_unknown
from litellm_tui.target.answer import ALIVE, AddressAnswer, ask_address, running_release
from litellm_tui.target.choice import option_for
from litellm_tui.target.profile import Options, Profile, findings
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import SettingsError, load_settings
from litellm_tui.target.write_profile import profile_fields, write_profile

# a gateway on another continent answers in less
ADDRESS_SECONDS = 2.0


def run(options: Options, write: str | None = None) -> int:
    """Print the findings; 0 when a service and a configuration were found, 1 when one of them is missing."""
    profile = resolve(options, load_settings())
    # of a service that was found it is known by more than an answer whether it runs
    answer = ask_address(profile.url.value, ADDRESS_SECONDS) if profile.unit is None else None
    for name, value, source in findings(profile):
        if name == "configuration":
            value = _configuration(profile)
        _print(name, value + (f"   [{source}]" if source else ""))
        if name == "gateway" and answer is not None:
            _print("answer", answer.text)
    key = profile.key.reveal() if profile.key else ""
    if (line := release_line(profile, lambda: running_release(profile.url.value, key))) is not None:
        _print("release", f"{line[0]}   [{line[1]}]")
    if profile.undecided and profile.discovery:
        number = len(profile.discovery.running)
        _print("several", f"{number} run, and nothing says which one is meant: what changes something wants one named")
    for other in _others(profile):
        _print("also found", other)
    for searched in profile.discovery.searched if profile.discovery else ():
        _print("looked for", f"{searched.what}: {searched.result}" + (f"; {searched.mend}" if searched.mend else ""))
    for missing in _missing(profile, answer):
        _print("missing", f"{missing.what}: {missing.why}. To mend: {missing.mend}.")
    if write is not None:
        return _write(profile, options, write, answer)
    return 0 if profile.unit and profile.config else 1


def _print(name: str, value: str) -> None:
    # labels of containers and command lines may hold anything
    print(f"{name:<15} {clean(value)}")


def _others(profile: Profile) -> Iterator[str]:
    """Every other gateway, and the option that opens it."""
    if profile.discovery is None:
        for name in profile.also_found:
            yield f"{name}   [choose it with --unit]"
        return
    for one in profile.discovery.gateways:
        if one.identity != profile.gateway:
            runs = "" if one.active else ", stopped"
            yield f"{one} at {one.unit.url}{runs}   [{option_for(one)}, or W in the console]"


def _missing(profile: Profile, answer: AddressAnswer | None) -> Iterator[Missing]:
    """What is missing. Of an address at which there is nothing, only that."""
    if answer is not None and answer.word != ALIVE and (answer.mend or profile.discovery is None):
        named = profile.url.source != "LiteLLM's default"
        if named:
            yield Missing("gateway", answer.text, answer.mend or "see whether it runs, and whether this is its address")
        if answer.word == "no such host":
            return
    yield from profile.missing


def _write(profile: Profile, options: Options, name: str, answer: AddressAnswer | None) -> int:
    if profile.unit is None and (answer is None or answer.word != ALIVE):
        raise SettingsError(f"--write {name}: no gateway was found that a profile could name")
    file, block = write_profile(name, profile_fields(profile, options))
    print(f"\nwritten to {file}; litellm-tui --profile {name} opens it:\n{block}", end="")
    return 0


def _configuration(profile: Profile) -> str:
    assert profile.config
    loaded = config_file.load(profile.config.value, {name: v.value for name, v in profile.environment.items()})
    if isinstance(loaded, ConfigError):
        return f"{profile.config.value} - cannot be used: {loaded}"
    without = ", ".join(sorted({reference.name for reference in loaded.references if reference.source is None}))
    says = f"{len(loaded.deployments)} deployments"
    if without:
        why = why_unknown(profile.service_target)
        says += f", not known whether set: {without} ({why})" if why else f", unset: {without}"
    return f"{profile.config.value} ({says})"
