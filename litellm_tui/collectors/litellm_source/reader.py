"""Reads from the source of a LiteLLM which settings it reads of a configuration.

Nothing of it is imported: an import costs seconds and hundreds of megabytes, and runs code of another environment.

`python -m litellm_tui.collectors.litellm_source.reader FOLDER` prints the catalogue of a package folder as JSON.
"""

from __future__ import annotations

import ast
import gc
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.audit.catalogue.records import Catalogue
from litellm_tui.collectors.litellm_source import litellm_defaults, litellm_names, litellm_params
from litellm_tui.collectors.litellm_source.litellm_flow import Flow
from litellm_tui.collectors.litellm_source.litellm_package import Function, Package, assigned
from litellm_tui.collectors.litellm_source.litellm_redis import redis_params
from litellm_tui.host.bounded import read_text
from litellm_tui.model.failures import Failure, NotAvailable

PROXY: Final = "proxy/proxy_server.py"
_CONFIG: Final = {"get_config", "get_config_state", "_get_config_from_file", "safe_load"}
_MANAGED: Final = "ROUTER_SETTINGS_MANAGED_OUTSIDE_CONFIG"
# below general_settings these are always an indentation mistake, although an endpoint for updates compares them there
_NEVER_BELOW: Final = {"model_list", "general_settings", "litellm_settings", "router_settings", "environment_variables"}

_CONSTANT: Final = re.compile(rb"""^[A-Z][A-Z0-9_]{1,60}[ ]?(?::[^=\n]{1,80})?=[ ]?["'](\w{1,60})["']""", re.MULTILINE)
_READ: Final = re.compile(rb"\blitellm\.([A-Za-z_]\w*)|(?:get|has)attr\(\s*litellm,\s*[\"'](\w+)")


def read(folder: Path) -> Catalogue | Failure:
    """The catalogue of the LiteLLM in a package folder (`…/site-packages/litellm`, or of an unpacked wheel).

    The call takes some ten seconds. A folder without a LiteLLM, or with one whose parts are not found, is a `Failure`.
    """
    package = Package(folder)
    missing = [name for name in ("__init__.py", "router.py", PROXY) if name not in package.sources]
    if missing:
        return NotAvailable(f"{folder} is no LiteLLM with its proxy: {', '.join(missing)} missing")
    parameters, managed = _router(package)
    special = _litellm_special(package)
    params = litellm_params.params(package)
    found = Catalogue(
        version=version(folder),
        source="installed",
        sections=_sections(package),
        router=parameters - managed,
        router_managed=managed,
        general=_general(package),
        litellm=special | _attributes(package),
        litellm_special=special,
        strategies=_strategies(package),
        cache_types=package.enum_values("LiteLLMCacheType"),
        cache_params=_parameters(package.function("caching/caching.py", "__init__", of="Cache")),
        redis_params=redis_params(package),
        retry_policy=package.fields("RetryPolicy", within="types/router.py"),
        allowed_fails_policy=package.fields("AllowedFailsPolicy", within="types/router.py"),
        environment=litellm_names.environment(package),
        providers=litellm_names.providers(package),
        callbacks=litellm_names.callbacks(package),
        params=params,
        param_words=litellm_params.param_words(package, params),
        models=litellm_names.models(folder),
        defaults=litellm_names.defaults(package) | litellm_defaults.defaults(package, router_makers(package)),
        compiled=compiled_parts(folder),
    )
    empty = [kind for kind in ("sections", "router", "general", "litellm", "cache_params") if not getattr(found, kind)]
    if empty:
        return NotAvailable(f"{folder}: what LiteLLM reads as {', '.join(empty)} is not found in its source")
    return found


def version(folder: Path) -> str:
    """The version of a package folder, from the metadata or the project file beside it; "" where neither has it."""
    for place, pattern in (
        *((info / "METADATA", r"^Version: (\S+)") for info in sorted(folder.parent.glob("litellm-[0-9]*.dist-info"))),
        (folder.parent / "pyproject.toml", r'^version\s*=\s*"([^"]+)"'),
    ):
        try:
            found = re.search(pattern, read_text(place, errors="replace"), re.MULTILINE)
        except OSError:
            continue
        if found:
            return found[1]
    return ""


def compiled_parts(folder: Path) -> tuple[str, ...]:
    """The compiled parts of a package folder: what they read is not in its Python source."""
    found = (path.relative_to(folder).as_posix() for end in ("so", "pyd") for path in folder.rglob(f"*.{end}"))
    return tuple(sorted(found))


def _parameters(function: Function | None) -> frozenset[str]:
    if function is None:
        return frozenset()
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return frozenset(item.arg for item in arguments if item.arg != "self" and not item.arg.startswith("_"))


def _router(package: Package) -> tuple[frozenset[str], frozenset[str]]:
    """The parameters of the Router, and those of them that router_settings may not set.

    Until 1.108 the class Router has them itself, in 1.108 and 1.109 its core in another file; since 1.110 its core is
    compiled, and a function of the module has them for the class.
    """
    parameters = max(map(_parameters, router_makers(package)), key=len, default=frozenset())
    managed = package.constant(_MANAGED)
    if not managed:
        # until 1.8x the list is a set in the function of the proxy that loads the file
        managed = frozenset().union(*map(package.strings, assigned(package.tree(PROXY), "exclude_args")))
    return parameters, managed & parameters


def router_makers(package: Package) -> Iterator[Function]:
    """The functions of the router's files that take its parameters."""
    known = {"model_list", "routing_strategy"}
    for place in _router_files(package):
        for node in ast.walk(package.tree(place)):
            if isinstance(node, Function) and node.name.strip("_").endswith("init") and known <= _parameters(node):
                yield node


def _router_files(package: Package) -> list[str]:
    return [place for place in package.sources if place.startswith("router") and "/" not in place]


def _sections(package: Package) -> frozenset[str]:
    return Flow(package, "", lambda name: name in _CONFIG, [PROXY], owner="ProxyConfig", handed="config").follow()


def _general(package: Package) -> frozenset[str]:
    """Keys of general_settings that code reads.

    A field of ConfigGeneralSettings alone counts for nothing: the class lists and documents, and no code need ask for
    what it names. It counts where a file that has the section also has a constant with its name.
    """

    def named(name: str) -> bool:
        return "general_settings" in name and "router_general" not in name

    places = package.holding("general_settings")
    read = Flow(package, "general_settings", named, places).follow()
    constants = {name.decode() for place in places for name in _CONSTANT.findall(package.sources[place])}
    return (read | (constants & package.fields("ConfigGeneralSettings", within="proxy/_types.py"))) - _NEVER_BELOW


def _litellm_special(package: Package) -> frozenset[str]:
    """Keys of litellm_settings that the proxy itself reads."""
    names = {"litellm_settings", "_litellm_settings"}
    flow = Flow(package, "litellm_settings", lambda name: name in names, package.holding("litellm_settings"))
    return flow.follow()


def _attributes(package: Package) -> frozenset[str]:
    """Attributes of the litellm module: those that the module assigns, and those that code reads from it.

    Every other key of litellm_settings becomes such an attribute.
    """
    own = {name for name in _assigned_names(package.tree("__init__.py")) if not name.startswith("__")}
    named: dict[str, set[str]] = {}
    for place, source in package.sources.items():
        for match in _READ.findall(source):
            named.setdefault((match[0] or match[1]).decode(), set()).add(place)
    files = {name.split("/")[0].removesuffix(".py") for name in package.sources}
    doubtful = {name: places for name, places in named.items() if name not in own | files and not package.defines(name)}
    places = set().union(*doubtful.values())
    return frozenset(own | (doubtful.keys() & {name for place in places for name in _loaded(package.tree(place))}))


def _assigned_names(tree: ast.Module) -> Iterator[str]:
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Function | ast.ClassDef) or (isinstance(node, ast.If) and _for_types(node)):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        pending += ast.iter_child_nodes(node)


def _for_types(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _loaded(tree: ast.Module) -> Iterator[str]:
    """The names that code reads from the module, outside comments and imports."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="litellm"), attr=name, ctx=ast.Load()):
                yield name
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr"),
                args=[ast.Name(id="litellm"), ast.Constant(value=str(name)), *_],
            ):
                yield name


def _strategies(package: Package) -> frozenset[str]:
    """Values of routing_strategy: of the enumeration, the parameter's annotation, and comparisons."""
    found = set(package.enum_values("RoutingStrategy"))
    nodes = (node for place in _router_files(package) for node in ast.walk(package.tree(place)))
    for node in nodes:
        match node:
            case ast.Compare(
                left=ast.Name(id="routing_strategy")
                | ast.Attribute(value=ast.Name(id="self"), attr="routing_strategy"),
                comparators=[right],
            ):
                found |= package.strings(right)
            case ast.arg(arg="routing_strategy", annotation=ast.Name(id=name)):
                found |= package.constant(name)
            case ast.arg(arg="routing_strategy", annotation=ast.expr() as annotation):
                found |= package.strings(annotation)
    return frozenset(found)


def main(arguments: list[str]) -> int:
    """Print the catalogue of a folder as JSON; 1 with the reason on stderr when there is none."""
    # a low priority, and no garbage collection in a process that ends soon: the console must stay quick
    os.nice(10)
    gc.disable()
    found = read(Path(arguments[0]))
    if isinstance(found, Failure):
        sys.stderr.write(f"{found.why}\n")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
