import type { Connection, Service } from "../links/connection.ts";
import { unpackValue } from "../wire/codec.ts";
import { Kind, PresenceStep } from "../wire/frames.ts";
import { protocolError } from "../wire/protocol-error.ts";
import { maxNames, maxPresenceNameLength, type Presence, type PresenceLink } from "./presence.ts";

/**
 * Carries the presence frames of a connection. It remembers what the peer subscribes to, since the page may offer it later.
 */
export function servePresence(presence: Presence, connection: Connection<any>): Service {
  const link: PresenceLink = {
    connection,
    requested: new Set(),
    versions: new Map(),
    acks: new Map(),
    unpack: unpackValue,
  };
  const { requested } = link;
  presence.links.set(connection, link);
  return {
    get isIdle() {
      return !presence.engine?.isInUse(link);
    },
    opened: () => presence.engine?.onOpened(link),
    receive(frame, channel) {
      if (frame[0] !== Kind.presence) return;
      const { engine } = presence;
      const [, step, name, version = 0, value] = frame;
      if (channel === "lossy" && step !== PresenceStep.value) throw protocolError("an unexpected frame");
      if (step === PresenceStep.subscribe) {
        if (requested.has(name)) return;
        if (requested.size >= maxNames || name.length > maxPresenceNameLength)
          throw protocolError("more than is allowed");
        requested.add(name);
        engine?.onSubscribe(link, name);
      } else if (step === PresenceStep.stop) {
        if (requested.delete(name)) engine?.onStop(link, name);
      } else if (!engine) throw protocolError("an unexpected frame");
      else if (step === PresenceStep.value) engine.onValue(link, name, version, value, channel === "lossy");
      else engine.onAck(link, name, version);
    },
    end() {
      presence.links.delete(connection);
      presence.engine?.onEnd(link);
    },
  };
}
