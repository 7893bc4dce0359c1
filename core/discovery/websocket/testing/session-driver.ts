import type { Clock } from "../../../clock.ts";
import type { ToClient } from "../../../protocol/messages.ts";
import { createVirtualClock, type VirtualClock } from "../../../testing/virtual-clock.ts";
import type { Credentials, DiscoverySession, OpenOptions, SecretKeeper, StoredCredentials } from "../../discovery.ts";
import type { PageLifecycle } from "../../page-lifecycle.ts";
import { createEventRecorder, type RecordedEvent } from "../../testing/event-recorder.ts";
import { websocket } from "../../websocket.ts";
import { createFakeSockets, type FakeSocket } from "./fake-sockets.ts";

/** A session whose server, page, clock and randomness a test controls. */
export interface SessionDriver {
  readonly session: DiscoverySession;
  readonly clock: VirtualClock;
  /** Every event so far: its name, then its arguments. */
  readonly recorded: readonly RecordedEvent[];
  readonly sockets: readonly FakeSocket[];
  readonly page: { wake(): void; hide(back: boolean): void };
  /** Lets `ms` pass without running timers, as during sleep. */
  sleep(ms: number): void;
  /** Runs timers on whole minutes only from now on, as in a page that has been hidden for long. */
  throttle(): void;
  /** Resolves with the newest socket once the client has opened it. */
  socket(): Promise<FakeSocket>;
  /** Signs in on the newest socket. */
  signIn(answer?: SignInAnswer): Promise<FakeSocket>;
}

/** What the server answers to a sign-in. */
export interface SignInAnswer extends Pick<ToClient["setPeerId"], "app" | "room" | "features" | "device"> {
  readonly peerId?: string;
  readonly session?: string;
  readonly users?: readonly string[];
  readonly peers?: ToClient["peerList"];
}

/** Options of {@link driveSession}. */
export interface DriverOptions {
  readonly host?: string;
  readonly random?: number;
  readonly app?: string;
  readonly profile?: OpenOptions["profile"];
  readonly keeper?: SecretKeeper;
}

/** Opens a session. Its random numbers are all `random`. */
export function driveSession(
  credentials: Credentials | StoredCredentials = { username: "ann", password: "secret" },
  { host = "example.org", random = 0.5, app = "", profile, keeper }: DriverOptions = {},
): SessionDriver {
  const clock = createVirtualClock();
  let slept = 0;
  let grain = 1;
  const platform: Clock = {
    now: () => clock.now() + slept,
    after: (delay, task) => clock.after(Math.ceil((clock.now() + delay) / grain) * grain - clock.now(), task),
  };
  const { WebSocket, opened } = createFakeSockets();
  const { recorded, events } = createEventRecorder();
  const { page, ...controls } = createFakePage();
  const session = websocket({ WebSocket, clock: platform, page, random: () => random }).open(
    host,
    credentials,
    events,
    { app, profile, keeper: keeper && Promise.resolve(keeper) },
  );

  const driver: SessionDriver = {
    session,
    clock,
    recorded,
    sockets: opened,
    page: controls,
    sleep(ms) {
      slept += ms;
    },
    throttle() {
      grain = 60_000;
    },
    async socket() {
      await clock.advance(0);
      return opened.at(-1) as FakeSocket;
    },
    async signIn({ peerId = "me", session = "secret of ann", users = [], peers = [], ...echo } = {}) {
      const socket = await driver.socket();
      socket.accept();
      socket.deliver("setPeerId", {
        version: 1,
        peerId,
        username: "ann",
        session,
        resumed: false,
        ...echo,
      });
      socket.deliver("userList", users);
      socket.deliver("iceServers", { servers: [] });
      socket.deliver("peerList", peers);
      return socket;
    },
  };
  return driver;
}

function createFakePage() {
  const wakes = new Set<() => void>();
  const hides = new Set<(back: boolean) => void>();
  const listen = <Listener>(listeners: Set<Listener>) => {
    return (listener: Listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    };
  };
  const page: PageLifecycle = { onWake: listen(wakes), onHide: listen(hides) };
  return {
    page,
    wake() {
      for (const listener of wakes) listener();
    },
    hide(back: boolean) {
      for (const listener of hides) listener(back);
    },
  };
}
