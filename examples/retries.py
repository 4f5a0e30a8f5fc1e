"""A handler that fails, retries, snoozes and then completes: `python examples/retries.py URL`."""

import asyncio
import sys
from dataclasses import dataclass

import awa


@dataclass
class Fetch:
    url: str


async def main(database_url: str) -> None:
    done = asyncio.Event()
    async with awa.AsyncClient(database_url) as client:
        await client.migrate()

        @client.task(Fetch)
        async def fetch(job: awa.Job[Fetch]) -> object:
            print(f"attempt {job.attempt}, run lease {job.run_lease}, errors {len(job.errors)}")
            if job.run_lease == 1:
                raise ConnectionError("it is retried after some two seconds")
            if job.run_lease == 2:
                return awa.RetryAfter(0.2)
            if job.run_lease == 3:
                return awa.Snooze(0.2)
            done.set()
            return None

        job = await client.insert(Fetch("https://example.com"))
        await client.start()
        await asyncio.wait_for(done.wait(), timeout=30)
        await client.shutdown()
        print(await client.get_job(job.id))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
