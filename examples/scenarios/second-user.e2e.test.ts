import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { type Login, loginPage, signIn } from "./login.ts";

let stage: Stage;
let server: ServerProcess;

const password = "a password of my own";

beforeAll(async () => {
  [stage, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test" } })]);
});

afterAll(() => Promise.all([stage.close(), server.stop()]));

test("a second user is invited, claims a token, and four peers of two accounts all answer each other", async () => {
  const ann = await signInTwice({ username: "ann", password: "test" });
  await acceptInvitation(await server.invite("oli@example.org"));
  const oli = await signInTwice({ username: "oli@example.org", password });
  expect(await ann[0]!.peers()).toEqual([`Us ${ann[1]!.id}`]);
  expect(await oli[0]!.peers()).toEqual([`Us ${oli[1]!.id}`]);

  await trust(ann[0]!, oli[0]!);
  await Promise.all([
    ...ann.flatMap((login) => [login.tab.says("newuser Oli"), ...oli.map((other) => login.meets(other, "Oli"))]),
    ...oli.flatMap((login) => [login.tab.says("newuser Ann"), ...ann.map((other) => login.meets(other, "Ann"))]),
  ]);
  expect(await ann[1]!.tab.page.evaluate(() => $BV.users.peek())).toEqual(["Oli"]);
  expect(await oli[1]!.tab.page.evaluate(() => $BV.users.peek())).toEqual(["Ann"]);

  const answers = await Promise.all([...ann, ...oli].map((login) => login.call("*")));
  expect(answers).toEqual([
    expected(ann[1]!, oli, "Oli"),
    expected(ann[0]!, oli, "Oli"),
    expected(oli[1]!, ann, "Ann"),
    expected(oli[0]!, ann, "Ann"),
  ]);
  expect(await ann[0]!.call("Oli")).toEqual(expected(undefined, oli, "Oli"));
  expect(await oli[0]!.call("Us")).toEqual(expected(oli[1], [], "Ann"));
});

test("an invitation is a credential, and serves once", async () => {
  const { link } = await server.invite("eve@example.org");
  const invite = new URL(link).hash.slice(1);
  await signIn(stage, server.url, { invite, password });
  const tab = await stage.open({ html: loginPage });
  const outcome = await tab.page.evaluate(
    ([host, credentials]) => $BV.connect(host, credentials).catch(({ code }) => code),
    [server.url, { invite, password: "another's password" }] as const,
  );
  expect(outcome).toBe("token-invalid");
});

/** As the invited person does: follows the link and chooses a password there. */
async function acceptInvitation({ link }: { link: string }): Promise<void> {
  const { page, close } = await stage.open(link);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button").click();
  await page.getByText("Your account is ready").waitFor();
  await close();
}

async function signInTwice(credentials: { username: string; password: string }): Promise<readonly Login[]> {
  return [await signIn(stage, server.url, credentials), await signIn(stage, server.url, credentials)];
}

/** `ann` asks for a token, and hands it to `oli`, who claims it. */
async function trust(ann: Login, oli: Login): Promise<void> {
  const token = await ann.tab.page.evaluate(
    () => new Promise<string>((resolve) => $BV.requestToken("Oli", (data) => resolve(data.token))),
  );
  await oli.tab.page.evaluate((token) => $BV.claimToken("Ann", token), token);
}

function expected(us: Login | undefined, others: readonly Login[], name: string): readonly string[] {
  const ours = us ? [`Us ${us.id} Not Friday`] : [];
  return [...ours, ...others.map(({ id }) => `${name} ${id} Not Friday`)].sort();
}
