"""MCP servers."""

from __future__ import annotations

from tests.proving.case import Case, Proof, logs, refused, runs
from tests.proving.run import Run


def server(line: str, name: str = "tools") -> str:
    return f"mcp_servers:\n  {name}:\n    url: http://127.0.0.1:9/mcp\n    {line}\n"


def refused_for(words: str) -> Proof:
    """LiteLLM does not start; the words are asked of it where its MCP package can be imported at all."""

    def proof(run: Run) -> None:
        refused("eval_type_backport" if "eval_type_backport" in run.log else words)(run)

    return proof


# the package mcp of the 1.77.7 that is tried here wants another pydantic
MCP_IS_NOT_IMPORTED = refused("eval_type_backport")


def lists_no_tools(name: str) -> Proof:
    """LiteLLM starts, and this server cannot be asked for its tools."""

    def proof(run: Run) -> None:
        if "eval_type_backport" in run.log:
            MCP_IS_NOT_IMPORTED(run)
            return
        runs(run)
        status, body, _ = run.get(f"/mcp-rest/tools/list?server_id={name}")
        assert status >= 400 or not body["tools"], (status, body)
        assert status >= 400 or body.get("error") or body.get("message"), body

    return proof


CASES: tuple[Case, ...] = (
    Case(
        "mcp-servers-listed",
        "mcp_servers:\n  - name: tools\n    url: http://127.0.0.1:9/mcp\n",
        finds={"mcp-server-refused": 1},
        proof=refused_for("'list' object has no attribute"),
    ),
    Case(
        "mcp-name-with-hyphen",
        server("transport: http", "search-tools"),
        finds={"mcp-server-refused": 2},
        proof=refused_for("Server name cannot contain '-'"),
    ),
    Case(
        "mcp-transport-of-others",
        server("transport: streamable-http"),
        finds={"mcp-server-refused": 4},
        proof=refused_for("transport"),
    ),
    Case(
        "mcp-auth-of-others",
        server("auth_type: jwt"),
        finds={"mcp-server-refused": 4},
        proof=refused_for("auth_type"),
    ),
    Case(
        "mcp-env-with-number",
        "mcp_servers:\n  tools:\n    transport: stdio\n    command: npx\n    env: {PORT: 8080}\n",
        env={"LITELLM_ENABLE_MCP_STDIO": "true"},
        finds={"mcp-server-refused": 5},
        proof=refused_for("env.PORT"),
    ),
    Case(
        "mcp-without-settings",
        "mcp_servers:\n  tools:\n",
        finds={"mcp-server-refused": 2},
        proof=refused_for("'NoneType' object has no attribute"),
    ),
    Case(
        "mcp-beside-empty-settings",
        server("transport: http") + "litellm_settings:\n",
        finds={"mcp-server-refused": 5},
        proof=refused_for("'NoneType' object has no attribute 'get'"),
    ),
    Case(
        "mcp-oauth-without-flow",
        server("auth_type: oauth2"),
        finds={"mcp-server-refused": 4},
        proof=refused_for("requires an explicit oauth2_flow"),
        since="1.97",
    ),
    Case(
        "mcp-description-that-is-not-there",
        server("transport: http\n    spec_path: nowhere.json"),
        finds={"start-file-missing": 5},
        proof=refused_for("OpenAPI spec not found at nowhere.json"),
        since="1.97",
    ),
    Case(
        "mcp-id-of-another",
        server("transport: http\n    server_id: tools_2") + "  tools_2:\n    url: http://127.0.0.1:9/mcp\n",
        finds={"mcp-server-refused": 5},
        proof=refused_for("is the server_name or alias of MCP server 'tools_2'"),
        since="1.106",
    ),
    Case(
        "mcp-without-address",
        "mcp_servers:\n  deep:\n    tools: {url: 'http://127.0.0.1:9/mcp'}\n",
        finds={"mcp-server-idle": 2},
        proof=lists_no_tools("deep"),
    ),
    Case(
        "mcp-programs-switched-off",
        "mcp_servers:\n  tools:\n    transport: stdio\n    command: uvx\n",
        finds={"mcp-server-idle": 2},
        proof=logs("MCP server 'tools' will not start: stdio MCP servers are disabled"),
        since="1.106",
        otherwise=MCP_IS_NOT_IMPORTED,
    ),
    Case(
        "mcp-program-that-is-not-allowed",
        "mcp_servers:\n  tools:\n    transport: stdio\n    command: /bin/cat\n",
        env={"LITELLM_ENABLE_MCP_STDIO": "true"},
        finds={"mcp-server-idle": 4},
        proof=lists_no_tools("tools"),
        since="1.106",
        otherwise=MCP_IS_NOT_IMPORTED,
    ),
    Case(
        "mcp-server-as-it-should-be",
        server("transport: http\n    auth_type: bearer_token\n    authentication_token: t"),
        finds={},
        proof=runs,
        since="1.83",
    ),
)
