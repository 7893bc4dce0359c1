import { BonevalueError } from "../../errors.ts";
import { assemblyOf, defaultLimits, type Limits, limitsOf } from "../../limits.ts";
import { type CallContext, callPeer } from "../../rpc/call-peer.ts";
import { createDeadlines } from "../../rpc/deadlines.ts";
import { moduleOf } from "../../rpc/module.ts";
import { createModules, type Offer } from "../../rpc/modules.ts";
import { createRpc, type Rpc } from "../../rpc/rpc.ts";
import { packPayload } from "../../rpc/streams/payload.ts";
import { createVirtualClock } from "../../testing/virtual-clock.ts";
import type { Channel, LinkEvents } from "../../transport/transport.ts";
import { decode, encode, type Received } from "../../wire/codec.ts";
import type { Frame, Hello } from "../../wire/frames.ts";
import { createConnection } from "../connection.ts";
import { createHello } from "../hello.ts";
import type { Pool } from "../pool.ts";
import { createFakeLink } from "./fake-link.ts";

/** One side of a link whose other side is the spec, which says whatever bytes it likes. */
export interface HostilePeer {
  readonly rpc: Rpc;
  hear(channel: Channel, bytes: Uint8Array): void;
  /** The frames that it has said so far. */
  readonly said: readonly Frame<Received>[];
  /** Whether the link is over, and why: by consent where there is no reason. */
  readonly ended: { readonly reason: BonevalueError | undefined } | undefined;
  /** Calls "Any" at the other side, with a stream in the request. */
  call(): void;
  close(): void;
}

/** Where victims are made: they share time, as the links of one client do. */
export interface HostileSetup {
  /** One that has heard a hello. */
  victim(limits?: Partial<Limits>): HostilePeer;
  /** Lets time pass, in ms. */
  advance(ms: number): Promise<void>;
  /** How many timers wait. */
  readonly waiting: number;
}

const requests = { name: "request", code: "invalid-request", depth: 16, size: 10_000 } as const;
const modules = createModules();

function offer(name: string, handler: Offer["handler"]): void {
  modules.add({ module: { name, request: undefined, response: undefined }, handler, allow: "*", bare: false });
}

offer("Echo", ({ request }) => request);
offer("Never", () => new Promise(() => {}));
offer("Count", async function* () {
  for (let count = 0; ; count++) yield count;
});
offer("Read", async ({ request }) => {
  for await (const _ of request as AsyncIterable<unknown>);
});

/** A ward without victims. */
export function createHostileSetup(): HostileSetup {
  const clock = createVirtualClock();
  const deadlines = createDeadlines(clock);

  function victim(given: Partial<Limits> = {}): HostilePeer {
    const limits = limitsOf(given);
    const said: Uint8Array[] = [];
    let events!: LinkEvents;
    let ended: HostilePeer["ended"];
    const link = createFakeLink({
      listen(heard) {
        events = heard;
      },
      send(_, message) {
        said.push(message.slice());
      },
    });
    const connection = createConnection<Rpc>({
      peer: "hostile",
      link,
      clock,
      hello: helloOf("victim", limits),
      limits,
      unusedTimeout: 1_000,
      idleTimeout: 30_000,
      serve: (connection) =>
        createRpc(connection, {
          peer: { id: "hostile", name: "Eve" },
          modules,
          deadlines,
          limits,
          idleTimeout: 30_000,
          now: clock.now,
          isAllowed: () => true,
          failed: () => {},
        }),
      onSignal: () => {},
      onRelease: () => {},
      onIdle: () => {},
      onInterrupted: () => {},
      onRestored: () => {},
      onEnd(reason) {
        ended = { reason };
      },
    });
    connection.listen();
    const hear = (channel: Channel, bytes: Uint8Array) => events.message(channel, new Uint8Array(bytes));
    for (const channel of ["control", "bulk"] as const) {
      hear(channel, encode(createHello(helloOf("hostile", defaultLimits))));
    }
    return {
      rpc: connection.service,
      hear,
      get said() {
        return said.flatMap((message) => decode(message, { value: 1_000_000, depth: 64 }));
      },
      get ended() {
        return ended;
      },
      call() {
        const whenOpen: Pool<Rpc>["whenOpen"] = (_, { begin }) => {
          begin(connection);
          return () => {};
        };
        const context: CallContext = {
          pool: { whenOpen } as Pool<Rpc>,
          deadlines,
          limits,
          now: clock.now,
          keepOpenMs: () => 0,
          refusal: () => undefined,
          noPeersError: () => new BonevalueError("no-peers", "Nobody is there."),
        };
        callPeer(context, { id: "hostile", name: "Eve" }, packPayload([new Blob(["bytes"]).stream()], requests), {
          module: moduleOf("Any"),
          kind: "call",
          timeout: Number.POSITIVE_INFINITY,
          keepAlive: undefined,
          settle: () => {},
        });
      },
      close: () => connection.close(new BonevalueError("cancelled", "The spec is done with it.")),
    };
  }

  return {
    victim,
    advance: clock.advance,
    get waiting() {
      return clock.waiting;
    },
  };
}

function helloOf(peer: string, limits: Limits): Hello {
  return {
    peer,
    message: 65_536,
    value: limits.messageSize,
    calls: limits.requestsPerPeer,
    streams: limits.streamsPerPeer,
    window: 262_144,
    assembly: assemblyOf(limits),
  };
}
