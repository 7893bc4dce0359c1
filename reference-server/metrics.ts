import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { closeCode } from "../core/protocol/close-code.ts";

/** Metrics for Prometheus. Labels never contain a name or an address. */
export interface Metrics {
  /** Counts a sign-in. `outcome`: `ok`, or the code of the refusal. */
  signIn(how: "password" | "session" | "device" | "token" | "invitation" | "room", outcome: string): void;
  relay(outcome: "passed" | "refused"): void;
  request(type: string, outcome: string): void;
  closed(code: number): void;
  /** Counts a relayed link that a limit refused, a wrong ticket, or a relayed link that ended before both sides had joined. */
  relayRefused(reason: "account" | "server" | "ticket" | "incomplete"): void;
  relayedBytes(bytes: number): void;
  /** Observes the seconds from a password's arrival to its hash. */
  password(seconds: number): void;
  /** Resolves to the content type and the text of all metrics. */
  text(): Promise<readonly [type: string, text: string]>;
}

// Clients may close with any code; an unknown one must not create a new series.
const usualCodes: ReadonlySet<number> = new Set([...Object.values(closeCode), 1005, 1006]);

/** Creates the metrics. Gauges read `count` on each request. */
export function createMetrics(count: { sockets(): number; online(): number; pipes(): number }): Metrics {
  const registry = new Registry();
  const registers = [registry];

  function counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `bonevalue_${name}_total`, help, labelNames, registers });
  }
  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read());
      },
    });
  }

  gauge("bonevalue_sockets", "Open sockets, signed in or not", count.sockets);
  gauge("bonevalue_peers_online", "Peers of this node, including those within their grace period", count.online);
  gauge("bonevalue_relay_pipes", "Relayed links, including those that wait for a side", count.pipes);
  gauge("process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
  const signIns = counter("sign_ins", "Sign-ins, by kind of credentials and outcome", ["how", "outcome"]);
  const relays = counter("relays", "Relayed signals", ["outcome"]);
  const requests = counter("requests", "Requests that expect an answer", ["type", "outcome"]);
  const closes = counter("closes", "Closed sockets, by close code", ["code"]);
  const relayRefusals = counter("relay_refusals", "Relayed links that were not opened", ["reason"]);
  const relayBytes = counter("relay_bytes", "Bytes of the messages of relayed links", []);
  const passwords = new Histogram({
    ...{ name: "bonevalue_password_seconds", help: "From a password's arrival to its hash", registers },
    buckets: [0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  });

  return {
    signIn: (how, outcome) => signIns.inc({ how, outcome }),
    relay: (outcome) => relays.inc({ outcome }),
    request: (type, outcome) => requests.inc({ type, outcome }),
    closed: (code) => closes.inc({ code: usualCodes.has(code) ? code : "other" }),
    relayRefused: (reason) => relayRefusals.inc({ reason }),
    relayedBytes: (bytes) => relayBytes.inc(bytes),
    password: (seconds) => passwords.observe(seconds),
    text: async () => [registry.contentType, await registry.metrics()],
  };
}
