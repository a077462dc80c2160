"""What the scalars of the GraphQL schema look like, for Schemathesis, which knows only those of the standard."""

import schemathesis
from hypothesis import strategies
from schemathesis.graphql import nodes

number = strategies.integers(min_value=0, max_value=2**64 - 1)
json = strategies.one_of(
    strategies.text(max_size=20).map(nodes.String),
    strategies.booleans().map(nodes.Boolean),
    number.map(nodes.Int),
    strategies.just(nodes.Null),
)

schemathesis.graphql.scalar("JSON", json)
schemathesis.graphql.scalar("BigInt", number.map(lambda it: nodes.String(str(it))))
