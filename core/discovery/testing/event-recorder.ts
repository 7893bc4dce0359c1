import type { DiscoveryEvents } from "../discovery.ts";

/** One event, as its name and what came with it; errors as their codes. */
export type Told = readonly [name: keyof DiscoveryEvents, ...unknown[]];

/** Events that write themselves down. */
export interface Recorder {
  readonly events: DiscoveryEvents;
  readonly told: readonly Told[];
  /** Resolves with the first event, past or to come, that `matches`. */
  until(matches: (told: Told) => boolean): Promise<Told>;
}

/** With nothing written yet. */
export function createRecorder(): Recorder {
  const told: Told[] = [];
  const waiting = new Set<(entry: Told) => void>();

  const write = (...entry: Told) => {
    told.push(entry);
    for (const look of [...waiting]) look(entry);
  };
  const under =
    (name: keyof DiscoveryEvents) =>
    (...args: unknown[]) =>
      write(name, ...args);

  return {
    told,
    until(matches) {
      const past = told.find(matches);
      if (past) return Promise.resolve(past);
      return new Promise((resolve) => {
        waiting.add(function look(entry) {
          if (!matches(entry)) return;
          waiting.delete(look);
          resolve(entry);
        });
      });
    },
    events: {
      online: under("online"),
      interrupted: (reason) => write("interrupted", reason.code),
      ended: (reason) => write("ended", reason.code),
      peerConnect: under("peerConnect"),
      peerDisconnect: under("peerDisconnect"),
      userAdd: under("userAdd"),
      userRemove: under("userRemove"),
      iceServers: under("iceServers"),
      signal: under("signal"),
      unreachable: under("unreachable"),
      woke: under("woke"),
    },
  };
}
