import { type Clocks, type Moment, since } from "./clock.ts";
import { LeaseOver } from "./errors.ts";

/**
 * Something that is ours for a while. It counts from before the request that got or renewed it, so
 * that it ends here no later than at the hub.
 */
export class Lease {
  readonly ms: number;
  readonly #what: string;
  readonly #end = new AbortController();
  readonly #clocks: Clocks | undefined;
  #from: Moment;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(what: string, from: Moment, ms: number, clocks?: Clocks) {
    this.#what = what;
    this.#from = from;
    this.ms = ms;
    this.#clocks = clocks;
    this.#watch();
  }

  /** Aborted when it is over, with the reason. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Milliseconds that are left; none once it is over. */
  get left(): number {
    if (this.#end.signal.aborted) return 0;
    return Math.max(this.ms - since(this.#from, this.#clocks), 0);
  }

  /** Whether it still holds, by the clocks and not by a timer, which may be late. */
  holds(): boolean {
    if (this.left > 0) return true;
    this.end(new LeaseOver(`${this.#what} was leased for ${this.ms} ms, and not renewed in time`));
    return false;
  }

  /** Milliseconds until it should be renewed: a third of it has passed by then. */
  get renewIn(): number {
    return this.left - (this.ms * 2) / 3;
  }

  renew(from: Moment): void {
    if (!this.holds()) return;
    this.#from = from;
    this.#watch();
  }

  end(reason: Error): void {
    clearTimeout(this.#timer);
    if (!this.#end.signal.aborted) this.#end.abort(reason);
  }

  /** Done with: nothing is aborted. */
  settle(): void {
    clearTimeout(this.#timer);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    // Short steps, since a timer does not count sleep everywhere, and the other clock may be set.
    const step = Math.min(this.left + 1, 1000);
    this.#timer = setTimeout(() => this.holds() && this.#watch(), step);
  }
}
