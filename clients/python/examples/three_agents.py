"""Three agents that share work and pay each other.

The editor sends the chapters of a book to two translators, by mail. Each does what it gets and
sends it back, and for each that comes back the editor pays what was held for it. Run it with the
hub's admin key: it registers the agents, and each then acts with a key of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid

from reef_agents import InsufficientBalance, Reef

PRICE = "2.5"
CHAPTERS = ["Call me Ishmael.", "It was the best of times.", "All happy families", "Mother died."]


async def translate(url: str, key: str, name: str) -> None:
    """Takes one chapter after the other, for as long as it is let."""
    async with Reef(url, key=key) as reef:
        async for mail in reef.inbox(name).listen(lease=30):
            # Acknowledged when this block is left; after a crash the chapter comes again.
            async with mail:
                await reef.inbox(mail.sender).send(
                    {**mail.content, "text": mail.content["text"].upper(), "by": name},
                    sender=name,
                    topic="translated",
                )


async def edit(url: str, key: str, name: str, translators: list[str]) -> list[str]:
    """Gives the chapters out, and pays for what comes back."""
    book: dict[int, str] = {}
    async with Reef(url, key=key) as reef:
        holds = {}
        for number, text in enumerate(CHAPTERS):
            # The money is kept back before anybody works for it.
            hold = await reef.ledger.hold(name, PRICE, expires_in=600)
            holds[number] = hold["hold_id"]
            await reef.inbox(translators[number % len(translators)]).send(
                {"number": number, "text": text}, sender=name, topic="chapter"
            )
        async for mail in reef.inbox(name).listen():
            async with mail:
                number = mail.content["number"]
                # Mail comes at least once, and a hold is posted at most once.
                if number not in book:
                    await reef.ledger.post(holds[number], mail.content["by"])
                    book[number] = mail.content["text"]
            if len(book) == len(CHAPTERS):
                return [book[number] for number in range(len(CHAPTERS))]
    raise RuntimeError("the inbox has no end")


async def main() -> None:
    mark = uuid.uuid4().hex[:8]
    editor, first, second = (f"{it}-{mark}" for it in ("editor", "anna", "boris"))
    async with Reef() as admin:
        keys = {}
        for name in (editor, first, second):
            registered = await admin.agents.register(name)
            keys[name] = str(registered["api_key"])
        await admin.ledger.deposit(editor, "10")
        working = [
            asyncio.create_task(translate(admin.url, keys[name], name)) for name in (first, second)
        ]
        for line in await edit(admin.url, keys[editor], editor, [first, second]):
            print(line)
        for worker in working:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker
        for name in (editor, first, second):
            balance = await admin.ledger.balance(name)
            print(f"{name.split('-')[0]} has {balance.available}")
        async with Reef(admin.url, key=keys[editor]) as broke:
            try:
                await broke.ledger.transfer(editor, first, "1")
            except InsufficientBalance as refused:
                print(refused.detail)


if __name__ == "__main__":
    asyncio.run(main())
