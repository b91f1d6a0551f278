"""Answers as ComfyUI does, for what a worker makes of answers that a real one gives only by bad luck.

A prompt here is one node whose inputs say what comes of it: ``seconds`` that it takes, ``chunks`` that it writes,
``saved`` files that are not there, and what it ``shows``.
"""

import argparse
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

history, running = {}, set()
interrupted = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/object_info/"):
            packs = list(Path("custom_nodes").glob("*"))
            name = self.path.rsplit("/", 1)[-1]
            self.answer({name: {"python_module": f"custom_nodes.{packs[0].name}"}} if packs else {})
        elif self.path.startswith("/history/"):
            number = self.path.rsplit("/", 1)[-1]
            self.answer({number: history[number]} if number in history else {})
        elif self.path == "/queue":
            self.answer({"queue_running": [[0, number] for number in running], "queue_pending": []})
        else:
            self.answer({})

    def do_POST(self):
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/prompt":
            number = str(len(history) + len(running))
            interrupted.clear()
            running.add(number)
            threading.Thread(target=run, args=(number, content["prompt"]["1"]["inputs"])).start()
            self.answer({"prompt_id": number})
        else:
            if self.path == "/interrupt":
                interrupted.set()
            self.answer({})

    def answer(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


def run(number, inputs):
    for name in inputs.get("chunks", []):
        path = output / "wan_motion_runs" / inputs["run_name"] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"chunk")
        time.sleep(0.1)
    until = time.monotonic() + inputs.get("seconds", 0)
    while time.monotonic() < until and not interrupted.is_set():
        time.sleep(0.05)
    if inputs.get("ends"):
        server.shutdown()
        return
    status = {"status_str": "success", "messages": []}
    history[number] = {"status": status, "outputs": inputs.get("shows", {"1": {"text": ["done"]}})}
    running.discard(number)


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
parser.add_argument("--output-directory", type=Path)
options, _ = parser.parse_known_args()
output = options.output_directory
server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
server.serve_forever()
