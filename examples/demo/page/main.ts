import { createClient } from "bonevalue";
import { element, part } from "./element.ts";
import { openRoom } from "./room.ts";

/** An account of this demo. Its password is made up anew whenever the demo starts. */
interface Account {
  readonly username: string;
  readonly password: string;
}

const client = createClient();
const welcome = part("welcome", HTMLElement);
const room = part("room", HTMLElement);
const me = part("me", HTMLElement);
const problem = part("problem", HTMLElement);
const accounts: readonly Account[] = await (await fetch("/accounts.json")).json();
const names = accounts.map(({ username }) => username);
const buttons = accounts.map((account, index) => {
  const button = element("button", { type: "button", "data-tone": String(index) }, `Sign in as ${account.username}`);
  button.addEventListener("click", () => signIn(account));
  return button;
});
let leave = () => {};

async function signIn({ username, password }: Account): Promise<void> {
  problem.textContent = "";
  for (const button of buttons) button.disabled = true;
  try {
    const signedIn = new AbortController();
    leave = () => signedIn.abort();
    openRoom(client, { accounts: names, self: username }, signedIn.signal);
    await client.connect(location.origin, username, password);
    history.replaceState(null, "", `#${username}`);
    show(true);
    part("text", HTMLInputElement).focus();
  } catch (error) {
    problem.textContent = error instanceof Error ? error.message : String(error);
    show(false);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

function show(signedIn: boolean): void {
  if (!signedIn) leave();
  welcome.hidden = signedIn;
  room.hidden = !signedIn;
  me.hidden = !signedIn;
}

part("accounts", HTMLElement).append(...buttons);
part("more", HTMLElement).append(
  ...names.map((name) => element("a", { href: `#${name}`, target: "_blank", rel: "noopener" }, `a tab as ${name}`)),
);
part("sign-out", HTMLButtonElement).addEventListener("click", () => {
  history.replaceState(null, "", location.pathname);
  void client.disconnect();
});
client.status.subscribe((status) => {
  if (status === "offline") show(false);
});
client.on("disconnect", (reason) => {
  if (client.status.peek() === "offline") problem.textContent = reason?.message ?? "";
});

const wanted = accounts.find(({ username }) => location.hash === `#${username}`);
if (wanted) void signIn(wanted);
