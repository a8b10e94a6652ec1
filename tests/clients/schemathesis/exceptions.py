"""What schemathesis cannot know of the hub: refusals that its state decides, and waits."""

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

# Codes that say by themselves that the request was good, and the time for it was not.
STATE_CODES = {"idempotency_mismatch", "insufficient_balance", "inbox_full"}

# Rules between a request and the state or the settings, which no schema can say: path, and what
# the problem's detail says.
STATE_RULES = [
    ("/api/v1/nodes/register", "node_id: is in use by another hostname"),
    ("/api/v1/auth/keys", "agent_id: is required of the admin"),
    ("/api/v1/deposit", "amount: must not be more than"),
    ("/api/v1/transfer", "to_agent: must be another agent than the one who pays"),
    ("/api/v1/holds/{id}/post", "to_agent: must be another agent than the one who pays"),
    ("/api/v1/holds/{id}/post", "amount: must not be more than the hold's"),
]

# A cursor is good for the list that has made it, which no schema can say.
CURSOR_RULE = "cursor: must be the cursor of a Link header, unchanged"

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
        rules.append(CURSOR_RULE)
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
    """Leaves out a path that is another route's."""
    given = (case.path_parameters or {}).values()
    return not any(value in RESERVED for value in given if isinstance(value, str))
