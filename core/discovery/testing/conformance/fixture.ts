import { afterEach, beforeEach, expect } from "vitest";
import type { Alias, PeerId, Profile } from "../../../peer.ts";
import type { Credentials, Discovery, DiscoveryEvents, DiscoverySession, Snapshot } from "../../discovery.ts";
import { createEventRecorder, type EventRecorder, type RecordedEvent } from "../event-recorder.ts";

/** The users of a test: `ann`, `bob`, `cyd` and, with a server, `dan@example.org`. None trusts another yet. */
export interface DiscoveryWorld {
  readonly host: string;
  /** Creates the discovery of one login. */
  discovery(): Discovery;
  credentials(username: string): Credentials;
  /** Undefined without a server: all users trust each other there. */
  trust?(a: string, aliasOfB: Alias, b: string, aliasOfA: Alias): void | Promise<void>;
  /** The secrets of the invitations that were mailed, by address. Undefined without a server. */
  readonly mailed?: ReadonlyMap<string, readonly string[]>;
  close(): void | Promise<void>;
}

/** A session that is signed in, with its events. */
export interface Login extends EventRecorder {
  readonly session: DiscoverySession;
  readonly id: PeerId;
  readonly snapshot: Snapshot;
}

/** Creates a world for each test. */
export interface DiscoveryFixture {
  readonly world: DiscoveryWorld;
  /** Opens a session that is closed after the test. */
  open(credentials: Credentials, events: DiscoveryEvents, app?: string, profile?: Profile): DiscoverySession;
  signIn(username: string, app?: string, profile?: Profile): Promise<Login>;
  /** Signs in as a guest of a room. */
  enter(room: string, name: string, app?: string): Promise<Login>;
}

/** Sets up the tests of the surrounding `describe`. `start` creates the world of each test. */
export function createDiscoveryFixture(start: () => DiscoveryWorld | Promise<DiscoveryWorld>): DiscoveryFixture {
  let world: DiscoveryWorld;
  const sessions: DiscoverySession[] = [];

  beforeEach(async () => {
    world = await start();
  });
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.close()));
    await world.close();
  });

  function open(credentials: Credentials, events: DiscoveryEvents, app = "", profile?: Profile): DiscoverySession {
    let current = profile;
    const options = profile ? { app, profile: () => current! } : { app };
    const opened = world.discovery().open(world.host, credentials, events, options);
    const session: DiscoverySession = {
      ...opened,
      setProfile(changed) {
        current = changed;
        return opened.setProfile?.(changed) ?? false;
      },
    };
    sessions.push(session);
    return session;
  }

  async function login(credentials: Credentials, app: string | undefined, profile?: Profile): Promise<Login> {
    const recorder = createEventRecorder();
    const session = open(credentials, recorder.events, app, profile);
    const [outcome, snapshot] = await recorder.until(([event]) => event === "online" || event === "ended");
    expect(outcome).toBe("online");
    return { ...recorder, session, snapshot: snapshot as Snapshot, id: (snapshot as Snapshot).self.id };
  }

  return {
    get world() {
      return world;
    },
    open,
    signIn: (username, app, profile) => login(world.credentials(username), app, profile),
    enter: (room, name, app) => login({ room, name }, app),
  };
}

/** Looks for the arrival of that peer. */
export const connects =
  (id: PeerId) =>
  ([event, peer]: RecordedEvent): boolean =>
    event === "peerConnect" && (peer as { id: PeerId }).id === id;

/** Looks for its going. */
export const disconnects =
  (id: PeerId) =>
  ([event, gone]: RecordedEvent): boolean =>
    event === "peerDisconnect" && gone === id;

/** Looks for what another peer sent. */
export const isSignal = ([event]: RecordedEvent): boolean => event === "signal";
