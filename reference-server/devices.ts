import type { Clock } from "./clock.ts";
import type { ServerLimits } from "./limits.ts";
import { hashOf, newPeerId, newSecret } from "./secrets.ts";
import type { Device, Session, Store } from "./store/store.ts";

/** The devices on which accounts stay signed in. */
export interface Devices {
  /** Remembers a device, to which the session of `peer` belongs from now on. Undefined if that session has ended. */
  add(username: string, peer: string): Promise<{ readonly id: string; readonly secret: string } | undefined>;
  /** Adds a session for a device by its secret. Undefined if the device is unknown, or was unused for too long. */
  startSession(secret: string, session: Pick<Session, "hash" | "peer" | "app" | "seen">): Promise<Session | undefined>;
  list(username: string): Promise<readonly Device[]>;
  /** Forgets a device and ends its sessions; resolves to their peers. */
  forget(username: string, id: string): Promise<readonly string[]>;
}

/** Creates the devices of a store. Undefined for a store of an app that cannot keep them. */
export function createDevices(store: Store, clock: Clock, limits: ServerLimits): Devices | undefined {
  const { addDevice, addSessionFrom, devices, forgetDevice } = store;
  if (!addDevice || !addSessionFrom || !devices || !forgetDevice) return undefined;
  return {
    async add(username, peer) {
      const [id, secret] = [newPeerId(), newSecret()];
      const now = clock.now();
      const device = { id, hash: hashOf(secret), username, created: now, used: now };
      return (await addDevice(device, peer, limits.devicesPerAccount)) ? { id, secret } : undefined;
    },
    startSession: (secret, session) =>
      addSessionFrom({ device: hashOf(secret) }, session, session.seen - limits.deviceAge, limits.sessionsPerAccount),
    async list(username) {
      const since = clock.now() - limits.deviceAge;
      return (await devices(username)).filter(({ used }) => used > since);
    },
    forget: forgetDevice,
  };
}
