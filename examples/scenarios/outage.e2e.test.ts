import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { haveMet, type Login, signIn } from "./login.ts";

let stage: Stage;
let folder: string;
let server: ServerProcess;
const ann = { username: "ann", password: "test" };

const megabytes = 30;
const calls = 50;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bonevalue-outage-"));
  const options = { store: join(folder, "store.sqlite") };
  [stage, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test" }, options })]);
});

afterAll(async () => {
  await Promise.all([stage.close(), server.stop()]);
  await rm(folder, { recursive: true });
});

/** Kills the server; the undo starts it anew on the same store and port. */
async function kill(): Promise<() => Promise<void>> {
  await server.kill();
  return async () => {
    server = await startServer({
      options: { store: join(folder, "store.sqlite"), port: Number(new URL(server.url).port) },
    });
  };
}

/** Answers 50 calls when told to, and streams 30 MB, which it notes to have begun. */
function offer({ tab }: Login): Promise<void> {
  return tab.page.evaluate(
    ({ megabytes, chunk }) => {
      const asked: ((answer: string) => void)[] = [];
      $BV.module("Wait", () => new Promise((resolve) => asked.push(resolve)));
      $BV.module("Release", () => {
        for (const answer of asked.splice(0)) answer("done");
      });
      $BV.module("Flood", () => ({
        async *chunks() {
          for (let sent = 0; sent < megabytes * 1_048_576; sent += chunk) yield new Uint8Array(chunk).fill(sent >> 16);
        },
      }));
      $BV.module("Bytes", async function* () {
        for (let sent = 0; sent < megabytes * 1_048_576; sent += chunk) yield new Uint8Array(chunk).fill(sent >> 16);
      });
    },
    { megabytes, chunk: 65_536 },
  );
}
