import type { AnswerOf, BodyOf, QueryOf, RequestOptions, Transport } from "./http.ts";
import { pages } from "./pages.ts";
import type { Rest } from "./types.ts";

type Body = BodyOf<"set_schedule">;
type Range = BodyOf<"backfill_schedule">;
type Overlap = NonNullable<BodyOf<"trigger_schedule">["overlap"]>;
type Schedule = AnswerOf<"set_schedule">;
type Standing = AnswerOf<"show_schedule">;
type Runs = AnswerOf<"trigger_schedule">;

/** A schedule as it is set: when its runs come due, and the task that each of them submits. */
export interface NewSchedule extends Rest<Body, "spec"> {
  /** When runs come due: by a `cron` pattern, read in `timezone`, or `every_ms`, from `start_at` to `end_at`. */
  spec: Rest<Body["spec"], "start_at" | "end_at"> & { start_at?: string | Date | null; end_at?: string | Date | null };
}

/** The time whose runs are made up for, and how many these may be. */
export interface Backfill extends Rest<Range, "from" | "to"> {
  /** The first instant: a `Date`, or a text such as `2026-02-04T04:58:14Z`. */
  from: string | Date;
  /** The last one. */
  to: string | Date;
}

/** What submits tasks by the calendar, or at an even pace. */
export class Schedules {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** The caller's, to the admin everybody's, newest first, page by page. */
  async *list(query: QueryOf<"list_schedules"> = {}): AsyncGenerator<Schedule, void, undefined> {
    for await (const page of pages(this.#http, "list_schedules", { query })) yield* page;
  }

  /** One, when its next five runs come due, and what became of its last 20. */
  get(id: string): Promise<Standing> {
    return this.#http.call("show_schedule", { path: { id } });
  }

  /** Makes it, or replaces it whole, but for `paused`, which stays where it is left out. */
  set(id: string, schedule: NewSchedule, options: RequestOptions = {}): Promise<Schedule> {
    const { start_at, end_at, ...rest } = schedule.spec;
    const spec: Body["spec"] = rest;
    if (start_at != null) spec.start_at = instant(start_at);
    if (end_at != null) spec.end_at = instant(end_at);
    return this.#http.call("set_schedule", { ...options, path: { id }, body: { ...schedule, spec } });
  }

  /** The tasks that it has submitted stay. */
  async remove(id: string): Promise<void> {
    await this.#http.call("remove_schedule", { path: { id } });
  }

  /** Lets no run come due. The note is for people. */
  pause(id: string, note?: string): Promise<Schedule> {
    return this.#http.call("pause_schedule", { path: { id }, body: note === undefined ? {} : { note } });
  }

  /** Lets runs come due again; those of the time between are left out. */
  resume(id: string, note?: string): Promise<Schedule> {
    return this.#http.call("resume_schedule", { path: { id }, body: note === undefined ? {} : { note } });
  }

  /**
   * Begins a run now, also while it is paused. Throws `Conflict` where the run before has not ended and
   * `overlap`, else what the schedule says, does not let it.
   */
  trigger(id: string, overlap?: Overlap, options: RequestOptions = {}): Promise<Runs> {
    const body = overlap === undefined ? {} : { overlap };
    return this.#http.call("trigger_schedule", { ...options, path: { id }, body });
  }

  /**
   * Begins the runs of a time in the past, all at once, but for those that have begun before; none where
   * there are more than `most` (10, at most 100).
   */
  backfill(id: string, range: Backfill, options: RequestOptions = {}): Promise<Runs> {
    const body = { ...range, from: instant(range.from), to: instant(range.to) };
    return this.#http.call("backfill_schedule", { ...options, path: { id }, body });
  }
}

/** In UTC, with milliseconds. */
function instant(at: string | Date): string {
  return typeof at === "string" ? at : at.toISOString();
}
