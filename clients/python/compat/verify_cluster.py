"""The bots' check: whether somebody leads, and who is alive. Where not, it exits with 1."""

from __future__ import annotations

import asyncio
import sys

from reef_behind import hub


async def verify() -> bool:
    """Prints what there is; whether a leader and a live node are among it."""
    reef = hub()
    leader = (await reef.cluster.leader())["leader"]
    nodes = await reef.nodes.list()
    online = [node for node in nodes if node["status"] in ("online", "busy")]
    print(f"leader: {leader or 'none'}")
    print(f"nodes: {len(nodes)}, online: {len(online)}")
    for node in nodes:
        print(f"  {node['node_id']}: {node['status']}, last seen {node['last_heartbeat']}")
    is_well = leader is not None and bool(online)
    print("OK" if is_well else "NOT OK")
    await reef.close()
    return is_well


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(verify()) else 1)
