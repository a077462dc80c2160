"""Reads a Parquet file as pyarrow does, and writes its columns with their types, then its rows, as JSON."""

import json
import sys
from decimal import Decimal

import pyarrow.parquet as parquet


def shown(value):
    return f"{value:f}" if isinstance(value, Decimal) else value


file = parquet.ParquetFile(sys.argv[1])
table = file.read()
kinds = {field.name: str(field.type) for field in table.schema}
columns = {}
for name, kind in kinds.items():
    column = table.column(name)
    # As whole numbers: Python's own moments have no nanoseconds.
    if kind.startswith("timestamp"):
        columns[name] = column.cast("int64").to_pylist()
    else:
        columns[name] = [shown(value) for value in column.to_pylist()]
rows = [dict(zip(columns, values)) for values in zip(*columns.values())]
json.dump({"kinds": kinds, "groups": file.num_row_groups, "rows": rows}, sys.stdout)
