/** A frame of server-sent events. */
export interface Frame {
  id: string | undefined;
  event: string;
  data: string;
}

/**
 * Reads frames, and the `retry` that comes with them, as the HTML standard says: lines end with CR,
 * LF or both; what the end cuts off is no frame. `onBytes` is told whenever something came.
 */
export async function* frames(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void = () => {},
  onRetry: (ms: number) => void = () => {},
): AsyncGenerator<Frame, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let frame: Frame = { id: undefined, event: "message", data: "" };
  let hasData = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      rest += decoder.decode(value, { stream: true });
      // A CR at the end may be half of a CRLF.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (hasData) yield frame;
          frame = { id: undefined, event: "message", data: "" };
          hasData = false;
          continue;
        }
        const colon = line.indexOf(":");
        const name = colon < 0 ? line : line.slice(0, colon);
        const text = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (name === "id") frame.id = text;
        else if (name === "event") frame.event = text;
        else if (name === "retry" && /^\d+$/.test(text)) onRetry(Number(text));
        else if (name === "data") {
          frame.data = hasData ? `${frame.data}\n${text}` : text;
          hasData = true;
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
