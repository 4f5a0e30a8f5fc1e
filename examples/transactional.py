"""An order and its job, together or not at all: `python examples/transactional.py URL`."""

import sys
from uuid import uuid4

import awa


def main(database_url: str) -> None:
    order = str(uuid4())
    with awa.Client(database_url) as client:
        client.migrate()
        with client.transaction() as tx:
            tx.execute("create table if not exists orders (name text primary key)")
        with client.transaction() as tx:
            tx.execute("insert into orders (name) values ($1)", order)
            tx.insert({"order": order}, kind="ship_order", queue="shipping")
        try:
            with client.transaction() as tx:
                tx.insert({"order": order}, kind="ship_order", queue="shipping")
                tx.execute("insert into orders (name) values ($1)", order)
        except awa.UniqueConflict as error:
            print("rolled back, job and all:", error)
        jobs = [job for job in client.list_jobs(queue="shipping") if job.args == {"order": order}]
        print(jobs)
        assert len(jobs) == 1


if __name__ == "__main__":
    main(sys.argv[1])
