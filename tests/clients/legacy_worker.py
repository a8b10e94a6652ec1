"""A worker in the style of the older systems, which know nothing of Reef.

It registers, tests for status 200 and `success`, sends heartbeats, and posts its shutdown when
it is told to end. It uses nothing but the standard library, sends no key, and ignores every
field that it does not know. What it does it tells on standard output, one line each.
"""

import argparse
import json
import signal
import sys
import threading
import urllib.request


def post(url, body):
    request = urllib.request.Request(
        url,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        if response.status != 200:
            sys.exit(f"{url}: status {response.status}")
        answer = json.load(response)
    if answer["success"] is not True:
        sys.exit(f"{url}: {answer}")
    return answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--hostname", required=True)
    parser.add_argument("--interval", type=float, default=5.0, help="seconds")
    args = parser.parse_args()
    nodes = args.url.rstrip("/") + "/api/v1/nodes"

    told_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_end.set())

    answer = post(
        nodes + "/register",
        {
            "hostname": args.hostname,
            "platform": "linux",
            "arch": "x64",
            "available_skills": ["python", "shell"],
            "max_concurrent_tasks": 3,
        },
    )
    node_id = answer["node_id"]
    print("registered", node_id, flush=True)

    while not told_to_end.wait(args.interval):
        post(
            f"{nodes}/{node_id}/heartbeat",
            {"cpu_usage": 12.5, "memory_usage": 40.0, "disk_usage": 70.0, "running_tasks": 1},
        )
        print("heartbeat", node_id, flush=True)

    post(f"{nodes}/{node_id}/shutdown", {})
    print("shut down", node_id, flush=True)


main()
