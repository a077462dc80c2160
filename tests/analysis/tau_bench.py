"""What runs of tau-bench come to, found out without Dendro: `tests/suite/analysis` compares.

    python3 tau_bench.py RUNS.json.gz

Only the standard library, and none of the program's ways: turns are counted from the messages, intervals
from textbook formulas, and Student's t by integrating its density.
"""

import collections
import gzip
import json
import math
import statistics
import sys

FAILURE = "Error:"


def turns(messages):
    """Turns in which the agent did something: from what the user says until the user speaks again."""
    count, acted = 0, True
    for message in messages:
        if message["role"] == "user" and acted:
            acted = False
        elif message["role"] in ("assistant", "tool") and not acted:
            acted = True
            count += 1
    return count


def tool_use(messages):
    """Calls by tool, and how many of them failed or were never answered. An answer belongs to the last call
    of its id before it: ids come again in these runs."""
    calls = []
    for message in messages:
        for call in message.get("tool_calls") or []:
            calls.append({"id": call["id"], "tool": call["function"]["name"], "answer": None})
        if message["role"] == "tool":
            waiting = [call for call in calls if call["id"] == message["tool_call_id"] and call["answer"] is None]
            waiting[-1]["answer"] = message["content"]
    return calls


def wilson(successes, tries):
    z = statistics.NormalDist().inv_cdf(0.975)
    p = successes / tries
    middle = (p + z * z / (2 * tries)) / (1 + z * z / tries)
    reach = z / (1 + z * z / tries) * math.sqrt(p * (1 - p) / tries + z * z / (4 * tries * tries))
    return middle - reach, middle + reach


def newcombe(a, b):
    p, q = sum(a) / len(a), sum(b) / len(b)
    (low_a, high_a), (low_b, high_b) = wilson(sum(a), len(a)), wilson(sum(b), len(b))
    below = math.sqrt((p - low_a) ** 2 + (high_b - q) ** 2)
    above = math.sqrt((high_a - p) ** 2 + (q - low_b) ** 2)
    return p - q - below, p - q + above


def student(degrees, tail=0.975):
    """The quantile of Student's t: its density by Simpson's rule, the quantile by halving."""
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(degrees * math.pi)

    def below(t, steps=2000):
        density = [(1 + (t * i / steps) ** 2 / degrees) ** (-(degrees + 1) / 2) for i in range(steps + 1)]
        inner = 4 * sum(density[1:-1:2]) + 2 * sum(density[2:-1:2])
        return 0.5 + scale * t / steps / 3 * (density[0] + inner + density[-1])

    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < tail else (low, middle)
    return low


def welch(a, b):
    part_a, part_b = statistics.variance(a) / len(a), statistics.variance(b) / len(b)
    degrees = (part_a + part_b) ** 2 / (part_a**2 / (len(a) - 1) + part_b**2 / (len(b) - 1))
    reach = student(degrees) * math.sqrt(part_a + part_b)
    difference = statistics.fmean(a) - statistics.fmean(b)
    return difference - reach, difference + reach


def main(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        runs = json.load(file)
    trials = collections.defaultdict(lambda: collections.defaultdict(list))
    tools = collections.defaultdict(lambda: {"calls": 0, "succeeded": 0, "failed": 0})
    for run in runs:
        trial, messages = trials[run["trial"]], run["traj"]
        calls = tool_use(messages)
        trial["success"].append(run["reward"] >= 1)
        trial["turns"].append(turns(messages))
        trial["messages"].append(len(messages))
        trial["toolCalls"].append(len(calls))
        trial["modelCalls"].append(sum(message["role"] == "assistant" for message in messages))
        for call in calls:
            used = tools[call["tool"]]
            used["calls"] += 1
            if call["answer"] is not None:
                failed = call["answer"].startswith(FAILURE)
                used["failed" if failed else "succeeded"] += 1
    print(
        json.dumps(
            {
                "trials": {
                    f"trial-{number}": {
                        "runs": len(trial["success"]),
                        "succeeded": sum(trial["success"]),
                        "rate": sum(trial["success"]) / len(trial["success"]),
                        "interval": wilson(sum(trial["success"]), len(trial["success"])),
                    }
                    | {name: statistics.fmean(trial[name]) for name in ("turns", "messages", "toolCalls", "modelCalls")}
                    for number, trial in sorted(trials.items())
                },
                "tools": tools,
                "comparisons": [
                    {
                        "a": f"trial-{a}",
                        "b": f"trial-{b}",
                        "success": newcombe(trials[a]["success"], trials[b]["success"]),
                        "turns": welch(trials[a]["turns"], trials[b]["turns"]),
                        "toolCalls": welch(trials[a]["toolCalls"], trials[b]["toolCalls"]),
                    }
                    for a in sorted(trials)
                    for b in sorted(trials)
                    if a < b
                ],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
