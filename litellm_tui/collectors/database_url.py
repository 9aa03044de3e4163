"""Where LiteLLM's database is: the URL that the proxy takes, in LiteLLM's own order, and what stands in it.

Source: litellm/proxy/proxy_cli.py and proxy_server.py, 1.77.7 and 1.106.2. `environment_variables` of the file are set
last; `general_settings.database_url` replaces DATABASE_URL; without both, DATABASE_HOST, DATABASE_USERNAME,
DATABASE_PASSWORD, DATABASE_NAME and DATABASE_SCHEMA make one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, quote_plus, unquote

import msgspec

from litellm_tui.model.configuration import ConfigFile

PREFIX: Final = "os.environ/"
PORT: Final = 5432
_LAST_PORT: Final = 65535
# schema.prisma has the provider "postgresql", which takes these two
_SCHEMES: Final = ("postgresql", "postgres")
_TOKENS: Final = (
    ("IAM_TOKEN_DB_AUTH", "a token of AWS (IAM_TOKEN_DB_AUTH)"),
    ("AZURE_POSTGRESQL_AUTH", "a token of Azure (AZURE_POSTGRESQL_AUTH)"),
)
_UNREADABLE: Final = "cannot be taken apart: special characters of its password must be percent-encoded"
_LONGEST: Final = 4096


class Login(msgspec.Struct, frozen=True):
    """What is needed to log in as LiteLLM does. The repr shows neither user nor password.

    `host` is a name, an address, or the folder of a socket. `tls` is `disable`, `prefer`, `require` or `verify`, and
    `root` the file of a certificate authority.
    """

    host: str
    port: int
    user: str
    password: str
    database: str
    schema: str = "public"
    tls: str = "prefer"
    root: str = ""

    @property
    def place(self) -> str:
        """Where it is, without the login."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}/.s.PGSQL.{self.port}" if host.startswith("/") else f"{host}:{self.port}"

    def __repr__(self) -> str:
        return f"Login({self.place})"


class Found(NamedTuple):
    """The database that LiteLLM is given: what gives it, and its login, or why that is not known.

    `secrets` are the whole URL and its password.
    """

    source: str
    login: Login | None = None
    unasked: str = ""
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Found({self.source!r}, {self.login!r}, {self.unasked!r})"


def find(file: ConfigFile | None, environment: Mapping[str, str], own: Mapping[str, str]) -> Found | None:
    """The database of the proxy that is started with this file; None without one.

    `environment` is all that `os.environ/` may refer to, `own` the part of it that is known to be the service's: a
    DATABASE_URL in the shell of the operator is no evidence.
    """
    settings = file.section("general_settings") if file else {}
    section = file.section("environment_variables") if file else {}
    own = {**own, **{name: value for name, value in section.items() if isinstance(value, str) and value}}
    environment = {**environment, **own}
    for name, words in _TOKENS:
        if own.get(name, "").strip().lower() in ("true", "1", "t", "y", "yes", "on"):
            return Found(name, unasked=f"LiteLLM logs in with {words}, which the console does not have")
    if isinstance(section.get("DATABASE_URL"), str) and section["DATABASE_URL"]:
        return _from("environment_variables.DATABASE_URL", section["DATABASE_URL"], environment)
    given = settings.get("database_url")
    if isinstance(given, str) and given:
        found = _from("general_settings.database_url", given, environment)
        if found.login is not None or found.secrets or not own.get("DATABASE_URL"):
            return found
    if url := own.get("DATABASE_URL"):
        return _from("DATABASE_URL", url, environment)
    host, user, database = (own.get(f"DATABASE_{part}") for part in ("HOST", "USERNAME", "NAME"))
    if host and user and database:
        password, schema = own.get("DATABASE_PASSWORD", ""), own.get("DATABASE_SCHEMA")
        login = f"{quote_plus(user)}:{quote_plus(password)}" if password else quote_plus(user)
        url = f"postgresql://{login}@{host}/{quote_plus(database)}" + (f"?schema={schema}" if schema else "")
        return _read("DATABASE_HOST", url)
    return None


def _from(source: str, value: str, environment: Mapping[str, str]) -> Found:
    if not value.startswith(PREFIX):
        return _read(source, value)
    name = value.removeprefix(PREFIX)
    url = environment.get(name)
    if not url:
        return Found(source, unasked=f"{source} is os.environ/{name}, which nothing readable here sets")
    return _read(f"{name} ({source})", url)


def _read(source: str, url: str) -> Found:
    try:
        login = read_url(url)
    except ValueError as error:
        return Found(source, unasked=f"the address in {source} {error}", secrets=(url,))
    secrets = (url, login.password, quote_plus(login.password)) if login.password else (url,)
    return Found(source, login, secrets=secrets)


def read_url(url: str) -> Login:
    """The parts of a connection URL as Prisma reads them, percent-decoded.

    Raises ValueError, whose text follows "the address" and holds nothing of the URL.
    """
    if len(url) > _LONGEST or any(ord(letter) < 32 for letter in url):
        raise ValueError(_UNREADABLE)
    scheme, mark, rest = url.strip().strip("'\"").partition("://")
    if not mark:
        raise ValueError("has no scheme: LiteLLM takes postgresql:// only")
    if scheme.lower() not in _SCHEMES:
        known = scheme.lower() if scheme.isalnum() and len(scheme) <= 20 else "another"
        raise ValueError(f"has the scheme {known}: LiteLLM takes postgresql:// only")
    place, _, tail = rest.partition("/")
    if "?" in place:
        place, _, query = place.partition("?")
        database = ""
    else:
        database, _, query = tail.partition("?")
    if "#" in rest or "/" in database:
        raise ValueError(_UNREADABLE)
    login, at, where = place.rpartition("@")
    if "@" in login or "," in where:
        raise ValueError(_UNREADABLE if "@" in login else "names several hosts, which the console does not ask")
    user, _, password = login.partition(":") if at else ("", "", "")
    options = dict(parse_qsl(query, keep_blank_values=True))
    host, port = _host(where)
    given = options.get("host", "")
    if given:
        host = given
    if not host or not user:
        raise ValueError("names no host" if not host else "names no user")
    tls = options.get("sslmode", "prefer")
    checked = tls in ("verify-ca", "verify-full") or options.get("sslaccept") == "strict"
    return Login(
        host=host,
        port=port,
        user=unquote(user),
        password=unquote(password),
        database=unquote(database) or unquote(user),
        schema=options.get("schema") or "public",
        tls="verify" if checked and tls != "disable" else tls if tls in ("disable", "require") else "prefer",
        root=options.get("sslrootcert") or options.get("sslcert") or "",
    )


def _host(where: str) -> tuple[str, int]:
    """Host and port; urlsplit would write the folder of a socket in small letters."""
    if where.startswith("["):
        host, _, port = where[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = where.partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _LAST_PORT):
        raise ValueError(_UNREADABLE)
    return unquote(host), int(port or PORT)


def tolerated(file: ConfigFile | None) -> bool:
    """Whether LiteLLM lets requests through without its database, as litellm/proxy/db/exception_handler.py reads it."""
    given: Any = file.section("general_settings").get("allow_requests_on_db_unavailable") if file else False
    return given is True or (isinstance(given, str) and given.strip().lower() == "true")
