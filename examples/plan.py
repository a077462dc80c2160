"""An agent outside of Dendro that carries out a plan, and records the plan and its spans over plain HTTP:

    python3 examples/plan.py http://127.0.0.1:4000

It needs Python's standard library alone, and `record.py` beside it. Each attempt at a step runs in a PLAN_STEP span;
the plan and the trace point at each other. A step that fails is tried again as often as the plan allows.
"""

import time

from record import ADD_MESSAGE, COMPLETE_TRACE, CREATE_CONVERSATION, SERVER, Span, read, write

CREATE_PLAN = """
mutation CreatePlan($input: CreatePlanInput!) {
  createPlan(input: $input) { plan { planId } refusal { message } }
}"""
ADVANCE_STEP = """
mutation AdvancePlanStep($input: AdvancePlanStepInput!) {
  advancePlanStep(input: $input) { plan { status } refusal { message } }
}"""
READY = """
query Ready($plan: ID!) {
  plan(id: $plan) {
    status readySteps { stepId description attempts { number } dependencies { description result } }
  }
}"""
OUTCOME = """
query Outcome($plan: ID!) {
  plan(id: $plan) {
    status totalTokens totalCostUsd
    steps { description status durationMs totalCostUsd attempts { status errorMessage } blockedBy { description } }
    failedSteps { description errorMessage blocks { description } }
  }
}"""

STEPS = [
    {"key": "flights", "description": "Find flights to Graz"},
    {"key": "hotels", "description": "Find hotels in Graz"},
    {"key": "offer", "description": "Put together an offer", "dependencies": ["flights", "hotels"]},
    {"key": "mail", "description": "Send the offer", "dependencies": ["offer"]},
    {"key": "file", "description": "File the receipt", "dependencies": ["mail"]},
]


def work(span, step):
    """What the agent does for a step. Put your own in its place."""
    known = {before["description"]: before["result"] for before in step["dependencies"]}
    with span.span("LLM_CALL", "think", model="example-model", provider="example", inputs={"step": step["description"], "known": known}) as call:
        time.sleep(0.05)
        call.ending = {"outputs": {"text": "done"}, "tokens": {"input": 120, "output": 20}, "costUsd": 0.0004}
    if step["description"] == "Find hotels in Graz" and not step["attempts"]:
        raise TimeoutError("the hotels did not answer")
    if step["description"] == "Send the offer":
        raise ConnectionError("no mail server")
    return f"{step['description']}: done"


def attempt(plan, trace, agent, step):
    """One attempt at a step, from its start to whatever its end is."""
    about = {"planId": plan, "stepId": step["stepId"]}
    try:
        with agent.span("PLAN_STEP", step["description"], **about) as span:
            write(ADVANCE_STEP, **about, action="START", spanId=span.id, traceId=trace)
            result = work(span, step)
    except OSError as error:
        write(ADVANCE_STEP, **about, action="FAIL", errorMessage=str(error))
    else:
        write(ADVANCE_STEP, **about, action="COMPLETE", result=result)


def main():
    conversation = write(CREATE_CONVERSATION, title="A trip to Graz")["conversation"]["conversationId"]
    asked = write(
        ADD_MESSAGE, conversationId=conversation, role="USER", content="Plan my trip to Graz.", trace={"name": "trip"}
    )
    trace = asked["trace"]["traceId"]
    plan = write(CREATE_PLAN, conversationId=conversation, title="A trip to Graz", maxRetries=1, steps=STEPS)
    plan = plan["plan"]["planId"]
    print(f"plan    {plan}\ntrace   {trace}\nwatch   {SERVER}/graphiql", flush=True)

    with Span(trace).span("AGENT", "planner", agentName="planner") as agent:
        while ready := read(READY, plan=plan)["plan"]["readySteps"]:
            attempt(plan, trace, agent, ready[0])
    write(COMPLETE_TRACE, traceId=trace, finalOutput="The offer is ready; it could not be sent.")

    outcome = read(OUTCOME, plan=plan)["plan"]
    for step in outcome["steps"]:
        failures = [tried["errorMessage"] for tried in step["attempts"] if tried["errorMessage"]]
        because = [failed["description"] for failed in step["blockedBy"]]
        more = f"failed: {', '.join(failures)}" if failures else f"blocked by: {', '.join(because)}" if because else ""
        cost = f"${step['totalCostUsd']:.4f}" if step["totalCostUsd"] is not None else "-"
        print(f"{step['status']:<10} {step['description']:<24} {len(step['attempts'])} tried  {cost:>8}  {more}".rstrip())
    print(f"{outcome['status']:<10} {outcome['totalTokens']} tokens, ${outcome['totalCostUsd']:.4f}")


if __name__ == "__main__":
    main()
