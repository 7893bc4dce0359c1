import type { DiscoveryEvents } from "../discovery.ts";

/** The name of one event, then its arguments. Errors are recorded as their codes. */
export type RecordedEvent = readonly [name: keyof DiscoveryEvents, ...unknown[]];

/** Records every event of a session. */
export interface EventRecorder {
  readonly events: DiscoveryEvents;
  readonly recorded: readonly RecordedEvent[];
  /** Resolves with the first event, recorded already or later, that `matches`. */
  until(matches: (event: RecordedEvent) => boolean): Promise<RecordedEvent>;
}

/** Creates a recorder without events. */
export function createEventRecorder(): EventRecorder {
  const recorded: RecordedEvent[] = [];
  const waiting = new Set<(event: RecordedEvent) => void>();

  const record = (...event: RecordedEvent) => {
    recorded.push(event);
    for (const check of [...waiting]) check(event);
  };
  const recordAs =
    (name: keyof DiscoveryEvents) =>
    (...args: unknown[]) =>
      record(name, ...args);

  return {
    recorded,
    until(matches) {
      const past = recorded.find(matches);
      if (past) return Promise.resolve(past);
      return new Promise((resolve) => {
        waiting.add(function check(event) {
          if (!matches(event)) return;
          waiting.delete(check);
          resolve(event);
        });
      });
    },
    events: {
      online: recordAs("online"),
      interrupted: (reason) => record("interrupted", reason.code),
      ended: (reason) => record("ended", reason.code),
      peerConnect: recordAs("peerConnect"),
      peerDisconnect: recordAs("peerDisconnect"),
      peerUpdate: recordAs("peerUpdate"),
      userAdd: recordAs("userAdd"),
      userRemove: recordAs("userRemove"),
      iceServers: recordAs("iceServers"),
      signal: recordAs("signal"),
      unreachable: recordAs("unreachable"),
      woke: recordAs("woke"),
    },
  };
}
