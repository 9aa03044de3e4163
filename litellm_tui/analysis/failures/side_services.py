"""The service beside LiteLLM that a line of its log is about, by the service's own words and by the file's name."""

from __future__ import annotations

from typing import Final

# the service that a callback sends to, by a word in the text or in the file's name
_SERVICES: Final[tuple[tuple[str, str], ...]] = (
    ("langfuse", "Langfuse"),
    ("opentelemetry", "OpenTelemetry"),
    ("otel", "OpenTelemetry"),
    ("otlp", "OpenTelemetry"),
    ("langsmith", "LangSmith"),
    ("langtrace", "Langtrace"),
    ("datadog", "Datadog"),
    ("prometheus", "Prometheus"),
    ("slack", "Slack"),
    ("teams webhook", "Microsoft Teams"),
    ("ms teams", "Microsoft Teams"),
    ("presidio", "Presidio"),
    ("ui_sso", "the login (SSO)"),
    ("fastapi_sso", "the login (SSO)"),
    ("oauthlib", "the login (SSO)"),
    ("jwks", "the token's issuer (JWKS)"),
    ("oidc", "the token's issuer (OIDC)"),
    ("sentry", "Sentry"),
    ("helicone", "Helicone"),
    ("braintrust", "Braintrust"),
    ("arize", "Arize"),
    ("phoenix", "Phoenix"),
    ("opik", "Opik"),
    ("mlflow", "MLflow"),
    ("lunary", "Lunary"),
    ("galileo", "Galileo"),
    ("argilla", "Argilla"),
    ("cloudzero", "CloudZero"),
    ("clickhouse", "ClickHouse"),
    ("azure sentinel", "Azure Sentinel"),
    ("azureblobstorage", "Azure storage"),
    ("azure_storage", "Azure storage"),
    ("pubsub", "Google Pub/Sub"),
    ("pub/sub", "Google Pub/Sub"),
    ("gcs bucket", "Google Cloud Storage"),
    ("gcs_bucket", "Google Cloud Storage"),
    ("dynamodb", "DynamoDB"),
    ("s3 layer", "S3"),
    ("s3 logging", "S3"),
    ("s3.py", "S3"),
    ("s3_v2", "S3"),
    ("s3logger", "S3"),
    ("sqs", "SQS"),
    ("posthog", "PostHog"),
    ("athina", "Athina"),
    ("weave", "Weave"),
    ("wandb", "Weights & Biases"),
    ("greenscale", "Greenscale"),
    ("deepeval", "DeepEval"),
    ("logfire", "Logfire"),
    ("traceloop", "Traceloop"),
    ("pagerduty", "PagerDuty"),
    ("pointfive", "PointFive"),
    ("smtp", "e-mail"),
    ("email", "e-mail"),
    ("webhook", "the webhook"),
)


def begins_with_a_service(lowered: str) -> bool:
    """Whether a text in lower case begins with the name of one."""
    return any(lowered.startswith(word) for word, _ in _SERVICES)


def service_named(text: str, file: str = "") -> str:
    """The name of the side service that a text, or the reporting file, is about; empty where it is not known."""
    lowered = f"{text[:1000]} {file}".lower()
    return next((name for word, name in _SERVICES if word in lowered), "")
