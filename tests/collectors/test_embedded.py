"""A configuration in a file of another kind: found, loaded with that file's places, and what the file says of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from textwrap import indent

import pytest

from litellm_tui.collectors.config.embedded import unwrap
from litellm_tui.collectors.config.load_embedded import load_piece, not_held, outer_error
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.embedded import Piece, Wrapped

INNER = """\
model_list:
  - model_name: plover   # a wader
    litellm_params: {model: openai/plover, api_key: os.environ/PLOVER_KEY}
router_settings:
  num_retries: 4
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: birds}\ndata:\n  config.yaml: |\n"


def at(depth: int, text: str = INNER) -> str:
    return indent(text, " " * depth)


def wrapped(text: str | bytes, name: str = "file.yaml") -> Wrapped:
    found = unwrap(text.encode() if isinstance(text, str) else text, f"/srv/{name}")
    assert found is not None
    return found


def only(text: str | bytes, name: str = "file.yaml") -> Piece:
    (piece,) = wrapped(text, name).pieces
    return piece


def loaded(piece: Piece) -> ConfigFile:
    config = load_piece(piece, {})
    assert isinstance(config, ConfigFile), config
    return config


WRAPPINGS = {
    "configmap.yaml": (MAP + at(4), "a Kubernetes ConfigMap", 4, 2),
    "list.yaml": (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: birds}\n"
        "  data:\n    config.yaml: |\n" + at(6),
        "a Kubernetes List",
        7,
        2,
    ),
    "two.yaml": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n" + MAP + at(4) + "---\nkind: X\n",
        "a Kubernetes manifest of 2 objects",
        8,
        2,
    ),
    "string-data.yaml": (
        "apiVersion: v1\nkind: Secret\nstringData:\n  proxy.yml: |-\n" + at(6),
        "a Kubernetes Secret",
        3,
        2,
    ),
    "values.yaml": ("replicaCount: 1\nproxy_config:\n" + at(2), "the values of a Helm chart", 1, 2),
    "deep-values.yaml": (
        "gateway:\n  config:\n    proxy_config:\n" + at(6),
        "the values of a Helm chart",
        2,
        2,
    ),
    "community.yaml": (
        "image: {tag: x}\nconfigMaps:\n  main:\n    data:\n      config.yaml: |\n" + at(8),
        "the values of a Helm chart",
        4,
        2,
    ),
    "compose.yaml": (
        "services:\n  llm: {image: litellm/litellm}\nconfigs:\n  c:\n    content: |\n" + at(6),
        "a Compose file",
        4,
        2,
    ),
    "main.tf": (
        'resource "x" "y" {\n  data = {\n    "config.yaml" = <<-EOT\n' + at(6) + "    EOT\n  }\n}\n",
        "a Terraform file",
        2,
        2,
    ),
    "release.tf": (
        'resource "helm_release" "y" {\n  values = [<<EOF\nreplicaCount: 2\nproxy_config:\n' + at(2) + "EOF\n  ]\n}\n",
        "a Terraform file",
        3,
        2,
    ),
    "README.md": ("# Birds\n\nPut this:\n\n```yaml\n" + INNER + "```\n", "a Markdown file", 4, 2),
    "notes.md": ("- so:\n\n  ~~~yml\n" + at(2) + "  ~~~\n", "a Markdown file", 2, 2),
    "argo.yaml": (
        "apiVersion: argoproj.io/v1\nkind: Application\nspec:\n  helm:\n    values: |\n      proxy_config:\n" + at(8),
        "a Kubernetes Application",
        5,
        2,
    ),
    "flux.yaml": (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  values:\n    proxy_config:\n" + at(6),
        "a Kubernetes HelmRelease",
        4,
        2,
    ),
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_what_the_file_is_and_where_the_configuration_stands(name: str) -> None:
    text, kind, before, _ = WRAPPINGS[name]
    found = wrapped(text, name)
    assert found.kind == kind
    (piece,) = found.pieces
    config = loaded(piece)
    lines = text.splitlines()
    for path, words in (
        (("model_list", 0), "model_name: plover"),
        (("model_list", 0, "litellm_params", "api_key"), "api_key:"),
        (("router_settings", "num_retries"), "num_retries"),
    ):
        mark = config.mark(path)
        assert lines[mark.line - 1][mark.column - 1 :].startswith(words), (name, path, mark)
    assert config.data["router_settings"] == {"num_retries": 4}
    assert config.deployments[0].mark.line == next(n for n, line in enumerate(lines, 1) if "plover   #" in line)
    assert before < piece.lines[0] <= piece.lines[1] <= len(lines)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_windows_line_ends_and_a_mark_keep_the_lines(ending: str) -> None:
    piece = only(("\ufeff" + MAP + at(4)).replace("\n", ending).encode())
    assert loaded(piece).mark(("router_settings", "num_retries")).line == 10


def test_base64_of_a_secret_stands_at_its_key() -> None:
    coded = base64.b64encode(INNER.encode()).decode()
    piece = only(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ndata:\n  other: eA==\n  config.yaml: {coded}\n")
    assert piece.form == "base64"
    assert piece.label == "data.config.yaml of Secret s"
    assert loaded(piece).data["router_settings"] == {"num_retries": 4}
    assert piece.places == ((6, 16),)


def test_a_text_in_double_quotes_has_the_places_behind_its_escapes() -> None:
    line = "  config.yaml: " + json.dumps(INNER)
    piece = only("apiVersion: v1\nkind: ConfigMap\ndata:\n" + line + "\n")
    error = load_piece(piece, {})
    assert isinstance(error, ConfigFile)
    for number, words in enumerate(INNER.splitlines(), 1):
        place = piece.places[number - 1]
        assert place[0] == 4
        assert line[place[1] - 1 :].startswith(json.dumps(words)[1:-1])


def test_a_fault_in_it_is_named_at_its_place_in_the_file() -> None:
    text = MAP + "    model_list:\n    \t- model_name: a\n"
    piece = only(text)
    error = load_piece(piece, {})
    assert isinstance(error, ConfigError)
    told = outer_error(error, piece, "/srv/file.yaml")
    assert (told.file, told.line, told.column) == ("/srv/file.yaml", 7, 5)
    assert "tab" in told.problem


def test_other_keys_of_a_configmap_are_the_files_that_it_includes() -> None:
    more = "  more.yaml: |\n    model_list:\n      - {model_name: rail, litellm_params: {model: openai/rail}}\n"
    piece = only(MAP + at(4, "include: [more.yaml, far.yaml]\n" + INNER) + more)
    config = loaded(piece)
    assert [one.group for one in config.deployments] == ["plover", "rail"]
    assert config.mark(("model_list", 1)).line == 14
    assert not_held(piece) == ("far.yaml",)


def test_anchors_of_the_values_reach_into_the_configuration() -> None:
    text = "x-key: &key\n  api_key: os.environ/K\nproxy_config:\n  model_list:\n    - model_name: a\n"
    text += "      litellm_params: {<<: *key, model: openai/a}\n"
    assert loaded(only(text)).data["model_list"][0]["litellm_params"]["api_key"] == "os.environ/K"


def test_several_configurations_are_several_pieces() -> None:
    text = "```yaml\n" + INNER + "```\nor\n```yaml\nlitellm_settings: {drop_params: true}\n```\n"
    text += "```sh\nmodel_list:\n```\n"
    found = wrapped(text, "a.md")
    assert [piece.lines[0] for piece in found.pieces] == [2, 10]
    assert len({piece.name for piece in found.pieces}) == 2


@pytest.mark.parametrize(
    "text",
    [
        INNER,
        "\ufeff" + INNER,
        "{model_list: []}",
        "model_lists:\n  - {model_name: a}\n",
        "- model_name: a\n  litellm_params: {model: openai/a}\n",
        "models:\n  - model_name: a\n    litellm_params: {model: openai/a}\n",
        "include: [a.yaml]\n",
        "guardrails: []\n",
        "model_list:\n\t- a\n",
        INNER + "---\ngeneral_settings: {}\n",
        "",
        "# nothing\n",
        "x-defaults: &d {a: 1}\nmodel_list: []\n",
        "litellm_params: [broken\n",
    ],
)
def test_a_configuration_itself_is_left_to_its_loader(text: str) -> None:
    assert unwrap(text.encode(), "/srv/config.yaml") is None


@pytest.mark.parametrize(
    ("name", "text", "kind", "why"),
    [
        ("deploy.yaml", "apiVersion: apps/v1\nkind: Deployment\nspec: {}\n", "a Kubernetes Deployment", "none of its"),
        ("values.yaml", "replicaCount: 2\nimage: {tag: x}\n", "the values of a Helm chart", "none of its keys"),
        ("compose.yml", "services:\n  web: {image: nginx}\n", "a Compose file", "none of its keys"),
        ("play.yaml", "- hosts: all\n  tasks: []\n", "a file of another kind", "none of its keys"),
        ("a.md", "# Birds\n\n```yaml\nservices: {}\n```\n", "a Markdown file", "no block of YAML"),
        ("a.tf", "locals {\n  c = yamlencode({ model_list = [] })\n}\n", "a Terraform file", "yamlencode"),
        ("cm.yaml", "a: b\n{{- if .Values.x }}\n  c: d\n{{- end }}\n", "a template of a Helm chart", "helm template"),
        ("main.py", "import os\nprint({1: 2}[1])\n", "a file of another kind", ""),
    ],
)
def test_a_file_without_a_configuration_says_what_it_is(name: str, text: str, kind: str, why: str) -> None:
    found = wrapped(text, name)
    assert found.pieces == ()
    assert found.kind == kind
    assert why in found.why


def test_a_deployment_names_the_configmap_that_is_elsewhere() -> None:
    text = "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      volumes:\n"
    found = wrapped(text + "        - configMap: {name: birds}\n")
    assert found.why == "it names birds, which is not in it"


POD = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: proxy}
spec:
  replicas: 3
  template:
    spec:
      containers:
        - image: nginx
        - image: ghcr.io/berriai/litellm:main-v1.90.0-stable
          args: [--config, /etc/birds/config.yaml, --num_workers, '4']
          env:
            - {name: PLOVER_KEY, valueFrom: {secretKeyRef: {name: keys, key: plover}}}
            - {name: RAIL_KEY, valueFrom: {secretKeyRef: {name: far, key: rail}}}
            - {name: LITELLM_LOG, value: INFO}
          # never /health
          livenessProbe: {httpGet: {path: /health/liveliness, port: 4000}}
          readinessProbe:
            periodSeconds: 20
            httpGet:
              path: /health
      volumes: [{configMap: {name: birds}}]
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
data: {plover: c2stYmlyZA==}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
spec: {minReplicas: 2, maxReplicas: 9, scaleTargetRef: {name: proxy}}
"""


def test_a_workload_says_how_it_is_run() -> None:
    (piece,) = wrapped(MAP + at(4) + POD).pieces
    run = piece.deployed
    assert run is not None
    assert (run.what, run.replicas, run.most) == ("Deployment proxy", 2, 9)
    assert run.arguments[-2:] == ("--num_workers", "4")
    assert run.environment == {"PLOVER_KEY": "sk-bird", "LITELLM_LOG": "INFO"}
    assert run.withheld.covers("RAIL_KEY")
    assert not run.withheld.covers("OTHER")
    assert run.sources == ("Secret keys", "Secret far")
    assert [(one.path, one.seconds, one.keyed) for one in run.health] == [
        ("/health/liveliness", 10.0, False),
        ("/health", 20.0, False),
    ]
    lines = (MAP + at(4) + POD).splitlines()
    assert lines[run.health[1].line - 1] == "              path: /health"


def test_variables_of_a_secret_that_is_elsewhere_may_be_any() -> None:
    pod = POD.replace("env:\n", "envFrom: [{secretRef: {name: far}}]\n          env:\n")
    (piece,) = wrapped(MAP + at(4) + pod).pieces
    assert piece.deployed is not None
    assert piece.deployed.withheld.others


def test_the_values_of_the_charts_say_how_it_is_run() -> None:
    text = "replicaCount: 2\nnumWorkers: 3\nenvVars: {PLOVER_KEY: sk-1}\nenvironmentSecrets: [keys]\n"
    run = only(text + "proxy_config:\n" + at(2)).deployed
    assert run is not None
    assert (run.replicas, run.arguments[-1], run.sources) == (2, "3", ("keys",))
    assert run.environment == {"PLOVER_KEY": "sk-1"}
    assert run.withheld.covers("PROXY_MASTER_KEY")
    other = "gateway:\n  hpa: {enabled: true, minReplicas: 2, maxReplicas: 8}\n  numWorkers: 5\n  config:\n"
    run = only(other + "    proxy_config:\n" + at(6)).deployed
    assert run is not None
    assert (run.replicas, run.most, run.arguments[-1]) == (2, 8, "5")


def test_the_chart_adds_its_master_key() -> None:
    config = loaded(only("proxy_config:\n" + at(2)))
    assert config.data["general_settings"] == {"master_key": "os.environ/PROXY_MASTER_KEY"}


def test_values_that_are_not_used_are_said() -> None:
    found = wrapped("proxyConfigMap: {create: false, name: own}\nproxy_config:\n" + at(2))
    assert "an existing ConfigMap" in found.remarks[0]


def test_compose_says_how_it_is_run_and_fills_in_variables() -> None:
    inner = INNER.replace("openai/plover", "${MODEL}").replace("num_retries: 4", "num_retries: ${TRIES:-4}")
    text = "services:\n  llm:\n    image: litellm/litellm\n    environment: [A=1, B]\n    scale: 2\n    configs: [c]\n"
    text += "    healthcheck: {test: curl -f localhost:4000/health, interval: 1m30s}\nconfigs:\n  c:\n    content: |\n"
    piece = only(text + at(6, inner))
    run = piece.deployed
    assert run is not None
    assert (run.what, run.replicas, run.environment) == ("service llm", 2, {"A": "1"})
    assert run.withheld.covers("B")
    assert [(one.path, one.seconds) for one in run.health] == [("/health", 90.0)]
    assert "--fix does not write" in piece.unfixable
    assert loaded(piece).data["router_settings"]["num_retries"] == "os.environ/TRIES"


def test_a_kustomization_names_the_file_of_its_configmap(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(INNER)
    text = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nconfigMapGenerator:\n"
    found = unwrap((text + "  - {name: c, files: [config.yaml=c.yaml]}\n").encode(), str(tmp_path / "k.yaml"))
    assert found is not None
    assert found.files == ((str(tmp_path / "c.yaml"), None),)


def test_a_service_that_mounts_a_folder_names_the_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "proxy.yaml").write_text(INNER)
    text = "services:\n  llm:\n    image: litellm\n    command: ['--config', '/etc/llm/proxy.yaml']\n"
    found = unwrap((text + "    volumes: [./conf:/etc/llm]\n").encode(), str(tmp_path / "compose.yaml"))
    assert found is not None
    assert [file for file, _ in found.files] == [str(tmp_path / "conf" / "proxy.yaml")]


def test_compose_names_the_file_that_is_mounted(tmp_path: Path) -> None:
    (tmp_path / "llm").mkdir()
    (tmp_path / "llm" / "c.yaml").write_text(INNER)
    text = "services:\n  db: {image: postgres}\n  llm:\n    image: docker.litellm.ai/berriai/litellm:v1\n"
    text += "    command: --config=/app/c.yaml --port 4000\n    volumes: ['./llm/c.yaml:/app/c.yaml:ro']\n"
    found = unwrap(text.encode(), str(tmp_path / "compose.yaml"))
    assert found is not None
    ((file, run),) = found.files
    assert file == str(tmp_path / "llm" / "c.yaml")
    assert run is not None
    assert run.what == "service llm"
    (tmp_path / "llm" / "c.yaml").unlink()
    gone = unwrap(text.encode(), str(tmp_path / "compose.yaml"))
    assert gone is not None
    assert gone.why == "it names llm/c.yaml, which is not there"
