import { BonevalueError } from "../../errors.ts";
import type { PeerId } from "../../peer.ts";
import type { Device } from "../discovery.ts";

/** A session that a later page can continue. */
export interface KeptSession {
  readonly secret: string;
  readonly username: string;
  readonly room?: string | undefined;
  readonly peer: PeerId;
  /** The id of the device that it belongs to. */
  readonly device: string | undefined;
}

/** The sessions and devices of the memory server, by their secrets. */
export interface Secrets {
  /** Starts a session. */
  start(who: Pick<KeptSession, "username" | "room">, peer: PeerId, device?: string): KeptSession;
  /** Returns a session. Throws `unauthenticated` if it has ended. */
  find(secret: string): KeptSession;
  /** Ends a session, and with its device all that belong to it. Returns the peers of these. */
  end(session: KeptSession): readonly PeerId[];
  /** Ends all sessions of a user, and forgets all devices, except one session and its device. */
  endOthers(username: string, kept: KeptSession | undefined): void;

  addDevice(username: string): { readonly id: string; readonly secret: string };
  /** Returns the user and the id of a device. Throws `unauthenticated` if it has been forgotten. */
  findDevice(secret: string): { readonly username: string; readonly id: string };
  devices(username: string, current: string | undefined): readonly Device[];
  /** Forgets a device. Returns the peers whose sessions have ended. */
  forget(username: string, id: string): readonly PeerId[];
}

interface KeptDevice {
  readonly id: string;
  readonly username: string;
  readonly created: Date;
  lastUsed: Date;
}

/** Creates a table without sessions. `newSecret` returns a new secret at each call. */
export function createSecrets(newSecret: () => string): Secrets {
  const sessions = new Map<string, KeptSession>();
  const devices = new Map<string, KeptDevice>();

  function forget(username: string, id: string): readonly PeerId[] {
    for (const [secret, device] of devices)
      if (device.id === id && device.username === username) devices.delete(secret);
    const ended = [...sessions.values()].filter((session) => session.device === id && session.username === username);
    for (const { secret } of ended) sessions.delete(secret);
    return ended.map(({ peer }) => peer);
  }

  return {
    start({ username, room }, peer, device) {
      const session = { secret: newSecret(), username, room, peer, device };
      sessions.set(session.secret, session);
      return session;
    },
    find(secret) {
      const session = sessions.get(secret);
      if (session) return session;
      throw new BonevalueError("unauthenticated", "This session has ended. Sign in again.");
    },
    end({ secret, username, device }) {
      sessions.delete(secret);
      return device === undefined ? [] : forget(username, device);
    },
    endOthers(username, kept) {
      for (const [secret, session] of sessions)
        if (session.room === undefined && session.username === username && secret !== kept?.secret)
          sessions.delete(secret);
      for (const [secret, device] of devices)
        if (device.username === username && device.id !== kept?.device) devices.delete(secret);
    },
    addDevice(username) {
      const [id, secret, now] = [newSecret(), newSecret(), new Date()];
      devices.set(secret, { id, username, created: now, lastUsed: now });
      return { id, secret };
    },
    findDevice(secret) {
      const device = devices.get(secret);
      if (!device) throw new BonevalueError("unauthenticated", "This device is not remembered. Sign in again.");
      device.lastUsed = new Date();
      return device;
    },
    devices: (username, current) =>
      [...devices.values()]
        .filter((device) => device.username === username)
        .map(({ id, created, lastUsed }) => ({ id, created, lastUsed, current: id === current })),
    forget,
  };
}
