"""A gateway of a few lines for a container: it starts at once, and answers what the console asks first.

It reads its configuration and its environment at its start, as LiteLLM does, and ends where one of them is broken.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

with open(sys.argv[sys.argv.index("--config") + 1], encoding="utf-8") as file:
    CONFIG = json.load(file)
if os.environ.get("SPOILT"):
    sys.exit("SPOILT is set: the gateway does not start")
LOADED = [
    {
        "model_name": entry["model_name"],
        "litellm_params": {"model": entry["litellm_params"]["model"]},
        "model_info": {"id": str(number), "db_model": False},
    }
    for number, entry in enumerate(CONFIG["model_list"])
]
ANSWERS = {
    "/health/liveliness": "I'm alive!",
    "/health/readiness": {"status": "healthy", "db": "Not connected", "litellm_version": "1.77.7"},
    "/v1/models": {"data": [{"id": entry["model_name"]} for entry in LOADED]},
    "/v1/model/info": {"data": LOADED},
    "/get/config/callbacks": {"router_settings": {}},
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = ANSWERS.get(self.path.partition("?")[0])
        body = json.dumps({"error": "not found"} if found is None else found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: requests are not what it is about."""


HOST = sys.argv[sys.argv.index("--host") + 1] if "--host" in sys.argv else "127.0.0.1"
ThreadingHTTPServer((HOST, int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
