import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { haveMet, type Login, signIn } from "./login.ts";

let stage: Stage;
let server: ServerProcess;

beforeAll(async () => {
  [stage, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test" } })]);
});

afterAll(() => Promise.all([stage.close(), server.stop()]));

test("four peers each call everybody, and all twelve answers arrive", async () => {
  const logins: Login[] = [];
  for (let login = 0; login < 4; login++) {
    logins.push(await signIn(stage, server.url, { username: "ann", password: "test" }));
  }
  await haveMet(logins);
  const answers = await Promise.all(logins.map((login) => login.call("*")));
  expect(answers).toEqual(
    logins.map((login) =>
      logins
        .filter((other) => other !== login)
        .map(({ id }) => `Us ${id} Not Friday`)
        .sort(),
    ),
  );
  expect(answers.flat()).toHaveLength(12);
});
