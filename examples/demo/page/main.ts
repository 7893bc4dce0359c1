import { createClient } from "bonevalue";
import { createElement, getElement } from "./element.ts";
import { showSession } from "./session.ts";

/** A demo account. */
interface Account {
  readonly username: string;
  readonly password: string;
}

const client = createClient();
const welcome = getElement("welcome", HTMLElement);
const room = getElement("room", HTMLElement);
const me = getElement("me", HTMLElement);
const problem = getElement("problem", HTMLElement);
const accounts: readonly Account[] = await (await fetch("/accounts.json")).json();
const names = accounts.map(({ username }) => username);
const buttons = accounts.map((account, index) => {
  const button = createElement(
    "button",
    { type: "button", "data-tone": String(index) },
    `Sign in as ${account.username}`,
  );
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
    showSession(client, { accounts: names, self: username }, signedIn.signal);
    await client.connect(location.origin, username, password);
    history.replaceState(null, "", `#${username}`);
    show(true);
    // On a narrow screen the page begins with who is online.
    getElement("text", HTMLInputElement).focus({ preventScroll: true });
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

getElement("accounts", HTMLElement).append(...buttons);
getElement("more", HTMLElement).append(
  ...names.map((name) =>
    createElement("a", { href: `#${name}`, target: "_blank", rel: "noopener" }, `a tab as ${name}`),
  ),
);
getElement("sign-out", HTMLButtonElement).addEventListener("click", () => {
  history.replaceState(null, "", location.pathname);
  void client.disconnect();
});
client.status.subscribe((status) => {
  if (status === "offline") show(false);
});
client.on("disconnect", (reason) => {
  if (client.status.peek() === "offline") problem.textContent = reason?.message ?? "";
});

const accountFromUrl = accounts.find(({ username }) => location.hash === `#${username}`);
if (accountFromUrl) void signIn(accountFromUrl);
