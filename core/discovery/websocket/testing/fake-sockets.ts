import type { ToClient } from "../../../protocol/messages.ts";
import type { WebSocketConstructor } from "../socket.ts";

/** A WebSocket whose far side is the test. */
export interface FakeSocket {
  readonly url: string;
  /** What the client has sent, decoded. */
  readonly sent: readonly any[];
  /** The code with which the client closed. */
  readonly closeCode: number | undefined;
  accept(): void;
  deliver<Type extends keyof ToClient>(
    type: Type,
    data: ToClient[Type],
    beside?: { id?: number; lost?: boolean },
  ): void;
  /** Any frame, whether it makes sense or not. */
  deliverRaw(frame: unknown): void;
  /** The far side closes, or the network does. */
  close(code: number): void;
}

/** A platform whose WebSockets all end here. The newest is the last of `opened`. */
export interface FakeSockets {
  readonly WebSocket: WebSocketConstructor;
  readonly opened: readonly FakeSocket[];
}

/** No socket yet. Nothing happens on one by itself. */
export function createFakeSockets(): FakeSockets {
  const opened: FakeSocket[] = [];
  function WebSocket(url: string) {
    const { platform, fake } = createPair(url);
    opened.push(fake);
    return platform;
  }
  return { WebSocket: WebSocket as unknown as WebSocketConstructor, opened };
}

function createPair(url: string) {
  const events = new EventTarget();
  const sent: any[] = [];
  let closedWith: number | undefined;
  const dispatch = (type: string, fields: object) => events.dispatchEvent(Object.assign(new Event(type), fields));
  const fake: FakeSocket = {
    url,
    sent,
    get closeCode() {
      return closedWith;
    },
    accept: () => dispatch("open", {}),
    deliver: (type, data, beside) => fake.deliverRaw(JSON.stringify({ type, data, ...beside })),
    deliverRaw: (frame) => dispatch("message", { data: frame }),
    close: (code) => dispatch("close", { code }),
  };
  const platform = {
    addEventListener: events.addEventListener.bind(events),
    send: (text: string) => sent.push(JSON.parse(text)),
    close(code: number) {
      closedWith = code;
    },
  };
  return { platform, fake };
}
