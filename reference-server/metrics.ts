import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { closeCode } from "../core/protocol/close-code.ts";

/** Metrics for Prometheus. Labels never contain a name or an address. */
export interface Metrics {
  /** Counts a sign-in. `outcome`: `ok`, or the code of the refusal. */
  signIn(how: "password" | "session" | "device" | "token" | "invitation" | "room", outcome: string): void;
  relay(outcome: "passed" | "refused"): void;
  request(type: string, outcome: string): void;
  closed(code: number): void;
  /** Observes the seconds from a password's arrival to its hash. */
  password(seconds: number): void;
  /** Resolves to the content type and the text of all metrics. */
  text(): Promise<readonly [type: string, text: string]>;
}

// Clients may close with any code; an unknown one must not create a new series.
const usualCodes: ReadonlySet<number> = new Set([...Object.values(closeCode), 1005, 1006]);

/** Creates the metrics. `sockets` and `online` are read on each request. */
export function createMetrics(sockets: () => number, online: () => number): Metrics {
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

  gauge("bonevalue_sockets", "Open sockets, signed in or not", sockets);
  gauge("bonevalue_peers_online", "Peers of this node, including those within their grace period", online);
  gauge("process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
  const signIns = counter("sign_ins", "Sign-ins, by kind of credentials and outcome", ["how", "outcome"]);
  const relays = counter("relays", "Relayed signals", ["outcome"]);
  const requests = counter("requests", "Requests that expect an answer", ["type", "outcome"]);
  const closes = counter("closes", "Closed sockets, by close code", ["code"]);
  const passwords = new Histogram({
    ...{ name: "bonevalue_password_seconds", help: "From a password's arrival to its hash", registers },
    buckets: [0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  });

  return {
    signIn: (how, outcome) => signIns.inc({ how, outcome }),
    relay: (outcome) => relays.inc({ outcome }),
    request: (type, outcome) => requests.inc({ type, outcome }),
    closed: (code) => closes.inc({ code: usualCodes.has(code) ? code : "other" }),
    password: (seconds) => passwords.observe(seconds),
    text: async () => [registry.contentType, await registry.metrics()],
  };
}
