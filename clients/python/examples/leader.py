"""A leader that survives: start it on several machines, and one of them leads at any time.

    python leader.py one
    python leader.py two

Kill the one that leads, and another goes on within its lease. The term grows with every change:
whoever is written to keeps the largest it has seen, and refuses a smaller one.
"""

from __future__ import annotations

import asyncio
import sys

from reef_agents import LeadershipLost, Reef


async def lead_forever(name: str) -> None:
    async with Reef() as reef, reef.node(name, skills=["leading"]) as node:
        while True:
            try:
                async with reef.leadership(node, ttl=2) as lead:
                    print(f"{name} leads in term {lead.term}", flush=True)
                    while True:
                        # What only a leader may do comes here.
                        lead.raise_if_lost()
                        await asyncio.sleep(0.5)
            except LeadershipLost as lost:
                print(lost, flush=True)


if __name__ == "__main__":
    asyncio.run(lead_forever(sys.argv[1]))
