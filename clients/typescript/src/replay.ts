import { Conflict, NotFound, Reject } from "./errors.ts";
import type { BodyOf, Transport } from "./http.ts";
import { pages } from "./pages.ts";
import type { ClaimedTask, NewTask, Task } from "./types.ts";

/** What a handler waits for; `name` is a signal's, or says that it is for children. */
export interface Awaited {
  kind: BodyOf<"wait_for">["kind"];
  name?: string;
  group_id?: string;
}

/** What has come, as the hub says it. */
export type Came = Awaited & {
  expired?: boolean;
  decision?: string;
  value?: unknown;
  by?: string;
  comment?: string;
  wait_id?: string;
  at?: string;
  tasks?: { task_id?: string; group_id?: string; status: string | null }[];
};

/** Most tasks of a batch. */
const BATCH = 100;
/** Longer ones would make ids of children that are too long. */
const ID_CHARACTERS = 80;

/**
 * What a task has waited for, over all its claims. A handler that waits is left, and runs again
 * from its start once what it waits for has come. What came to its waits so far is kept in the
 * task's checkpoint, in order, so that the n-th one gets at once what it got before.
 */
export class Replay {
  /** The handler's own part of the checkpoint. */
  state: unknown = null;
  /** What came to a question that was asked when the task was submitted. */
  readonly first: Came | null;
  readonly #answers: Came[] = [];
  #place = 0;

  constructor(claimed: Pick<ClaimedTask, "checkpoint" | "resume">) {
    const { checkpoint, resume } = claimed as { checkpoint?: unknown; resume?: Came };
    const kept = (checkpoint as { reef?: { answers: Came[]; wait?: Awaited; first: Came | null } } | null)?.reef;
    if (kept?.answers) {
      this.state = (checkpoint as { state?: unknown }).state ?? null;
      this.first = kept.first;
      this.#answers.push(...kept.answers);
      // One that was stopped for its budget did not wait for what has come.
      if (kept.wait && resume) this.#answers.push(keep(kept.wait, resume));
    } else {
      this.state = checkpoint ?? null;
      this.first = resume ?? null;
    }
  }

  /** What a claim after this one begins with, should this one not wait; nothing at first. */
  get kept(): unknown {
    if (this.state === null && this.#answers.length === 0) return undefined;
    return { reef: { answers: [...this.#answers], first: this.first }, state: this.state };
  }

  /** How many waits the handler has behind it. */
  get place(): number {
    return this.#place;
  }

  /** What came to this one, which is the handler's next, if it has waited before. */
  next(wait: Awaited): Came | undefined {
    const came = this.#answers[this.#place];
    if (came === undefined) return undefined;
    if (came.kind !== wait.kind || came.name !== wait.name) {
      // Tried again, it would be the same.
      throw new Reject(
        `the handler waits otherwise than before: wait ${this.#place + 1} was for ${words(came)}, and is for ${words(wait)}`,
      );
    }
    this.#place++;
    return came;
  }

  /** It has come without the handler being left. */
  came(wait: Awaited, resume: Came): Came {
    const came = keep(wait, resume);
    this.#answers.push(came);
    this.#place++;
    return came;
  }

  /** What the next claim begins with: so far the handler is, and for this it waits. */
  checkpoint(wait: Awaited): unknown {
    return { reef: { answers: this.#answers, wait, first: this.first }, state: this.state };
  }
}

/** What a wait is answered with again: not what only says of which one and when it came. */
function keep(wait: Awaited, { wait_id: _, at: __, ...rest }: Came): Came {
  return { ...wait, ...rest };
}

function words({ kind, name }: Awaited): string {
  return name ? `${kind} ${name}` : kind;
}

/**
 * The children of one running task. Their ids follow from the parent's id and from which of its
 * waits is for them, so that a handler whose process died between their submission and the wait
 * finds them again.
 */
export class Family {
  readonly #http: Transport;
  readonly #parent: { task_id: string; token: string };

  constructor(http: Transport, parent: { task_id: string; token: string }) {
    this.#http = http;
    this.#parent = parent;
  }

  /** Submits them if they are not there. The id of their group, which is open. */
  async submit(given: NewTask[], place: number, signal: AbortSignal): Promise<string> {
    // A group that is closed is of a life of the parent that has ended: it was tried again since.
    for (let life = 0; ; life++) {
      const id = `children.${short(this.#parent.task_id)}.${place}.${life}`;
      if (await this.#submitAs(id, given, signal)) return id;
    }
  }

  async tasks(id: string): Promise<Task[]> {
    const tasks: Task[] = [];
    const query = { limit: BATCH };
    for await (const page of pages(this.#http, "list_group_tasks", { path: { id }, query })) tasks.push(...page);
    return tasks;
  }

  async #submitAs(group_id: string, given: NewTask[], signal: AbortSignal): Promise<boolean> {
    const ids = given.map(({ task_id }, n) => task_id ?? `${group_id}.${n}`);
    const named = given.map((task, n): NewTask => {
      // Places count over all of them, and a batch is a part.
      const after = task.after?.map(({ task: of, ...rest }) => (of ? { ...rest, task: byId(of, ids) } : rest));
      return { ...task, task_id: ids[n]!, ...(after ? { after } : {}) };
    });
    for (let at = 0; at < named.length; at += BATCH) {
      const tasks = named.slice(at, at + BATCH);
      const body = { tasks, group: { group_id, sealed: false }, parent: this.#parent };
      try {
        await this.#http.call("submit_batch", { body, signal });
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        if (await this.#isSealed(group_id, ids[at]!, error)) return false;
      }
    }
    return true;
  }

  /** Of a group that is there. Throws the conflict where it has another reason. */
  async #isSealed(id: string, first: string, conflict: Conflict): Promise<boolean> {
    try {
      const group = await this.#http.call("show_group", { path: { id } });
      if (group.parent !== this.#parent.task_id) throw conflict;
      if (group.sealed) return true;
      const child = await this.#http.call("show_task", { path: { id: first } });
      if (child.group_id !== id) throw conflict;
      return false;
    } catch (error) {
      throw error instanceof NotFound ? conflict : error;
    }
  }
}

function byId(task: string, ids: string[]): string {
  return (task.startsWith("#") ? ids[Number(task.slice(1))] : undefined) ?? task;
}

/** An id that others may be made of: as FNV-1a has it where it is long. */
function short(id: string): string {
  if (id.length <= ID_CHARACTERS) return id;
  let digest = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(id)) {
    digest = BigInt.asUintN(64, (digest ^ BigInt(byte)) * 0x100000001b3n);
  }
  return digest.toString(16).padStart(16, "0");
}
