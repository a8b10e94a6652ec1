/** A moment of this machine, by both of its clocks. */
export interface Moment {
  readonly wall: number;
  readonly steady: number;
}

export interface Clocks {
  /** Milliseconds that count sleep, and may be set. */
  wall(): number;
  /** Milliseconds that are never set, and stand still in sleep on some platforms. */
  steady(): number;
}

const OURS: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

export function now(clocks: Clocks = OURS): Moment {
  return { wall: clocks.wall(), steady: clocks.steady() };
}

/**
 * Milliseconds since a moment: what the faster clock says. No platform has a clock that is both
 * steady and counts sleep, so a lease is over as soon as either says so.
 */
export function since(moment: Moment, clocks: Clocks = OURS): number {
  return Math.max(clocks.wall() - moment.wall, clocks.steady() - moment.steady);
}

/** Waits; a signal ends the wait early, and is no error. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal?.aborted) return done();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      done();
    };
    // Longer delays than that of 32 bits would end at once.
    const timer = setTimeout(end, Math.min(Math.max(ms, 0), 2 ** 31 - 1));
    signal?.addEventListener("abort", end, { once: true });
  });
}
