"""Secrets are masked; everything else is left alone."""

from __future__ import annotations

import base64
import json
import pprint
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.analysis.redaction.redactor import MASK, ORDINARY, Redactor
from tests.recorded import FOLDER, VERSIONS, case, records

SHAPES = [
    ("Authorization: Bearer abcdefgh12345678", f"Authorization: Bearer {MASK}"),
    ("'authorization': 'Basic dXNlcjpwYXNzd29yZA=='", f"'authorization': 'Basic {MASK}'"),
    ("redis://user:hunter22@cache:6379/0", f"redis://{MASK}@cache:6379/0"),
    ("redis://:hunter22@cache:6379", f"redis://{MASK}@cache:6379"),
    ("postgresql://a:b%40c@db/x", f"postgresql://{MASK}@db/x"),
    ("Incorrect API key provided: sk-abc123def456", f"Incorrect API key provided: {MASK}"),
    ("sk-proj-abc_def-123456", MASK),
    ("sk-ant-api03-abcdefghijkl", MASK),
    ("key gsk_abcdefghijklmnopqrstuv used", f"key {MASK} used"),
    ("hf_abcdefghijklmnopqrst", MASK),
    ("AIzaSyA1234567890abcdefghijklmn", MASK),
    ("AKIAIOSFODNN7EXAMPLE", MASK),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", MASK),
    ("api_key=abcd1234", f"api_key={MASK}"),
    ("'api_key': 'abcd1234', 'model': 'x'", f"'api_key': '{MASK}', 'model': 'x'"),
    ('"AZURE_API_KEY": "abcd1234"', f'"AZURE_API_KEY": "{MASK}"'),
    ("master_key: abcd1234", f"master_key: {MASK}"),
    ("REDIS_PASSWORD=hunter22", f"REDIS_PASSWORD={MASK}"),
    ("client_secret = hunter22;", f"client_secret = {MASK};"),
    ("x-api-key: abcd1234", f"x-api-key: {MASK}"),
    (json.dumps(json.dumps({"api_key": "abcd1234", "a": 1})), None),
    # users without a password are tokens
    ("redis://hunter22@cache:6379", f"redis://{MASK}@cache:6379"),
    ("https://hunter22@example.com/x", f"https://{MASK}@example.com/x"),
    ("clone https://x-token:hunter22@git.lan/a.git now", f"clone https://{MASK}@git.lan/a.git now"),
    ("url=redis%3A%2F%2F%3Ahunter22%40cache", f"url=redis%3A%2F%2F{MASK}%40cache"),
    ("GET /v1/models?key=hunter22&x=1", f"GET /v1/models?key={MASK}&x=1"),
    ("https://h/v1?a=1&api_key=hunter22", f"https://h/v1?a=1&api_key={MASK}"),
    ("https://h.blob/x?sv=2024&sig=hunter22%3D&se=1", f"https://h.blob/x?sv=2024&sig={MASK}&se=1"),
    ("https://h/x?X-Amz-Signature=hunter22abcd", f"https://h/x?X-Amz-Signature={MASK}"),
    ("api-key: hunter22", f"api-key: {MASK}"),
    ("{'x-goog-api-key': 'hunter22'}", f"{{'x-goog-api-key': '{MASK}'}}"),
    ("Ocp-Apim-Subscription-Key: hunter22", f"Ocp-Apim-Subscription-Key: {MASK}"),
    ("authorization: hunter22-token", f"authorization: {MASK}"),
    ("Cookie: session=hunter22", f"Cookie: {MASK}"),
    ('aws_secret_access_key="hunter22/+abc"', f'aws_secret_access_key="{MASK}"'),
    ("aws_session_token = hunter22abcd", f"aws_session_token = {MASK}"),
    ("AccountName=a;AccountKey=hunter22abcd==;Suffix=x", f"AccountName=a;AccountKey={MASK};Suffix=x"),
    ('"password": "hunter22, and more"', f'"password": "{MASK}"'),
    ("'Authorization': b'Bearer hunter2212345'", f"'Authorization': b'Bearer {MASK}'"),
    ("-----BEGIN RSA PRIVATE KEY-----\nhunter22\nabcd\n-----END RSA PRIVATE KEY-----.", f"{MASK}."),
    (r'"-----BEGIN PRIVATE KEY-----\nhunter22\n-----END PRIVATE KEY-----\n"', None),
    ("ya29.a0hunter22abcdefghijkl", MASK),
    ("sk-or-v1-hunter22abc", MASK),
    ("pk-lf-hunter22-abcd", MASK),
    ("xoxb-hunter22-abcdefgh", MASK),
    ("github_pat_11hunter22abcdefgh", MASK),
    ("dapihunter22abcdefabcdefabcdef", MASK),
    ("https://hooks.slack.com/services/T0/B0/hunter22", f"https://hooks.slack.com/services/{MASK}"),
    ("two: sk-abcdef123 and sk-hunter22", f"two: {MASK} and {MASK}"),
    ("İstanbul sk-hunter22", f"İstanbul {MASK}"),
]


@pytest.mark.parametrize(("text", "expected"), SHAPES)
def test_secrets_are_masked_by_their_shape(text: str, expected: str | None) -> None:
    masked = Redactor()(text)
    if expected is not None:
        assert masked == expected
    assert "abcd1234" not in masked
    assert "hunter22" not in masked
    assert Redactor()(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "api_key: os.environ/OPENAI_API_KEY",
        "api_key=None",
        "'api_key': None,",
        "No api key passed in.",
        "Malformed API Key passed in. Ensure Key has `Bearer ` prefix.",
        "Missing credentials. Please pass an `api_key`, `workload_identity`, `admin_api_key`",
        "http://127.0.0.1:4000/v1/chat/completions",
        "user@host:~/litellm$",
        "see https://docs.litellm.ai/docs/proxy and mail me@example.com",
        "Invalid proxy server token passed. key=None, api_key: null",
        "the code=400 of type=invalid_request_error",
        "sign in at /sso/key/generate?page=2",
        "Linux-6.18.44-fc-v36-x86_64-with-glibc2.36",
        "a risk-free task-force; asian akimbo",
        "Traceback: raise AuthenticationError(message='no key')",
        "task-1234567890abcdef1234",
        "sk-none",
        "max_tokens=5 prompt_tokens=12 key=value",
        "llama3.1:8b → qwen2.5-coder:32b",
        "2026-11-21T01:16:23 INFO",
        "02b07e6a-9b2c-4eb2-8e08-d4fb9c62c409",
        "",
    ],
)
def test_what_is_no_secret_is_left_as_it_is(text: str) -> None:
    assert Redactor()(text) == text


def test_known_values_are_masked_wherever_they_stand() -> None:
    redact = Redactor(["correct horse", "correct horse battery", "abc", ""])
    assert redact("xcorrect horse batteryx and correct horse") == f"x{MASK}x and {MASK}"
    # too short to be told from ordinary text
    assert redact("abc") == "abc"


SECRET = "p/a+s:s w\"ör'd&9!"


@pytest.mark.parametrize(
    "text",
    [
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps({"x": SECRET}),
        json.dumps({"x": SECRET}, ensure_ascii=False),
        repr({"x": SECRET}),
        json.dumps(repr(SECRET + "plain")),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.b64encode(f"ab:{SECRET}\n".encode()).decode(),
        base64.urlsafe_b64encode(f"abc:{SECRET}".encode()).decode(),
    ],
)
def test_a_known_value_is_masked_however_it_is_written(text: str) -> None:
    masked = Redactor([SECRET])(f"x {text} y")
    assert MASK in masked
    assert masked.startswith("x ")
    assert masked.endswith(" y")
    inner = base64.b64encode(SECRET.encode()).decode()[4:16]
    for rest in ("rd&9", "ör", "%C3%B6r", "u00f6", "xf6r", inner):
        assert rest not in masked


def test_a_known_value_is_masked_when_a_repr_breaks_it_over_lines() -> None:
    secret = "q7Zr" * 12
    text = "Traceback:\n" + pprint.pformat({"headers": "x " * 20 + secret + " y" * 20}, width=40)
    broken = f"{{'k': '{secret[:20]}'\n      '{secret[20:]}'}}"
    for told in (text, broken):
        masked = Redactor([secret])(told)
        assert "q7Zr" not in masked
        assert MASK in masked


def test_a_known_value_that_is_cut_off_with_its_line_is_masked() -> None:
    secret = "hunter22-and-more-of-it"
    masked = Redactor([secret])("x" * 1500 + " " + secret[:14])
    assert "hunter22" not in masked


def test_a_known_value_is_masked_where_litellm_leaves_its_ends() -> None:
    # 1.106.2 at LITELLM_LOG=DEBUG, in its table of the cache's settings
    assert Redactor(["hunter22-x"])("│ password       │ hunt**22-x │") == f"│ password       │ {MASK} │"
    assert Redactor(["sk-abcdefghijkl"])("key sk-a*******ijkl") == f"key {MASK}"


def test_a_placeholder_for_a_key_is_no_secret() -> None:
    assert Redactor(["ollama"])("ollama/llama3.1") == "ollama/llama3.1"


def test_masks_are_counted() -> None:
    redact = Redactor(["hunter2222"])
    assert redact.counted("hunter2222 sk-abcdef1234 and Bearer abcdefgh1") == (f"{MASK} {MASK} and Bearer {MASK}", 3)
    assert redact.counted("nothing") == ("nothing", 0)


def test_a_known_value_is_text_and_no_pattern() -> None:
    assert Redactor(["a.*b("])("a.*b( axxb(") == f"{MASK} axxb("


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/journal*.jsonl")), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_recorded_log_holds_no_secret_and_comes_through_unchanged(path) -> None:  # type: ignore[no-untyped-def]
    redact = Redactor()
    for record, _ in records(path.parent.name, path.stem):
        assert redact(record.text) == record.text
        assert redact(record.stack) == record.stack


@pytest.mark.parametrize("version", VERSIONS)
def test_the_recorded_health_errors_come_through_unchanged(version: str) -> None:
    for entry in case(version, "health")["body"]["unhealthy_endpoints"]:
        assert Redactor()(entry["error"]) == entry["error"]


@pytest.mark.parametrize(
    "text",
    [
        "a-" * 100_000 + "x" * 20,
        "abcdefghijklmnopqrstuvwxyz-_" * 10_000,
        "key-" * 100_000,
        "eyJaaaaaaaaa-" * 20_000,
        "://" + "a:" * 100_000,
        "bearer " * 50_000,
        'api_key"' * 50_000,
        "api_key =" + " " * 200_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_long_line_is_masked_in_one_pass(text: str) -> None:
    """Were a pattern to begin anew at every hyphen, this would take hours."""
    Redactor()(text)


@given(st.text(alphabet=st.characters(categories=["L", "N", "Zs"])))
def test_plain_words_are_never_changed(text: str) -> None:
    lowered = text.lower()
    if not any(word in lowered for word in ("bearer", "basic", "eyj", "aiza", "akia", "asia")):
        assert Redactor()(text) == text


@given(st.text(), st.text(min_size=4))
def test_a_known_value_is_never_left(text: str, secret: str) -> None:
    masked = Redactor([secret])(f"{text}{secret}{text}")
    if secret not in MASK and secret.lower() not in ORDINARY:
        assert secret not in masked.replace(MASK, "\0")
