"""What schemathesis cannot know of the hub: refusals that its state decides, and waits."""

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

# Codes that say by themselves that the request was good, and the time for it was not.
STATE_CODES = {"idempotency_mismatch", "insufficient_balance", "inbox_full", "signals_full"}

# Rules between a request and the state or the settings, which no schema can say: path, and what
# the problem's detail says.
STATE_RULES = [
    ("/api/v1/nodes/register", "node_id: is in use by another hostname"),
    ("/api/v1/auth/keys", "agent_id: is required of the admin"),
    ("/api/v1/auth/keys", "scopes: an admin key has them all"),
    ("/api/v1/deposit", "amount: must not be more than"),
    ("/api/v1/transfer", "to_agent: must be another agent than the one who pays"),
    ("/api/v1/holds/{id}/post", "to_agent: must be another agent than the one who pays"),
    ("/api/v1/holds/{id}/post", "amount: must not be more than the hold's"),
    ("/api/v1/tasks", "delay_ms: must be 0 where"),
    ("/api/v1/tasks/batch", "delay_ms: must be 0 where"),
    ("/api/v1/tasks/batch", "group_id: is given for the batch as a whole"),
    # Which fields a wait has follows from its kind.
    ("/api/v1/tasks/{id}/wait", "is not for a wait of the kind"),
    ("/api/v1/tasks/{id}/wait", "question: is required"),
    ("/api/v1/tasks/{id}/wait", "name: is required"),
    ("/api/v1/tasks/{id}/wait", "for_ms: must be between"),
    ("/api/v1/tasks/{id}/wait", "task_ids: or group_id is required"),
    ("/api/v1/tasks/{id}/wait", "].value: must not be given twice"),
    ("/api/v1/tasks/{id}/fail", "retryable: must not be false where"),
    ("/api/v1/waits/{wid}/answer", "decision: must be one of"),
    # No pattern says that a key stands once, or how long a value among others is.
    ("/api/v1/tasks", "label: must"),
    # A pattern knows no months.
    ("/api/v1/tasks", "must be a time in UTC"),
    ("/api/v1/tasks/{id}", "body: must change something"),
    # Which fields a change of many has follows from its action, and from whether it only counts.
    ("/api/v1/bulk", "reason: is required"),
    ("/api/v1/bulk", "most: is required"),
    ("/api/v1/bulk", "filter.status: must be one that the action changes"),
    ("/api/v1/bulk", "priority: must be 0 to 3 with set_priority"),
    ("/api/v1/bulk", "must be a time in UTC"),
    # Who names a task has named its key and its owner; who names skills does not pause all.
    ("/api/v1/limits/{name}/penalty", "is that of the task: leave it out"),
    ("/api/v1/limits/{name}/penalty", "token: is required"),
    ("/api/v1/limits/{name}/penalty", "owner: is required"),
    ("/api/v1/limits/{name}/penalty", "owner: must be left out"),
    ("/api/v1/limits/{name}/penalty", "retry_after_ms: must be between 1"),
    ("/api/v1/tasks/batch", "parent.token: must be the token of the parent's claim"),
    ("/api/v1/queue", "must be left out where all is paused"),
    ("/api/v1/tasks", "fairness_weight: is only for a fairness_key"),
    ("/api/v1/tasks/batch", "fairness_weight: is only for a fairness_key"),
    ("/api/v1/tasks/batch", "is for tasks that are submitted one by one"),
    ("/api/v1/schedules/{id}", "spec: needs either cron or every_ms"),
    ("/api/v1/schedules/{id}", "is each run's own, and left out"),
    ("/api/v1/schedules/{id}", "task.delay_ms: is left out"),
    ("/api/v1/schedules/{id}", "must be an instant such as"),
    # The log is read from a place on, or from its end.
    ("/api/v1/tasks/{id}/log", "tail: must be left out beside after"),
    # Days are counted from one to the other.
    ("/api/v1/usage", "from: must be at most 31 days with to"),
    ("/api/v1/history", "from: must be before `to`"),
    ("/api/v1/history", "from: must be at most 1440 points before `to`"),
    # An amount is written in many ways, so that no pattern bounds it.
    ("/api/v1/prices/{model}", "must be from 0 to 9000 for a million tokens"),
    ("/api/v1/budgets/{scope}/{id}", "cost: must be more than 0"),
    ("/api/v1/budgets/{scope}/{id}", "cost: is required, or tokens"),
    # In what one thing has only one.
    ("/api/v1/limits/{name}", "must not be given twice for one unit"),
    ("/api/v1/tasks", "limits["),
    ("/api/v1/tasks/batch", "limits["),
]
# What a task follows is a task or a group, each once; in a batch also an earlier place.
for path in ["/api/v1/tasks", "/api/v1/tasks/batch"]:
    for rule in ["must be # and the place", "must not be given twice", "or group is required"]:
        STATE_RULES.append((path, rule))

# What no schema can say of any path: a cursor is good for the list that has made it, and an id that the
# hub makes for what is there.
RULES = [
    "cursor: must be the cursor of a Link header, unchanged",
    "must not look like an id that the hub makes",
    "retry.most_ms: must not be less than first_ms",
    "input, of which it is a part",
    "output, of which it is a part",
    "].cost: must be from 0 to",
    "budget.cost: must be",
]

# Words that are routes beside an id (`reef_domain::id::RESERVED`): such a path asks for something else.
RESERVED = set(
    "online available skills register pending stats claim cleanup dead".split()
)

# Long polls are tested elsewhere; here they would only take time.
WAIT_MS = 20


@schemathesis.check
def valid_data_is_accepted(ctx, response, case):
    """As `positive_data_acceptance`, but for what the state decides."""
    try:
        return positive_data_acceptance(ctx, response, case)
    except AssertionError:
        problem = response.json()
        rules = [detail for path, detail in STATE_RULES if path == case.operation.path]
        rules += RULES
        if problem["code"] in STATE_CODES or any(rule in problem["detail"] for rule in rules):
            return None
        raise


@schemathesis.hook
def before_call(context, case, kwargs):
    """Shortens a wait that is well-formed."""
    for parameters in (case.query, case.body):
        if isinstance(parameters, dict):
            given = parameters.get("wait_ms")
            if isinstance(given, int) and WAIT_MS < given <= 30_000:
                parameters["wait_ms"] = WAIT_MS


@schemathesis.hook
def filter_case(context, case):
    """Leaves out a path that is another route's, and what is sent as something else than it is.

    An object and a list without members are sent as an empty parameter, which is none.
    """
    given = (case.path_parameters or {}).values()
    if any(value in RESERVED for value in given if isinstance(value, str)):
        return False
    query = case.query.values() if isinstance(case.query, dict) else ()
    return not any(value in ({}, []) for value in query)
