import { us } from "../../core/protocol/alias.ts";
import type { Received, TestClient } from "./test-client.ts";

/** The state of a client by its frames, and the violations of the protocol's order. */
export interface Tracker {
  readonly users: ReadonlySet<string>;
  /** Names by peer id. */
  readonly peers: ReadonlyMap<string, string>;
  readonly signals: readonly { readonly from: string; readonly signal: any }[];
  readonly violations: readonly string[];
}

/** Tracks the frames of a client from the first. */
export function track(client: TestClient, onSignal: (from: string, signal: any) => void = () => {}): Tracker {
  const users = new Set<string>();
  const peers = new Map<string, string>();
  const signals: { from: string; signal: any }[] = [];
  const breaches: string[] = [];
  let listed = false;

  const must = (holds: boolean, what: string) => {
    if (!holds) breaches.push(what);
  };
  const on: Record<string, (frame: Received) => void> = {
    userList({ data }) {
      for (const name of data) users.add(name);
    },
    peerList({ data }) {
      for (const { name, id } of data) peers.set(id, name);
      listed = true;
    },
    userAdd({ data }) {
      must(!users.has(data), `userAdd ${data} twice`);
      users.add(data);
    },
    userRemove({ data }) {
      must(users.delete(data), `userRemove of unknown ${data}`);
      must(![...peers.values()].includes(data), `userRemove ${data} before its peers`);
    },
    peerConnect({ data: { name, id } }) {
      must(listed, "peerConnect before the lists");
      must(!peers.has(id), `peerConnect ${id} twice`);
      must(name === us || users.has(name), `peerConnect before userAdd ${name}`);
      peers.set(id, name);
    },
    peerDisconnect({ data }) {
      must(peers.delete(data), `peerDisconnect of unknown ${data}`);
    },
    peerRequest({ data: { from, signal } }) {
      must(peers.has(from), `a signal from unknown ${from}`);
      signals.push({ from, signal });
      onSignal(from, signal);
    },
  };

  for (const frame of client.received) on[frame.type]?.(frame);
  client.socket.on("message", (bytes) => {
    const frame: Received = JSON.parse(String(bytes));
    on[frame.type]?.(frame);
  });
  return { users, peers, signals, violations: breaches };
}
