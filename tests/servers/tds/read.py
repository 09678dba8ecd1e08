"""Asks a question by python-tds and prints the rows as JSON, each value as Python shows it. Behind a `|` stands a parameter."""

import json
import sys

import pytds

port, database, user, password, query = sys.argv[1:]
text, _, parameter = query.partition("|")


def shown(value):
    return value.hex() if isinstance(value, bytes) else str(value)


with pytds.connect(
    dsn="127.0.0.1", port=int(port), database=database, user=user, password=password, autocommit=True, login_timeout=30
) as connection:
    with connection.cursor() as cursor:
        try:
            cursor.execute(text, (int(parameter),) if parameter else ())
            rows = [[shown(value) for value in row] for row in cursor.fetchall()]
        except pytds.tds_base.Error as error:
            rows = [["error %d" % error.number]]
print(json.dumps(rows, ensure_ascii=True))
