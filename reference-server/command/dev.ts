import { defaultLog } from "../log.ts";
import { anyLoopback } from "../origin.ts";
import { type BonevalueServer, createServer, type ServerOptions } from "../server.ts";
import type { Flags } from "./flags.ts";
import { untilStopped } from "./until-stopped.ts";

/** Flags of `dev`. */
export interface DevValues {
  readonly port?: string;
}

/** Descriptions of the flags of `dev`. */
export const devFlags: Flags<DevValues> = {
  port: { value: "PORT", help: "The first port to try. Default 8000." },
};

// Fixed, so that a page still signs in after a restart. Only programs and pages of this machine can.
const accounts = [
  { username: "ann", password: "password of ann", alias: "Ann" },
  { username: "bob", password: "password of bob", alias: "Bob" },
] as const;

/** Runs a server for development, with its data in memory, until SIGTERM or SIGINT. */
export async function dev({ port = "8000" }: DevValues): Promise<number> {
  if (!/^\d+$/.test(port)) throw new Error(`--port must be a number, not "${port}".`);
  const server = await listenFrom(Number(port), {
    store: ":memory:",
    rooms: true,
    // With listed origins, the host name of a request does not count: it may lead here by DNS rebinding.
    origins: [anyLoopback],
    log: defaultLog("warn"),
  });
  const [ann, bob] = accounts;
  for (const { username, password } of accounts) await server.accounts.add(username, password);
  await server.accounts.trust(ann.username, bob.alias, bob.username, ann.alias);
  const stopped = untilStopped(process.env);
  console.log(describe(new URL(server.url).host));
  await stopped;
  await server.close();
  return 0;
}

// A range in which every port is in use is no accident.
const maxAttempts = 100;

/** Starts a server on the first free port from `first`. */
async function listenFrom(first: number, options: ServerOptions): Promise<BonevalueServer> {
  for (let port = first; ; port++) {
    try {
      return await createServer({ ...options, port });
    } catch (error) {
      const isLast = port === first + maxAttempts || port === 65_535;
      if (isLast || !isPortInUse(error)) throw error;
    }
  }
}

function isPortInUse(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
}

function describe(host: string): string {
  const list = accounts.map(
    ({ username, password }) => `  await client.connect("${host}", "${username}", "${password}");`,
  );
  return `A bonevalue server for development is at ${host}, for pages of this machine.
It keeps nothing when it stops. Ctrl-C stops it.

Pages that run this greet each other:

import { createClient } from "bonevalue";

const client = createClient();
client.module("Greet", ({ request, peer }) => \`Hello \${peer.name}, this is \${request}\`);
client.on("peerconnect", async (peer) => {
  console.log(await client.get(peer.id).call("Greet", client.getId()).first());
});
await client.connect("${host}", { room: "demo", name: "Ann" });

That is a room, where nobody needs an account. Two accounts that trust each other:

${list.join("\n")}
`;
}
