"""An order and its job, together or not at all: `python examples/transactional.py URL`."""

import sys

import awa


def main(database_url: str) -> None:
    with awa.Client(database_url) as client:
        client.migrate()
        with client.transaction() as tx:
            tx.execute("create table if not exists orders (number int primary key)")
        with client.transaction() as tx:
            tx.execute("insert into orders (number) values ($1)", 1)
            tx.insert({"order": 1}, kind="ship_order", queue="shipping")
        try:
            with client.transaction() as tx:
                tx.insert({"order": 1}, kind="ship_order", queue="shipping")
                tx.execute("insert into orders (number) values ($1)", 1)
        except awa.UniqueConflict as error:
            print("rolled back, job and all:", error)
        jobs = client.list_jobs(queue="shipping")
        print(jobs)
        assert len(jobs) == 1


if __name__ == "__main__":
    main(sys.argv[1])
