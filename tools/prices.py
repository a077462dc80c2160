#!/usr/bin/env python3
"""Writes the price table that Dendro carries, src/model/prices/table.json, from genai-prices.

Run by hand when prices have changed, then read the difference. The date is the day of the release:

    pip download --no-deps genai-prices
    python3 tools/prices.py genai_prices-0.2.3-py3-none-any.whl 2026-11-10

The package holds its data as Python; it is read as text, and nothing in it is run. What is not taken
over is in LEFT_OUT. The format is described in src/model/prices/mod.rs.
"""

import ast
import datetime
import itertools
import json
import pathlib
import re
import sys
import zipfile
from decimal import Decimal

FOLDER = pathlib.Path(__file__).parent.parent / "src/model/prices"

# What is taken over of a price, and its name in the table.
KINDS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "audio_input",
    "output_audio_mtok": "audio_output",
    "cache_audio_read_mtok": "audio_cache_read",
    "requests_kcount": "call",
}

LEFT_OUT = [
    "prices of a batch, of a fast or of a flexible call: a span does not say how its call was made",
    "prices of an hour of the day: what holds for most of the day stands for all of it",
    "cache writes that are kept for an hour: the price is that of the usual five minutes",
    "images, videos, pages, characters, searches and seconds: no tokens",
]

# Z.ai is Zhipu's name abroad, and has models that are not sold under the other.
ALSO_MAKES = {"zai": "glm-*"}

# Two regular expressions that say what a name is not.
SPECIAL = {
    r"^(?!.*-[tT][tT][sS](?:$|-))": {"not": ["*-tts", "*-tts-*"]},
    r"^(?![^/]+/)(?:labs-)?(?:(?:mi|code|dev|magi|mini)stral|mixtral|pixtral|voxtral|open-(?:mistral|mixtral))": {
        "all": [
            [
                f"{prefix}{name}*"
                for prefix in ("", "labs-")
                for name in (
                    "mistral codestral devstral magistral ministral mixtral pixtral voxtral open-mistral open-mixtral"
                ).split()
            ],
            {"not": "*/*"},
        ]
    },
}

REGEX_TOKEN = re.compile(
    r"\\d\{(?P<digits>\d)\}"
    r"|\\(?P<escaped>.)"
    r"|\[(?P<one_of>[^\]]+)\]"
    r"|\((?P<optional>[^()|]+)\)\?"
    r"|(?P<plain>[^\\\[\](){}|?*+.^$])"
)


def main():
    wheel_path, date = sys.argv[1:]
    datetime.date.fromisoformat(date)
    with zipfile.ZipFile(wheel_path) as wheel:
        package = pathlib.Path(wheel_path).name.split("-")
        info = f"{package[0]}-{package[1]}.dist-info"
        source = wheel.read("genai_prices/data.py").decode()
        licence = wheel.read(f"{info}/licenses/LICENSE").decode()
    header = {
        "source": "genai-prices",
        "version": package[1],
        "date": date,
        "licence": "MIT, Copyright (c) Pydantic Services Inc. 2025 to present: see table.LICENSE",
        "url": "https://github.com/pydantic/genai-prices",
        "currency": "US dollars for a million tokens, and for a call",
        "left_out": LEFT_OUT,
    }
    (FOLDER / "table.json").write_text(written(header, sorted(providers(source), key=rank)))
    (FOLDER / "table.LICENSE").write_text(licence.strip() + "\n")


def rank(provider):
    """Where nobody says who sold a call, the first who sells the model counts: its maker, if one is
    known, then the broker that has nearly every model at about its maker's price."""
    if "makes" in provider:
        return 0
    return 1 if provider["id"] == "openrouter" else 2


def providers(source):
    tree = ast.parse(source)
    (found,) = [node.value for node in tree.body if isinstance(node, ast.AnnAssign)]
    for fields in map(arguments, found.elts):
        provider = {"id": ast.literal_eval(fields["id"])}
        if "provider_match" in fields:
            provider["match"] = clause(fields["provider_match"])
        if "model_match" in fields:
            provider["makes"] = clause(fields["model_match"])
        elif provider["id"] in ALSO_MAKES:
            provider["makes"] = ALSO_MAKES[provider["id"]]
        if "fallback_model_providers" in fields:
            provider["fallback"] = ast.literal_eval(fields["fallback_model_providers"])
        provider["models"] = [model(arguments(node)) for node in fields["models"].elts]
        yield provider


def model(fields):
    identifier = ast.literal_eval(fields["id"])
    match = clause(fields["match"])
    found = {"id": identifier}
    if match != identifier.lower():
        found["match"] = match
    if isinstance(fields["prices"], ast.List):
        found["prices"] = dated_prices(identifier, fields["prices"].elts)
    else:
        found["prices"] = prices(identifier, fields["prices"])
    return found


def dated_prices(identifier, nodes):
    dated, by_hours, hours = [], None, 0.0
    for fields in map(arguments, nodes):
        found = prices(identifier, fields["prices"])
        constraint = fields.get("constraint")
        if not isinstance(constraint, ast.Call):
            dated.append(found)
        elif constraint.func.id == "StartDateConstraint":
            day = datetime.date(*map(ast.literal_eval, arguments(constraint)["start_date"].args))
            dated.append({"from": day.isoformat(), **found})
        else:
            bounds = arguments(constraint)
            start, end = (time_of_day(bounds[name]) for name in ("start_time", "end_time"))
            by_hours, hours = found, hours + (end - start) % 24
    if hours > 12:
        since = {"from": dated[-1]["from"]} if "from" in dated[-1] else {}
        dated[-1] = {**since, **by_hours}
    return dated[0] if len(dated) == 1 and "from" not in dated[0] else dated


def time_of_day(node):
    hour, minute, *_ = [*map(ast.literal_eval, node.args), 0]
    return hour + minute / 60


def prices(identifier, node):
    fields = arguments(node)
    # No price at all can mean that nobody knows it. A model that says it is free is.
    if not fields and identifier.endswith(":free"):
        return {"input": Decimal(0), "output": Decimal(0)}
    found = {name: price(fields[kind]) for kind, name in KINDS.items() if kind in fields}
    if "call" in found:
        found["call"] /= 1000
    return found


def price(node):
    if node.func.id == "Decimal":
        # To a millionth of a millionth of a dollar a token: some are written as what a float made of them.
        return round(Decimal(ast.literal_eval(node.args[0])), 6)
    fields = arguments(node)
    tiers = [arguments(tier) for tier in fields["tiers"].elts]
    return [
        price(fields["base"]),
        *({"above": ast.literal_eval(tier["start"]), "price": price(tier["price"])} for tier in tiers),
    ]


def clause(node):
    """A text with `*` for anything at its ends and `#` for a digit, or a list of which any may match."""
    kind = node.func.id
    ((_, value),) = arguments(node).items()
    if kind == "ClauseOr":
        return flat([clause(part) for part in value.elts])
    if kind == "ClauseAnd":
        return {"all": [clause(part) for part in value.elts]}
    text = ast.literal_eval(value)
    if kind == "ClauseRegex":
        return SPECIAL.get(text) or flat(globs(text))
    if set(text) & set("*#"):
        raise ValueError(f"{text!r} would be read as a pattern")
    shape = {
        "ClauseEquals": "{}",
        "ClauseStartsWith": "{}*",
        "ClauseEndsWith": "*{}",
        "ClauseContains": "*{}*",
    }
    return shape[kind].format(text.lower())


def flat(clauses):
    one_level = [inner for part in clauses for inner in (part if isinstance(part, list) else [part])]
    unique = list({json.dumps(part): part for part in one_level}.values())
    return unique[0] if len(unique) == 1 else unique


def globs(regex):
    """What a regular expression matches, as texts with `#` and `*`: the source needs no more."""
    if not regex.startswith("^"):
        raise ValueError(f"{regex!r} does not begin with ^")
    body = regex[1:].removesuffix("$")
    return [text.lower() + ("" if regex.endswith("$") else "*") for text in spelled_out(body)]


def spelled_out(regex):
    choices, place = [], 0
    while place < len(regex):
        token = REGEX_TOKEN.match(regex, place)
        if token is None:
            raise ValueError(f"{regex!r} says more at {place} than a pattern can")
        place = token.end()
        if token["digits"]:
            choices.append(["#" * int(token["digits"])])
        elif token["escaped"]:
            choices.append(["#" if token["escaped"] == "d" else token["escaped"]])
        elif token["one_of"]:
            choices.append(list(token["one_of"]))
        elif token["optional"]:
            choices.append(["", *spelled_out(token["optional"])])
        else:
            choices.append([token["plain"]])
    return ["".join(parts) for parts in itertools.product(*choices)]


def arguments(call):
    return {keyword.arg: keyword.value for keyword in call.keywords}


def written(header, found):
    """One model a line, so that a difference shows which price changed."""
    lines = ["{"]
    lines += [f"{line(name)}: {line(value)}," for name, value in header.items()]
    lines.append('"providers": [')
    for number, provider in enumerate(found):
        models = provider.pop("models")
        lines.append(line(provider)[:-1] + ', "models": [')
        lines += [line(each) + ("," if each is not models[-1] else "") for each in models]
        lines.append("]}" + ("," if number + 1 < len(found) else ""))
    lines += ["]", "}", ""]
    return "\n".join(lines)


def line(value):
    text = json.dumps(value, ensure_ascii=False, default=lambda number: f"@{number.normalize():f}")
    return re.sub(r'"@([0-9.]+)"', r"\1", text)


if __name__ == "__main__":
    main()
