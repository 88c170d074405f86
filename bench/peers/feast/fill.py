"""Writes rows into a Feast online store through Feast's own write path.

Called with the path of a feature repository. Standard input has one batch a line, as JSON:
`{"key": "id", "ids": [...], "views": {"<view>": {"<feature>": [...]}}}`. After each batch the number of
rows written so far is printed.
"""

import json
import sys
from datetime import datetime, timezone

import pandas
from feast import FeatureStore


def main() -> None:
    store = FeatureStore(repo_path=sys.argv[1])
    written = 0
    for line in sys.stdin:
        batch = json.loads(line)
        for view, columns in batch["views"].items():
            frame = pandas.DataFrame({batch["key"]: batch["ids"], **columns})
            frame["event_timestamp"] = datetime.now(timezone.utc)
            store.write_to_online_store(view, df=frame)
        written += len(batch["ids"])
        print(written, flush=True)


if __name__ == "__main__":
    main()
