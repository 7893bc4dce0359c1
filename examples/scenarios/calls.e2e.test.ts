import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { haveMet, signIn } from "./login.ts";

let stage: Stage;
let server: ServerProcess;
const ann = { username: "ann", password: "test" };

beforeAll(async () => {
  [stage, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test" } })]);
});

afterAll(() => Promise.all([stage.close(), server.stop()]));

test("A calls B, then B calls A", async () => {
  const a = await signIn(stage, server.url, ann);
  const b = await signIn(stage, server.url, ann);
  await haveMet([a, b]);
  expect(await a.call(b.id)).toEqual([`Us ${b.id} Not Friday`]);
  expect(await b.call(a.id)).toEqual([`Us ${a.id} Not Friday`]);
  await Promise.all([a.tab.close(), b.tab.close()]);
});

test("A and B call each other at the same moment, before either has a link", async () => {
  const a = await signIn(stage, server.url, ann);
  const b = await signIn(stage, server.url, ann);
  await haveMet([a, b]);
  const [ofA, ofB] = await Promise.all([a.call("Us"), b.call("Us")]);
  expect(ofA).toEqual([`Us ${b.id} Not Friday`]);
  expect(ofB).toEqual([`Us ${a.id} Not Friday`]);
  await Promise.all([a.tab.close(), b.tab.close()]);
});
