"""What an installed LiteLLM's source says of the values it knows, read with `ast`: the corpus is made from it."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec

from litellm_tui.audit.catalogue.records import Catalogue
from litellm_tui.collectors.litellm_source.catalogues import shipped
from tests.lab.environments import Environment


class Facts(msgspec.Struct, frozen=True):
    """The names of one version."""

    catalogue: Catalogue
    guardrails: tuple[str, ...]
    modes: tuple[str, ...]
    transports: tuple[str, ...]
    logins: tuple[str, ...]
    secret_managers: tuple[str, ...]
    params: tuple[str, ...]
    """Fields of litellm_params that have a type."""


def facts_of(environment: Environment) -> Facts:
    """Read the enumerations of an environment's LiteLLM; none of its code is run."""
    folder = environment.packages / "litellm"
    secrets = [folder / "proxy/_types.py", folder / "types/secret_managers/main.py"]
    router = folder / "types/router.py"
    return Facts(
        shipped().at(environment.version),
        _values(folder / "types/guardrails.py", "SupportedGuardrailIntegrations"),
        _values(folder / "types/guardrails.py", "GuardrailEventHooks"),
        _values(folder / "types/mcp.py", "MCPTransport"),
        _values(folder / "types/mcp.py", "MCPAuth"),
        tuple(dict.fromkeys(name for path in secrets for name in _values(path, "KeyManagementSystem"))),
        (
            *_fields(router, "CredentialLiteLLMParams"),
            *_fields(router, "GenericLiteLLMParams"),
            *_fields(router, "LiteLLM_Params"),
        ),
    )


def _class(path: Path, name: str) -> list[ast.stmt]:
    tree = ast.parse(path.read_bytes())
    return next((node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), [])


def _values(path: Path, name: str) -> tuple[str, ...]:
    """The texts of an enumeration; none where the file has no such class."""
    if not path.is_file():
        return ()
    return tuple(
        node.value.value
        for node in _class(path, name)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )


def _fields(path: Path, name: str) -> tuple[str, ...]:
    return tuple(
        node.target.id
        for node in _class(path, name)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    )
