import { createHash } from "node:crypto";

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
  h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.2; letter-spacing: -.015em }
  p { margin: 0 0 1.5rem; color: var(--soft) }
  label { display: block; margin-bottom: .4rem; font-weight: 600; font-size: .9rem }
  input[type=password], input[type=text] { width: 100%; padding: .75rem .9rem; font: inherit; color: inherit; background: transparent;
    border: 1.5px solid color-mix(in srgb, var(--ink) 22%, transparent); border-radius: .7rem }
  input:focus-visible, button:focus-visible { outline: 3px solid color-mix(in srgb, var(--mark) 45%, transparent); outline-offset: 1px }
  .show { display: flex; gap: .5rem; align-items: center; margin: .75rem 0 1.5rem; font-weight: 400; color: var(--soft) }
  button { width: 100%; padding: .8rem; font: inherit; font-weight: 600; color: var(--paper); background: var(--mark); border: 0;
    border-radius: .7rem; cursor: pointer }
  button:disabled { opacity: .55; cursor: default }
  main > :last-child { margin-bottom: 0 }
  [role=alert] { margin: 1rem 0 0; color: var(--bad) }
  [role=alert]:empty { margin: 0 }
  [hidden] { display: none }
`;

const script = `
  const part = (id) => document.getElementById(id);
  const invite = location.hash.slice(1);
  const say = (text) => { part("problem").textContent = text };

  if (!invite) {
    part("ask").hidden = true;
    part("lead").textContent = "This link is incomplete. Open it again from the message that you received.";
  }
  part("show").onchange = (event) => { part("password").type = event.target.checked ? "text" : "password" };
  part("ask").onsubmit = (event) => {
    event.preventDefault();
    say("");
    part("go").disabled = true;
    const where = new URL(location.pathname.replace(/invite\\/?$/, ""), location.href);
    where.protocol = location.protocol.replace("http", "ws");
    const socket = new WebSocket(where);
    let settled = false;
    const settle = (work) => { if (!settled) { settled = true; work() } };
    socket.onopen = () => socket.send(JSON.stringify({
      type: "acceptInvite", data: { version: 1, invite, password: part("password").value },
    }));
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === "error") settle(() => { say(frame.data.message); part("go").disabled = false });
      if (frame.type === "setPeerId") settle(() => done(frame.data.username));
      if (frame.type === "peerList") socket.send(JSON.stringify({ type: "bye", data: {} }));
    };
    socket.onclose = () => settle(() => { say("The server cannot be reached. Try again."); part("go").disabled = false });
  };

  function done(username) {
    history.replaceState(null, "", location.pathname);
    part("ask").hidden = true;
    document.title = part("title").textContent = "Welcome";
    part("lead").textContent = "Your account is ready. Sign in as " + username + " with your new password. You can close this page.";
  }
`;

const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>You are invited</title>
<style>${style}</style>
<main>
  <h1 id="title">You are invited</h1>
  <p id="lead">Choose a password to create your account.</p>
  <form id="ask">
    <label for="password">Password</label>
    <input id="password" type="password" autocomplete="new-password" minlength="8" required autofocus aria-describedby="problem">
    <label class="show"><input id="show" type="checkbox"> Show password</label>
    <button id="go">Create account</button>
    <p id="problem" role="alert"></p>
  </form>
</main>
<script>${script}</script>
`;

/**
 * Returns the page on which an invited person chooses a password. It contains nothing from the request. Its policy allows
 * only its own script and style, and a socket to its own `host`.
 */
export function invitationPage(host: string): { readonly headers: Record<string, string>; readonly html: string } {
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
    html,
  };
}

function digest(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
