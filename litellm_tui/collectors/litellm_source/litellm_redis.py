"""Finds the names that cache_params may hold for a Redis cache.

They are the parameters of redis-py's client, to which LiteLLM passes them, and those that LiteLLM adds. With any other
name the start fails with a TypeError.
"""

from __future__ import annotations

import ast
from typing import Final

from litellm_tui.collectors.litellm_source.litellm_package import Function, Package

# redis.Redis and redis.RedisCluster of redis-py 5 to 8, used where redis-py is not installed beside LiteLLM
_CLIENT: Final = """
address_remap auto_close_connection_pool cache cache_config cache_enabled client_name
cluster_error_retry_attempts connection_class connection_error_retry_attempts credential_provider db
decode_responses driver_info dynamic_startup_nodes encoding encoding_errors errors event_dispatcher
health_check_interval host lib_name lib_version load_balancing_strategy max_connections oss_cluster_client
password port protocol read_from_replicas redis_connect_func reinitialize_steps require_full_coverage
retry_on_error retry_on_timeout single_connection_client socket_connect_timeout socket_keepalive
socket_keepalive_options socket_read_size socket_timeout ssl ssl_ca_certs ssl_ca_data ssl_ca_path
ssl_cert_reqs ssl_certfile ssl_check_hostname ssl_ciphers ssl_exclude_verify_flags ssl_include_verify_flags
ssl_keyfile ssl_min_version ssl_ocsp_context ssl_ocsp_expected_cert ssl_password ssl_validate_ocsp
ssl_validate_ocsp_stapled startup_nodes unix_socket_path url username
"""
_CALLERS: Final = ("redis_cache.py", "redis_cluster_cache.py", "redis_semantic_cache.py", "valkey_semantic_cache.py")
_NOT_SET: Final = {"self", "connection_pool", "retry", "charset", "cls"}


def redis_params(package: Package) -> frozenset[str]:
    """Names that cache_params may hold for a Redis, in addition to those of the Cache itself."""
    found = set(_CLIENT.split())
    beside = Package(package.folder.parent / "redis")
    for place, owner in (("client.py", "Redis"), ("cluster.py", "RedisCluster")):
        found |= _arguments(beside.function(place, "__init__", of=owner)) if (beside.folder / place).exists() else set()
    for caller in _CALLERS:
        for node in ast.walk(package.tree(f"caching/{caller}")):
            if isinstance(node, Function) and node.name == "__init__":
                found |= _arguments(node)
    for node in ast.walk(package.tree("_redis.py")):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get" | "pop"), args=[key, *_]):
                found |= package.strings(key) if "kwargs" in name or "override" in name else set()
            case (
                ast.Subscript(value=ast.Name(id=name), slice=key)
                | ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=name)])
            ) if "kwargs" in name:
                found |= package.strings(key)
            case (
                ast.AnnAssign(target=ast.Name(id="include_args"), value=value)
                | ast.Assign(targets=[ast.Name(id="include_args")], value=value)
            ):
                found |= package.strings(value)
    return frozenset(name for name in found if name.isidentifier() and name.islower()) - _NOT_SET


def _arguments(function: Function | None) -> set[str]:
    if function is None:
        return set()
    return {item.arg for item in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
