import { randomUUID } from "node:crypto";
import { type Clock, systemClock } from "../clock.ts";
import type { BusMessage, Cluster, Login, NodeEvents } from "./cluster.ts";
import { createCounters } from "./counters.ts";

/** Creates a cluster inside one process, usually of a single server. */
export function createLocalCluster(clock: Clock = systemClock): Cluster {
  const nodes = new Map<string, NodeEvents>();
  const groups = new Map<string, Map<string, Login>>();
  const counters = createCounters(clock);
  let lastEpoch = 0;

  function deliver(node: string, message: BusMessage): void {
    // Asynchronous, as over a network: the receiver's reply never changes the sender's state in the middle of a step.
    queueMicrotask(() => nodes.get(node)?.message(message));
  }

  function remove(login: Login): boolean {
    const peers = groups.get(login.group);
    if (peers?.get(login.id)?.epoch !== login.epoch) return false;
    peers.delete(login.id);
    if (peers.size === 0) groups.delete(login.group);
    return true;
  }

  return {
    async join(events) {
      const node: string = randomUUID();
      nodes.set(node, events);

      function broadcast(message: BusMessage): void {
        for (const other of nodes.keys()) if (other !== node) deliver(other, message);
      }

      return {
        id: node,
        async claim(group, id, name, profile) {
          const peers = groups.get(group) ?? new Map<string, Login>();
          groups.set(group, peers);
          const before = peers.get(id);
          lastEpoch = Math.max(lastEpoch + 1, clock.now());
          const login = { id, group, name, profile, node, epoch: lastEpoch };
          peers.set(id, login);
          if (before) deliver(before.node, { kind: "superseded", id, epoch: before.epoch });
          return { login, resumed: before !== undefined };
        },
        async update(login) {
          const peers = groups.get(login.group);
          if (peers?.get(login.id)?.epoch === login.epoch) peers.set(login.id, login);
        },
        release: async (login) => remove(login),
        online: async (asked) => ({
          logins: asked.flatMap((group) => [...(groups.get(group)?.values() ?? [])]),
          complete: true,
        }),
        send: deliver,
        broadcast,
        consume: counters.consume,
        refund: counters.refund,
        async leave() {
          nodes.delete(node);
          const logins = [...groups.values()].flatMap((peers) =>
            [...peers.values()].filter((peer) => peer.node === node),
          );
          for (const login of logins) remove(login);
          if (logins.length > 0) broadcast({ kind: "leave", logins, lost: true });
        },
      };
    },
  };
}
