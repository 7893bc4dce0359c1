import type { ToClient, ToServer } from "../core/protocol/messages.ts";
import type { Accounts, InvitationFrom, InvitationLink, Requester } from "./accounts.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import type { Devices } from "./devices.ts";
import type { Log } from "./log.ts";
import { checkedEmail } from "./names.ts";
import type { Presence } from "./presence.ts";
import { Refusal } from "./refusal.ts";
import type { AccountRequest } from "./session.ts";
import type { Tokens } from "./trust.ts";

/** Dependencies of the request handlers. A part is undefined if the server does not support it. */
export interface RequestsParts {
  readonly accounts: Accounts | undefined;
  readonly tokens: Tokens | undefined;
  readonly devices: Devices | undefined;
  readonly presence: Presence;
  readonly limiter: AttemptLimiter;
  readonly log: Log;
  readonly mail: (to: string, invitation: InvitationLink) => Promise<void>;
}

/** The type and data of an answer. */
export type Answer = { [Type in keyof ToClient]: readonly [Type, ToClient[Type]] }[keyof ToClient];

type Handlers = { [Type in AccountRequest["type"]]: (me: Requester, data: ToServer[Type]) => Promise<Answer> };

/** Creates the handler of requests of signed-in clients; it rejects with a refusal. */
export function createRequests(parts: RequestsParts): (me: Requester, request: AccountRequest) => Promise<Answer> {
  const { presence, limiter, log } = parts;

  async function sendInvitation(accounts: Accounts, email: string, from: InvitationFrom): Promise<void> {
    await limiter.countMail(email);
    await parts.mail(email, await accounts.invite(email, from));
  }

  const handlers: Handlers = {
    async inviteUser({ user }, { email, alias, as }) {
      const accounts = requireSupported(parts.accounts);
      if (alias !== undefined) requireSupported(parts.tokens);
      const to = checkedEmail(email);
      const from = { from: user, alias, as };
      await limiter.countInvitation(user);
      await accounts.checkInvitation(to, from);
      // Not awaited: neither the answer nor its timing may reveal whether the address has an account.
      sendInvitation(accounts, to, from).catch((error: unknown) => log.warn({ error }, "an invitation cannot be sent"));
      return ["inviteResponse", { alias }];
    },
    async requestToken({ user }, { name }) {
      const tokens = requireSupported(parts.tokens);
      await limiter.countToken(user);
      const { token, expires } = await tokens.request(user, name);
      return ["tokenResponse", { token, expires: new Date(expires).toISOString() }];
    },
    async claimToken({ user, address }, { name, token }) {
      const tokens = requireSupported(parts.tokens);
      await limiter.countClaim(user, address);
      const maker = await tokens.claim(user, name, token);
      await presence.trustChanged([user, maker]);
      return ["claimResponse", { name }];
    },
    async removeUser({ user }, { name }) {
      const other = await requireSupported(parts.tokens).remove(user, name);
      await presence.trustChanged([user, other]);
      return ["removeResponse", { name }];
    },
    async changePassword(me, { current, password }) {
      const session = await requireSupported(parts.accounts).changePassword(me, current, password);
      presence.revoke(me.user, me.id);
      return ["passwordResponse", { session }];
    },
    async listDevices({ user, device }) {
      const found = await requireSupported(parts.devices).list(user);
      const devices = found.map(({ id, created, used }) => ({
        id,
        created: new Date(created).toISOString(),
        used: new Date(used).toISOString(),
        current: id === device,
      }));
      return ["deviceList", { devices }];
    },
    async forgetDevice({ user }, { id }) {
      presence.endSessions(await requireSupported(parts.devices).forget(user, id));
      return ["forgetResponse", {}];
    },
  };

  return (me, { type, data }) => {
    const handler = handlers[type] as (me: Requester, data: unknown) => Promise<Answer>;
    return handler(me, data);
  };
}

function requireSupported<Part>(part: Part | undefined): Part {
  if (part === undefined)
    throw new Refusal(
      "unsupported",
      "This server does not support this request: its app manages accounts or trust itself, or its store cannot keep devices.",
    );
  return part;
}
