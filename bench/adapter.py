"""One process of one queue library, by its public API: `python adapter.py COMMAND URL ...`.

Owns: how producers and workers of the bench behave, the same for every library that has the API.
Keeps: nothing but the public API is used, so the same file measures Awa and awa-pg (which also
    imports as `awa`). It stands alone: it runs in the peer's environment too.
Above: peers starts it. Below: whichever `awa` is installed beside it.
"""

import asyncio
import json
import resource
import sys
import time
from typing import Any

import awa

PAYLOAD_BYTES = 256
KIND = "noop"


def payload(n: int) -> dict[str, Any]:
    """Return the args of job n: a JSON object of 256 bytes."""
    args: dict[str, Any] = {
        "n": n,
        "to": f"user{n:07d}@example.com",
        "subject": "Your order has shipped",
        "body": "",
    }
    args["body"] = "x" * (PAYLOAD_BYTES - len(json.dumps(args)))
    return args


def cpu_s() -> float:
    """Return the CPU seconds this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss_kb() -> int:
    """Return the memory this process occupies now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


def say(**what: Any) -> None:
    """Tell the bench something, in one line."""
    print(json.dumps(what), flush=True)


async def migrate(url: str) -> None:
    """Make the schema, and let a first worker settle what the library settles then.

    awa-pg takes bulk inserts only once a worker has activated its storage.
    """
    async with awa.AsyncClient(url) as client:
        await client.migrate()

        @client.task(dict, kind="warm", queue="warm")
        async def warm(job: Any) -> None:
            return None

        await client.start([("warm", 2)])
        for _ in range(100):
            try:
                await client.enqueue_many_copy([payload(0)], kind="warm", queue="warm")
                break
            except awa.ValidationError:
                await asyncio.sleep(0.1)
        await client.shutdown()


async def bulk(url: str, count: str, batch: str) -> None:
    """Enqueue by COPY."""
    async with awa.AsyncClient(url) as client:
        await client.enqueue_many_copy([payload(0)], kind="warm", queue="warm")
        jobs = [payload(n) for n in range(int(batch))]
        began, used = time.perf_counter(), cpu_s()
        for _ in range(0, int(count), int(batch)):
            await client.enqueue_many_copy(jobs, kind=KIND, queue="bench")
        say(seconds=time.perf_counter() - began, cpu_s=cpu_s() - used)


async def single(url: str, count: str) -> None:
    """Enqueue one by one, each in a transaction of its own."""
    async with awa.AsyncClient(url) as client:
        await client.insert(payload(0), kind="warm", queue="warm")
        began, used = time.perf_counter(), cpu_s()
        for n in range(int(count)):
            await client.insert(payload(n), kind=KIND, queue="single")
        say(seconds=time.perf_counter() - began, cpu_s=cpu_s() - used)


async def pace(url: str, rate: str, seconds: str) -> None:
    """Enqueue at a steady rate; tell when each insert had returned."""
    returned: dict[int, float] = {}
    async with awa.AsyncClient(url) as client:
        await client.insert(payload(0), kind="warm", queue="warm")
        began = time.perf_counter()
        for n in range(int(float(rate) * float(seconds))):
            await asyncio.sleep(max(0.0, began + n / float(rate) - time.perf_counter()))
            await client.insert(payload(n), kind=KIND, queue="bench")
            returned[n] = time.time()
        say(returned=returned)


async def work(url: str, slots: str, stamps: str) -> None:
    """Run no-op handlers until stdin closes; tell how many ran, and when the first and the last."""
    seen: dict[str, Any] = {"count": 0, "first": None, "last": None}
    began_by_n: dict[int, float] = {}
    is_stamped = stamps == "stamps"
    async with awa.AsyncClient(url) as client:

        @client.task(dict, kind=KIND, queue="bench")
        async def noop(job: Any) -> None:
            now = time.time()
            if is_stamped:
                began_by_n[job.args["n"]] = now
            if seen["first"] is None:
                seen["first"] = now
            seen["last"] = now
            seen["count"] += 1

        used = cpu_s()
        await client.start([("bench", int(slots))])
        say(ready=True)
        closed = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        told = -1
        while not closed.done():
            await asyncio.wait([closed], timeout=0.1)
            if seen["count"] != told:
                told = seen["count"]
                say(count=told, rss_kb=rss_kb())
        await client.shutdown(timeout_ms=5000)
        say(done=True, **seen, cpu_s=cpu_s() - used, rss_kb=rss_kb(), began=began_by_n)


QUEUES, PRIORITIES, SLEEP_S_MAX, FAILS_EACH = 20, (1, 2, 3), 0.2, 20


async def bulk_mixed(url: str, count: str) -> None:
    """Enqueue over many queues and priorities, evenly."""
    async with awa.AsyncClient(url) as client:
        share = int(count) // QUEUES // len(PRIORITIES)
        for queue in range(QUEUES):
            for priority in PRIORITIES:
                jobs = [payload(n) for n in range(share)]
                where: dict[str, Any] = {
                    "queue": f"mixed-{queue}",
                    "priority": priority,
                    "max_attempts": 1,
                }
                await client.enqueue_many_copy(jobs, kind="mixed", **where)
        say(count=share * QUEUES * len(PRIORITIES))


async def mixed(url: str, slots: str) -> None:
    """Run handlers that take 0 to 200 ms and fail now and then, until stdin closes."""
    seen: dict[str, Any] = {"count": 0, "first": None, "last": None}
    async with awa.AsyncClient(url) as client:

        @client.task(dict, kind="mixed", queue="mixed-0")
        async def run(job: Any) -> None:
            if seen["first"] is None:
                seen["first"] = time.time()
            # Spread by the job's own number, so that every run sleeps the same in all.
            await asyncio.sleep(job.args["n"] * 7919 % 1000 / 1000 * SLEEP_S_MAX)
            seen["last"] = time.time()
            seen["count"] += 1
            if job.id % FAILS_EACH == 0:
                raise ValueError("now and then")

        used = cpu_s()
        await client.start([(f"mixed-{queue}", int(slots)) for queue in range(QUEUES)])
        say(ready=True)
        closed = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        while not closed.done():
            await asyncio.wait([closed], timeout=0.1)
            say(count=seen["count"])
        await client.shutdown(timeout_ms=5000)
        say(done=True, **seen, cpu_s=cpu_s() - used)


COMMANDS: dict[str, Any] = {
    "bulk_mixed": bulk_mixed,
    "mixed": mixed,
    "migrate": migrate,
    "bulk": bulk,
    "single": single,
    "pace": pace,
    "work": work,
}

if __name__ == "__main__":
    asyncio.run(COMMANDS[sys.argv[1]](*sys.argv[2:]))
