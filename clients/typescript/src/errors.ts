import type { components } from "./openapi.ts";

export type Problem = components["schemas"]["Problem"];
export type ProblemCode = Problem["code"];

/** What the hub refused, or what could not be asked of it. */
export class ReefError extends Error {
  override name = "ReefError";
}

/** An answer of the hub that is no success. There is a class for each `code`. */
export class HubError extends ReefError {
  override name = "HubError";
  readonly code: ProblemCode;
  readonly status: number;
  /** One plain sentence. */
  readonly detail: string;
  /** The fields that break a rule. */
  readonly errors: readonly { field: string; message: string }[];
  /** What the operator finds in the log. */
  readonly requestId: string;
  /** What else the answer says, as in a refused registration. */
  readonly body: unknown;

  constructor(problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
    this.code = problem.code;
    this.status = problem.status;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
    this.requestId = problem.request_id;
    this.body = problem;
  }
}

export class MalformedRequest extends HubError {}
export class MalformedJson extends HubError {}
export class InvalidParameter extends HubError {}
export class InvalidRegistration extends HubError {}
export class InsufficientBalance extends HubError {}
export class Unauthenticated extends HubError {}
export class Forbidden extends HubError {}
export class ActRequired extends HubError {}
export class NotFound extends HubError {}
export class MethodNotAllowed extends HubError {}
export class RequestTimeout extends HubError {}
/** The state does not allow it: read it again and decide anew. */
export class Conflict extends HubError {}
/** A stale token, term, incarnation or epoch: somebody else took over, and nothing was changed. */
export class Fenced extends HubError {}
export class InProgress extends HubError {}
export class InboxFull extends HubError {}
export class SignalsFull extends HubError {}
export class QuotaExceeded extends HubError {}
export class BudgetExhausted extends HubError {}
export class PayloadTooLarge extends HubError {}
export class UnsupportedMediaType extends HubError {}
export class Misdirected extends HubError {}
export class ValidationFailed extends HubError {}
export class IdempotencyMismatch extends HubError {}
export class RateLimited extends HubError {}
export class Internal extends HubError {}
export class DeadlineExceeded extends HubError {}
export class HubUnavailable extends HubError {}
export class StoreUnavailable extends HubError {}
export class StoreFull extends HubError {}
export class StoreResharding extends HubError {}
export class DurabilityNotReached extends HubError {}
export class Overloaded extends HubError {}

const CLASSES: Record<ProblemCode, typeof HubError> = {
  malformed_request: MalformedRequest,
  malformed_json: MalformedJson,
  invalid_parameter: InvalidParameter,
  invalid_registration: InvalidRegistration,
  insufficient_balance: InsufficientBalance,
  unauthenticated: Unauthenticated,
  forbidden: Forbidden,
  act_required: ActRequired,
  not_found: NotFound,
  method_not_allowed: MethodNotAllowed,
  request_timeout: RequestTimeout,
  conflict: Conflict,
  fenced: Fenced,
  in_progress: InProgress,
  inbox_full: InboxFull,
  signals_full: SignalsFull,
  quota_exceeded: QuotaExceeded,
  budget_exhausted: BudgetExhausted,
  payload_too_large: PayloadTooLarge,
  unsupported_media_type: UnsupportedMediaType,
  misdirected: Misdirected,
  validation_failed: ValidationFailed,
  idempotency_mismatch: IdempotencyMismatch,
  rate_limited: RateLimited,
  internal: Internal,
  deadline_exceeded: DeadlineExceeded,
  hub_unavailable: HubUnavailable,
  store_unavailable: StoreUnavailable,
  store_full: StoreFull,
  store_resharding: StoreResharding,
  durability_not_reached: DurabilityNotReached,
  overloaded: Overloaded,
};

/** The error of a problem; a code that is newer than this package is a plain `HubError`. */
export function errorOf(problem: Problem): HubError {
  const Class = Object.hasOwn(CLASSES, problem.code) ? CLASSES[problem.code] : HubError;
  const error = new Class(problem);
  error.name = Class === HubError ? "HubError" : toClassName(problem.code);
  return error;
}

// A minifier changes `Class.name`.
function toClassName(code: string): string {
  return code.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}

/** The hub could not be reached, or gave no answer in time. Whether it did it is unknown. */
export class Unreachable extends ReefError {
  override name = "Unreachable";
}

/** An answer that is none of the hub's, such as a proxy's page. */
export class UnexpectedAnswer extends ReefError {
  override name = "UnexpectedAnswer";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A stream broke and could not be resumed: what was read is not all there is. */
export class StreamCut extends ReefError {
  override name = "StreamCut";
}

/** A lease is over by this machine's clocks, or by what the hub says. */
export class LeaseOver extends ReefError {
  override name = "LeaseOver";
}

/** The task was cancelled. */
export class Cancelled extends ReefError {
  override name = "Cancelled";
}

/**
 * Leaves the handler of a task that waits: its claim is given up. A handler that catches everything
 * lets it pass, as it does what `task.signal` is aborted with.
 */
export class Waiting extends ReefError {
  override name = "Waiting";
}

/**
 * Thrown by a handler: the task failed, and may be tried again. `after` says in how many milliseconds,
 * such as what a provider's `Retry-After` says; else the task's own policy does.
 */
export class Retry extends ReefError {
  override name = "Retry";
  readonly after: number | undefined;

  constructor(message?: string, options: ErrorOptions & { after?: number } = {}) {
    super(message, options);
    this.after = options.after;
  }
}

/**
 * Thrown by a handler: it could not try yet, and this counts as no try. The hub counts it as one when it
 * comes the eleventh time in a row.
 */
export class Snooze extends Retry {
  override name = "Snooze";
}

/**
 * Thrown by a handler: a provider has refused, and wants to be left alone for `after` milliseconds. Until
 * then no task begins, on whichever node, that counts against the same key of `limit`, which the task is
 * under; this one counts no try.
 */
export class Busy extends Snooze {
  override name = "Busy";
  readonly limit: string;

  constructor(limit: string, options: ErrorOptions & { after: number }) {
    super(`${limit} is busy`, options);
    this.limit = limit;
  }
}

/** Thrown by a handler: the task failed for good. */
export class Reject extends ReefError {
  override name = "Reject";
}
