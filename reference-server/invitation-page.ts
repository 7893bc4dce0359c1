import { createHash } from "node:crypto";
import { minPasswordLength } from "../core/protocol/password.ts";

const style = `
  :root { color-scheme: light dark; --ink: #1b1d29; --soft: #666b80; --paper: #fff; --ground: #eef0f7; --mark: #4a48d4; --bad: #b3261e }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #eceef6; --soft: #a2a8bf; --paper: #1e2130; --ground: #12141d; --mark: #908eff; --bad: #ff8a80 }
  }
  * { box-sizing: border-box }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; color: var(--ink);
    background: radial-gradient(60rem 40rem at 70% -10%, color-mix(in srgb, var(--mark) 22%, transparent), transparent) var(--ground);
    font: 1rem/1.5 system-ui, sans-serif }
  main { width: min(26rem, 100%); padding: 2.25rem; border-radius: 1.25rem; background: var(--paper);
    box-shadow: 0 1px 2px #0002, 0 1.5rem 3.5rem -1.5rem #0005 }
  h1 { margin: 0 0 .5rem; overflow-wrap: anywhere; font-size: 1.5rem; line-height: 1.2; letter-spacing: -.015em }
  p { margin: 0 0 1.5rem; overflow-wrap: anywhere; color: var(--soft) }
  label { display: block; margin-bottom: .4rem; font-weight: 600; font-size: .9rem }
  input[type=password], input[type=text] { width: 100%; margin-bottom: 1rem; padding: .75rem .9rem; font: inherit; color: inherit; background: transparent;
    border: 1.5px solid color-mix(in srgb, var(--ink) 22%, transparent); border-radius: .7rem }
  input:focus-visible, button:focus-visible, a:focus-visible { outline: 3px solid color-mix(in srgb, var(--mark) 45%, transparent); outline-offset: 1px }
  input[readonly] { color: var(--soft); border-style: dashed }
  h1:focus { outline: 0 }
  #rule { margin: -.6rem 0 0; font-size: .875rem }
  .show { display: flex; gap: .5rem; align-items: center; margin: .75rem 0 1.5rem; font-weight: 400; color: var(--soft) }
  button, a { display: block; width: 100%; padding: .8rem; font: inherit; font-weight: 600; text-align: center; text-decoration: none;
    color: var(--paper); background: var(--mark); border: 0; border-radius: .7rem; cursor: pointer }
  button:disabled { opacity: .55; cursor: default }
  main > :last-child { margin-bottom: 0 }
  [role=alert] { margin: 1rem 0 0; color: var(--bad) }
  [role=alert]:empty { margin: 0 }
  [hidden] { display: none }
`;

const script = `
  const part = (id) => document.getElementById(id);
  const invite = location.hash.slice(1);
  const reload = "Reload the page to try again.";
  const say = (text) => { part("problem").textContent = text };
  let joins = false;

  onhashchange = () => location.reload();
  part("show").onchange = (event) => { part("password").type = event.target.checked ? "text" : "password" };
  if (invite) load();
  else show("This link is incomplete", "Open it again from the message that you received.");

  function show(title, lead) {
    document.title = part("title").textContent = title;
    part("lead").textContent = lead;
    part("ask").hidden = true;
    if (part("app")) part("app").hidden = false;
    part("title").focus();
  }

  async function load() {
    let answer, found;
    try {
      answer = await fetch(location.pathname, { method: "POST", body: invite });
      found = await answer.json();
    } catch {
      return show("The server cannot be reached", reload);
    }
    if (answer.status === 404) return show("This link is no longer valid",
      "The invitation was used, or it has expired. If you have accepted it, sign in to the app. Otherwise ask for a new invitation.");
    if (!answer.ok) return show("Please wait", found.message + " " + reload);
    joins = found.hasAccount;
    const { inviter } = found;
    const service = document.body.dataset.service;
    const on = service ? " on " + service : "";
    if (joins) {
      document.title = part("title").textContent = "Connect" + on;
      part("lead").textContent = inviter + " invites you to connect. Enter the password of your account to accept.";
      part("password").autocomplete = "current-password";
      part("rule").hidden = true;
      part("go").textContent = "Accept";
    } else {
      part("password").minLength = Number(part("rule").dataset.least);
      if (inviter) part("lead").textContent = inviter + " invites you" + (service ? " to " + service : "") + ". " + part("lead").textContent;
    }
    part("email").value = found.email;
    part("ask").hidden = false;
    part("password").focus();
  }

  part("ask").onsubmit = (event) => {
    event.preventDefault();
    say("");
    part("go").disabled = true;
    const where = new URL(location.pathname.replace(/invite\\/?$/, ""), location.href);
    where.protocol = location.protocol.replace("http", "ws");
    const socket = new WebSocket(where);
    let settled = false;
    const settle = (work) => { if (!settled) { settled = true; work() } };
    const fail = (text) => settle(() => { say(text); part("go").disabled = false; part("password").focus() });
    socket.onopen = () => socket.send(JSON.stringify({
      type: "acceptInvite", data: { version: 1, invite, password: part("password").value },
    }));
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === "error")
        fail(joins && frame.data.code === "unauthenticated" ? "The password is wrong." : frame.data.message);
      if (frame.type === "setPeerId") settle(() => done(frame.data.username));
      if (frame.type === "peerList") socket.send(JSON.stringify({ type: "bye", data: {} }));
    };
    socket.onclose = () => fail("The server cannot be reached. Try again.");
  };

  function done(username) {
    history.replaceState(null, "", location.pathname);
    const next = part("app") ? "" : " You can close this page.";
    if (joins) show("You are connected", "You see each other in the app from now on." + next);
    else show("Welcome", "Your account is ready. Sign in as " + username + " with your new password." + next);
  }
`;

/** The service that invites: its name, and the URL of its app. */
export interface Service {
  readonly name?: string | undefined;
  readonly appUrl?: string | undefined;
}

function html({ name, appUrl }: Service): string {
  const title = name === undefined ? "You are invited" : `You are invited to ${escapeHtml(name)}`;
  const app =
    appUrl === undefined
      ? ""
      : `<a id="app" href="${escapeHtml(appUrl)}" hidden>Open ${escapeHtml(name ?? "the app")}</a>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${style}</style>
<body data-service="${escapeHtml(name ?? "")}">
<main>
  <h1 id="title" tabindex="-1">${title}</h1>
  <p id="lead">Choose a password to create your account.</p>
  <noscript><p>This page needs JavaScript.</p></noscript>
  <form id="ask" hidden>
    <label for="email">User name</label>
    <input id="email" type="text" autocomplete="username" readonly>
    <label for="password">Password</label>
    <input id="password" type="password" autocomplete="new-password" required aria-describedby="rule problem">
    <p id="rule" data-least="${minPasswordLength}">At least ${minPasswordLength} characters.</p>
    <label class="show"><input id="show" type="checkbox"> Show password</label>
    <button id="go">Create account</button>
    <p id="problem" role="alert"></p>
  </form>
  ${app}
</main>
<script>${script}</script>
`;
}

/** Escapes text for HTML, also inside of quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Returns the page on which an invited person accepts. It contains nothing from the request; its script asks the server about
 * the invitation. Its policy allows only its own script and style, and requests and sockets to its own `host`.
 */
export function invitationPage(
  host: string,
  service: Service,
): { readonly headers: Record<string, string>; readonly html: string } {
  // In some browsers 'self' does not include WebSockets.
  const sockets = /^[\w.:[\]-]+$/.test(host) ? ` ws://${host} wss://${host}` : "";
  const policy = [
    "default-src 'none'",
    `script-src '${digest(script)}'`,
    `style-src '${digest(style)}'`,
    `connect-src 'self'${sockets}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy.join("; "),
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
    html: html(service),
  };
}

function digest(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
