import { BonevalueError } from "../../errors.ts";
import { defaultLimits, type Limits, limitsOf } from "../../limits.ts";
import { noProfile, type Peer } from "../../peer.ts";
import { createPresence } from "../../presence/presence.ts";
import { servePresence } from "../../presence/serve-presence.ts";
import { callPeer } from "../../rpc/call-peer.ts";
import { createDeadlines } from "../../rpc/deadlines.ts";
import { moduleOf } from "../../rpc/module.ts";
import { createModules, type Offer } from "../../rpc/modules.ts";
import { createRpc, type Rpc } from "../../rpc/rpc.ts";
import { packPayload } from "../../rpc/streams/answer-payload.ts";
import { createCallContext } from "../../rpc/testing/call-context.ts";
import { createVirtualClock } from "../../testing/virtual-clock.ts";
import type { Channel, LinkEvents } from "../../transport/transport.ts";
import { decode, encode, type Received } from "../../wire/codec.ts";
import type { Frame } from "../../wire/frames.ts";
import { createConnection } from "../connection.ts";
import { createHello, helloOf } from "../hello.ts";
import { createFakeLink } from "./fake-link.ts";

/** The peer of a real connection: a test that sends any bytes. */
export interface HostilePeer {
  readonly rpc: Rpc;
  send(channel: Channel, bytes: Uint8Array): void;
  /** The frames that the connection has sent so far. */
  readonly received: readonly Frame<Received>[];
  /** Set once the link is over: by agreement if there is no reason. */
  readonly ended: { readonly reason: BonevalueError | undefined } | undefined;
  /** Makes the connection call "Any", with a stream in the request. */
  call(): void;
  close(): void;
}

/** Creates hostile peers that share a clock, as the links of one client do. */
export interface HostileSetup {
  /** Creates a peer that has sent its hello. */
  createPeer(limits?: Partial<Limits>): HostilePeer;
  /** Advances the clock, in ms. */
  advance(ms: number): Promise<void>;
  /** How many timers are pending. */
  readonly waiting: number;
}

const requests = { name: "request", code: "invalid-request", depth: 16, size: 10_000 } as const;
const eve: Peer = { id: "hostile", name: "Eve", profile: noProfile };
const modules = createModules({ now: () => 0 });

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

/** Creates a setup without peers. */
export function createHostileSetup(): HostileSetup {
  const clock = createVirtualClock();
  const deadlines = createDeadlines(clock);
  const presence = createPresence({
    clock,
    deadlines,
    limits: defaultLimits,
    maxLinks: 64,
    pool: { whenOpen: () => () => {} },
    self: () => "victim",
    keepOpenMs: () => 30_000,
    isAllowed: () => true,
    failed: () => {},
  });

  function createPeer(given: Partial<Limits> = {}): HostilePeer {
    const limits = limitsOf(given);
    const received: Uint8Array[] = [];
    let events!: LinkEvents;
    let ended: HostilePeer["ended"];
    const link = createFakeLink({
      listen(listener) {
        events = listener;
      },
      send(_, message) {
        received.push(message.slice());
      },
    });
    const connection = createConnection<Rpc>({
      peer: "hostile",
      link,
      identity: { verified: false },
      clock,
      hello: helloOf("victim", limits),
      limits,
      unusedTimeout: 1_000,
      idleTimeout: 30_000,
      serve: (connection) =>
        createRpc(connection, {
          peer: () => eve,
          modules,
          deadlines,
          limits,
          presence: servePresence(presence, connection),
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
    const send = (channel: Channel, bytes: Uint8Array) => events.message(channel, new Uint8Array(bytes));
    for (const channel of ["control", "bulk"] as const) {
      send(channel, encode(createHello(helloOf("hostile", defaultLimits))));
    }
    return {
      rpc: connection.service,
      send,
      get received() {
        return received.flatMap((message) => decode(message, { value: 1_000_000, depth: 64 }));
      },
      get ended() {
        return ended;
      },
      call() {
        const context = createCallContext(connection, { deadlines, limits, now: clock.now });
        callPeer(context, eve, packPayload([new Blob(["bytes"]).stream()], requests), {
          module: moduleOf("Any"),
          kind: "call",
          timeout: Number.POSITIVE_INFINITY,
          keepAlive: undefined,
          settle: () => {},
        });
      },
      close: () => connection.close(new BonevalueError("cancelled", "The test is over.")),
    };
  }

  return {
    createPeer,
    advance: clock.advance,
    get waiting() {
      return clock.waiting;
    },
  };
}
