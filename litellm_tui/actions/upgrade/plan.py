"""The plan of an upgrade: what is there, what is to be had, what changes, and what stands against it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from litellm_tui.actions.transaction.events import Seen
from litellm_tui.actions.upgrade import compose_tag, obstacles, staging
from litellm_tui.actions.upgrade.tools import Tools, find_tools, releases, resolve
from litellm_tui.collectors.litellm_source.advisories import shipped_advisories
from litellm_tui.collectors.litellm_source.catalogues import library_folders
from litellm_tui.collectors.litellm_source.installation import installation_of
from litellm_tui.collectors.litellm_source.installed_release import release_of
from litellm_tui.model.failures import Failure
from litellm_tui.model.installation import Installation
from litellm_tui.model.release import ReleaseComparison
from litellm_tui.model.service_kinds import Compose
from litellm_tui.model.upgrade import TagExchange, UpgradePlan
from litellm_tui.monitor.auditor import environment_of
from litellm_tui.monitor.release_choice import is_newer, newer, offered, same_release, version_of_image
from litellm_tui.monitor.release_comparison import compare
from litellm_tui.target.profile import Profile

_SHOWN: Final = 12
BACKED_UP: Final = "--database-is-backed-up"
_NO_MIGRATION: Final = "DISABLE_SCHEMA_UPDATE"


class Planned(NamedTuple):
    """The plan, with what carrying it out needs."""

    plan: UpgradePlan
    installed: Installation | None = None
    tools: Tools = Tools()
    tag: TagExchange | None = None


async def make_plan(
    profile: Profile, seen: Seen | None, wanted: str = "", *, backed_up: bool = False, rehearsal: bool = False
) -> Planned:
    """Plan the way to a release, by default to the newest one that nothing is known against.

    What is `rehearsal` only changes nothing that runs: neither the database nor an unapplied change is against it.
    """
    if profile.tools.booted_at is not None:
        planned = Planned(UpgradePlan("the simulation", "", "", refusals=("the simulated gateway is not upgraded",)))
    elif isinstance(profile.service, Compose):
        planned = await _of_image(profile, profile.service, wanted)
    else:
        planned = await _of_environment(profile, seen, wanted)
    plan = planned.plan
    running = _running(seen)
    refusals = [*plan.refusals, *(obstacles.of_release(plan.after) if plan.after else ())]
    notes = list(plan.notes)
    if plan.after and same_release(plan.before, plan.after):
        refusals.append(f"LiteLLM {plan.after} is installed already")
    elif plan.after and is_newer(plan.before, plan.after):
        notes.append(f"{plan.after} is older than {plan.before}")
    if running and plan.before and not same_release(running, plan.before):
        notes.append(f"installed {plan.before}, runs {running} until the next restart: restart first, to prove that")
    if seen is not None and seen.diagnosis.drift and not rehearsal:
        refusals.append(
            "the configuration was changed and is not applied: restart first, so that what fails has one cause"
        )
    database = _database(profile, seen)
    if database and not backed_up and not rehearsal:
        refusals.append(f"what happens to the database's tables cannot be taken back: back it up, then say {BACKED_UP}")
    comparison, unread = await _compared(profile, seen, plan)
    return planned._replace(
        plan=_with(plan, running=running, refusals=tuple(refusals), notes=(*notes, *unread), database=database,
                   comparison=comparison, held_before=obstacles.known_against(plan.before),
                   held_after=obstacles.known_against(plan.after) if plan.after else ())
    )  # fmt: skip


def _with(plan: UpgradePlan, **fields: object) -> UpgradePlan:
    return msgspec.structs.replace(plan, **fields)


def _running(seen: Seen | None) -> str:
    readiness = seen.snapshot.gateway.readiness.value if seen else None
    return (readiness.version or "") if readiness else ""


async def _of_environment(profile: Profile, seen: Seen | None, wanted: str) -> Planned:
    interpreter = profile.found_unit.interpreter if profile.found_unit else None
    interpreter = interpreter or profile.interpreter
    if not interpreter:
        why = (
            "the container was made by docker run: make it anew with the image of another release"
            if profile.kind == "docker"
            else "which Python runs it is not known here: see litellm-tui where"
        )
        return Planned(UpgradePlan(profile.kind, "", "", wanted, refusals=(why,)))
    installed = await asyncio.to_thread(installation_of, interpreter)
    if isinstance(installed, Failure):
        return Planned(UpgradePlan(profile.kind, interpreter, "", wanted, refusals=(installed.why,)))
    tools = await find_tools(installed.folder)
    service = seen.snapshot.service.value if seen else None
    left = await asyncio.to_thread(staging.unfinished, installed.folder)
    refusals = await asyncio.to_thread(_stands_against, installed, interpreter, service.main_pid if service else 0)
    listed = await releases(tools, installed.python)
    notes = tuple(f"{path} was not finished when somebody was interrupted at it: it is made anew" for path in left)
    available: tuple[str, ...] = ()
    source = ""
    if isinstance(listed, Failure):
        notes += (f"which releases are to be had is not known: {listed.why}",)
    else:
        available, source = newer(listed.releases, installed.version), listed.tool
    after = wanted or offered(available)
    if not wanted and not after:
        refusals += (
            ("name the release to go to",) if isinstance(listed, Failure) else ("no newer release is to be had",)
        )
    packages = None
    if after and not refusals:
        asked = [f"{installed.requirement}=={after}", *installed.beside]
        solved = await resolve(tools, installed.python, asked, installed.packages)
        if isinstance(solved, Failure) and tools.uv and not wanted:
            found = await _newest_that_goes(tools, installed, available)
            if found is not None:
                notes += (f"the newest, {after}, cannot be installed here: {solved.why}",)
                solved, after = found, found["litellm"]
        if isinstance(solved, Mapping):
            packages = staging.differences(
                {name: version for name, version in installed.packages.items() if name in solved}, solved
            )
        elif tools.uv:
            refusals = (f"{asked[0]} cannot be installed: {solved.why}",)
        else:
            notes += (f"which other packages change is not known: {solved.why}",)
    if not installed.extras_known and after:
        extras = f"with the extras {', '.join(installed.extras)}" if installed.extras else "without extras"
        notes += (f"LiteLLM is asked for {extras}, told by the packages that are there",)
    plan = UpgradePlan(
        how=installed.words,
        path=installed.path,
        before=installed.version,
        after=after,
        python=installed.python,
        requirement=installed.requirement,
        beside=installed.beside,
        staged=staging.place_of(installed.folder, after) if after else "",
        available=available[:_SHOWN],
        source=source,
        packages=packages,
        refusals=refusals,
        notes=notes,
    )
    return Planned(plan, installed, tools)


async def _newest_that_goes(tools: Tools, installed: Installation, available: tuple[str, ...]) -> dict[str, str] | None:
    """What would be installed of the newest release that goes with the index and what is beside; None without one."""
    left_out = [one for one in available if offered([one]) != one]
    span = ",".join((f">{installed.version}", *(f"!={one}" for one in left_out)))
    present = {name: version for name, version in installed.packages.items() if name != "litellm"}
    solved = await resolve(tools, installed.python, [f"{installed.requirement}{span}", *installed.beside], present)
    return None if isinstance(solved, Failure) or "litellm" not in solved else solved


def _stands_against(installed: Installation, interpreter: str, main_pid: int) -> tuple[str, ...]:
    planted = release_of(library_folders(interpreter), shipped_advisories()).planted
    taken = (
        (f"{planted[0].path} was planted by a compromised release, and a copy would hold it too: build a new "
         "environment from nothing, and change every key",)
        if planted
        else ()
    )  # fmt: skip
    own = obstacles.family_of(main_pid)
    return (*taken, *obstacles.of_installation(installed), *obstacles.of_processes(installed, own))


async def _of_image(profile: Profile, compose: Compose, wanted: str) -> Planned:
    place = await compose_tag.written(compose)
    if isinstance(place, Failure):
        return Planned(UpgradePlan("image of a Compose service", "", "", wanted, refusals=(place.why,)))
    how = f"image {place.image} of {place.service}"
    before = version_of_image(place.image)
    plan = UpgradePlan(how, place.file, before, wanted, source="the tags of a registry are not listed here")
    if not wanted:
        return Planned(_with(plan, refusals=("name the release, or the tag, to go to",)))
    tag = compose_tag.exchange_to(place, wanted)
    if isinstance(tag, Failure):
        return Planned(_with(plan, refusals=(tag.why,)))
    after = version_of_image(tag.after) or wanted
    return Planned(_with(plan, after=after, staged=tag.after), tag=tag)


def _database(profile: Profile, seen: Seen | None) -> str:
    """What happens to the tables of the database; empty where the gateway has none."""
    file = seen.snapshot.configuration.current if seen else None
    settings = file.data.get("general_settings") if file else None
    named = isinstance(settings, Mapping) and settings.get("database_url")
    if not named and "DATABASE_URL" not in profile.environment and "DATABASE_HOST" not in profile.environment:
        return ""
    off = profile.environment.get(_NO_MIGRATION)
    if off is not None and off.value.strip().lower() == "true":
        return f"{_NO_MIGRATION} is set: its tables have to be migrated by a job of their own, before this"
    return (
        "the new release migrates its tables at its start, and going back to the old one does not undo that: a backup "
        "of the database is the only way back"
    )


async def _compared(
    profile: Profile, seen: Seen | None, plan: UpgradePlan
) -> tuple[ReleaseComparison | None, tuple[str, ...]]:
    file = seen.snapshot.configuration.current if seen else None
    if file is None or not plan.after or not plan.before or same_release(plan.before, plan.after):
        return None, ()
    # the source of what is installed says more than the table of releases
    before = "" if profile.found_unit and profile.found_unit.interpreter else plan.before
    found = await asyncio.to_thread(
        compare, file, environment_of(profile), profile.found_unit, before, plan.after, profile.ignored_rules
    )
    if isinstance(found, Failure):
        return None, (f"what changes for the configuration is not known: {found.why}",)
    return found, ()
