"""The files a gateway would have on a machine: configuration, environment file and unit."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from litellm_tui.host import atomic

UNIT = "litellm.service"
DESCRIPTION = "LiteLLM proxy"
CONFIG_NAME = "litellm.yaml"
ENVIRONMENT_NAME = "litellm.env"
VERSION = "1.106.2"

# LITELLM_LOG=INFO is what makes per-model traffic visible in a LiteLLM log without a database
UNIT_ENVIRONMENT = {
    "LITELLM_LOG": "INFO",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "PYTHONUNBUFFERED": "1",
}

CONFIG = """\
# The gateway of a small platform team. Secrets come from litellm.env, beside this file.
model_list:
  - model_name: llama3.1:8b
    litellm_params:
      model: ollama_chat/llama3.1:8b
      api_base: http://127.0.0.1:11434
      rpm: 60
  - model_name: llama3.1:8b
    litellm_params:
      model: hosted_vllm/meta-llama/Llama-3.1-8B-Instruct
      api_base: http://gpu-a.example:8000/v1
      rpm: 240
      tpm: 400000
  - model_name: qwen2.5-coder:32b
    litellm_params:
      model: hosted_vllm/Qwen/Qwen2.5-Coder-32B-Instruct-AWQ
      api_base: http://gpu-b.example:8000/v1
  - model_name: gpt-4.1
    litellm_params:
      model: azure/gpt-41-prod
      api_base: https://platform-eu.example
      api_version: "2024-10-21"
      api_key: os.environ/AZURE_API_KEY
      rpm: 600
      tpm: 300000
    model_info:
      base_model: azure/gpt-4.1
  - model_name: gpt-4.1
    litellm_params:
      model: openai/gpt-4.1
      api_base: https://openai-relay.example/v1
      api_key: os.environ/OPENAI_API_KEY
      rpm: 300
  - model_name: gpt-4.1-mini
    litellm_params:
      model: openai/gpt-4.1-mini
      api_base: https://openai-relay.example/v1
      api_key: os.environ/OPENAI_API_KEY
  - model_name: gemini-2.5-flash
    litellm_params:
      model: gemini/gemini-2.5-flash
      api_key: os.environ/GEMINI_API_KEY
  - model_name: nomic-embed-text
    litellm_params:
      model: ollama/nomic-embed-text
      api_base: http://127.0.0.1:11434
    model_info:
      mode: embedding

litellm_settings:
  num_retries: 1
  request_timeout: 120
  json_logs: true
  default_fallbacks: [gpt-4.1-mini]
  cache: true
  cache_params:
    type: redis
    host: 127.0.0.1
    port: 6379
    ttl: 3600

router_settings:
  routing_strategy: simple-shuffle
  allowed_fails: 3
  cooldown_time: 60
  model_group_alias:
    assistant: gpt-4.1
  fallbacks:
    - qwen2.5-coder:32b: [llama3.1:8b, gpt-4.1-mini]
    - gpt-4.1: [gpt-4.1-mini]
    - gemini-2.5-flash: [claude-haiku]
  context_window_fallbacks:
    - llama3.1:8b: [gpt-4.1-mini]
  content_policy_fallbacks:
    - gpt-4.1: [gemini-2.5-flash]
  # an argument of completion(), not of the router: LiteLLM warns about it at every start
  context_window_fallback_dict:
    llama3.1:8b: gpt-4.1-mini

general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  background_health_checks: true
  health_check_interval: 10
"""

_CODER_FALLBACK = "    - qwen2.5-coder:32b: [llama3.1:8b, gpt-4.1-mini]\n"
_CODER_FALLBACK_CHANGED = "    - qwen2.5-coder:32b: [gpt-4.1, gpt-4.1-mini]\n"
_EMBEDDING = "  - model_name: nomic-embed-text\n"
_SECOND_CODER = """\
  - model_name: qwen2.5-coder:32b
    litellm_params:
      model: hosted_vllm/Qwen/Qwen2.5-Coder-32B-Instruct-AWQ
      api_base: http://gpu-c.example:8000/v1
      rpm: 120
"""

# what a colleague saves in the course of the story: a fallback leads elsewhere, a deployment is new
EDITED_CONFIG = CONFIG.replace(_CODER_FALLBACK, _CODER_FALLBACK_CHANGED).replace(_EMBEDDING, _SECOND_CODER + _EMBEDDING)


def write_all(folder: Path, command: str, saved_at: float) -> dict[str, str]:
    """Write everything that a unit with this command line needs, as if it had been saved then; the secrets of it."""
    held = make_secrets()
    texts = {
        CONFIG_NAME: CONFIG,
        ENVIRONMENT_NAME: "".join(f"{name}={value}\n" for name, value in held.items()),
        UNIT: unit_text(folder, command),
    }
    for name, text in texts.items():
        write_atomically(folder / name, text)
        os.utime(folder / name, (saved_at, saved_at))
    return held


def make_secrets() -> dict[str, str]:
    """What litellm.env holds. The keys open nothing, but the console masks them like any other."""
    return {
        "LITELLM_MASTER_KEY": f"sk-demo-{secrets.token_hex(12)}",
        "OPENAI_API_KEY": f"sk-proj-{secrets.token_hex(16)}",
        "AZURE_API_KEY": secrets.token_hex(16),
        "GEMINI_API_KEY": f"demo-{secrets.token_hex(14)}",
    }


def unit_text(folder: Path, command: str) -> str:
    """The unit file whose properties the stand-in `systemctl` shows."""
    environment = " ".join(f"{name}={value}" for name, value in UNIT_ENVIRONMENT.items())
    return (
        f"[Unit]\nDescription={DESCRIPTION}\nStartLimitIntervalSec=60\nStartLimitBurst=5\n\n"
        f"[Service]\nWorkingDirectory={folder}\nEnvironment={environment}\n"
        f"EnvironmentFile={folder / ENVIRONMENT_NAME}\nExecStart={command}\nRestart=on-failure\nRestartSec=2\n\n"
        "[Install]\nWantedBy=default.target\n"
    )


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file in one step, so that a reader sees the old or the new one and nothing between."""
    atomic.replace(path, text.encode(), mode=mode, durable=False)
