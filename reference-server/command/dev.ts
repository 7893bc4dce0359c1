import { createDevelopmentServer, developmentAccounts } from "../development.ts";
import type { BonevalueServer } from "../server.ts";
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

/** Runs a server for development, with its data in memory, until SIGTERM or SIGINT. */
export async function dev({ port = "8000" }: DevValues): Promise<number> {
  if (!/^\d+$/.test(port)) throw new Error(`--port must be a number, not "${port}".`);
  const server = await listenFrom(Number(port));
  const stopped = untilStopped(process.env);
  console.log(describe(new URL(server.url).host));
  await stopped;
  await server.close();
  return 0;
}

// A range in which every port is in use is no accident.
const maxAttempts = 100;

/** Starts a server on the first free port from `first`. */
async function listenFrom(first: number): Promise<BonevalueServer> {
  for (let port = first; ; port++) {
    try {
      return await createDevelopmentServer({ port });
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
  const list = developmentAccounts.map(
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
