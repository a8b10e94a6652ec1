"""Reads a message's stream with httpx-sse to its end, over connections that break.

The package leaves reconnecting to its caller, so this does what its documentation describes:
wait for as long as `retry` said, and send the last id. What it has read is told as JSON on
standard output: the ids, the events, and how often the connection broke.
"""

import json
import sys
import time

import httpx
from httpx_sse import connect_sse


def main():
    url, key = sys.argv[1:]
    told = {"ids": [], "events": [], "cuts": 0, "status_at_end": None}
    last_id, retry = "", 1.0
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=20) as client:
        while told["status_at_end"] is None:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            try:
                with connect_sse(client, "GET", url, headers=headers) as source:
                    if source.response.status_code != 200:
                        told["status_at_end"] = source.response.status_code
                        break
                    for event in source.iter_sse():
                        last_id = event.id or last_id
                        retry = event.retry / 1000 if event.retry else retry
                        told["ids"].append(event.id)
                        told["events"].append({"type": event.event, "data": event.json()})
                    # A stream ends by itself only after the message's last event, behind which
                    # there is nothing more: the next answer says so.
            except httpx.TransportError:
                told["cuts"] += 1
                time.sleep(retry / 20)
    print(json.dumps(told))


main()
