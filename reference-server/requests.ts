import type { ToClient, ToServer } from "../core/protocol/messages.ts";
import type { Accounts, Changer, Invited } from "./accounts.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import type { Log } from "./log.ts";
import { checkedEmail } from "./names.ts";
import type { Presence } from "./presence.ts";
import { Refusal } from "./refusal.ts";
import type { Request } from "./session.ts";
import type { Tokens } from "./trust.ts";

/** What answering stands on. Where the app has accounts or relationships of its own, theirs are undefined. */
export interface RequestsParts {
  readonly accounts: Accounts | undefined;
  readonly tokens: Tokens | undefined;
  readonly presence: Presence;
  readonly guard: AttemptLimiter;
  readonly log: Log;
  readonly mail: (to: string, invitation: Invited) => Promise<void>;
}

/** An answer's type and data. */
export type Answer = { [Type in keyof ToClient]: readonly [Type, ToClient[Type]] }[keyof ToClient];

type Handlers = { [Type in Request["type"]]: (me: Changer, data: ToServer[Type]) => Promise<Answer> };

/** Answers the requests of somebody signed in; rejects with a refusal. */
export function createRequests(parts: RequestsParts): (me: Changer, request: Request) => Promise<Answer> {
  const { presence, guard, log } = parts;

  async function deliver(email: string): Promise<void> {
    const invitation = await offered(parts.accounts).invite(email);
    await parts.mail(email, invitation);
  }

  const handlers: Handlers = {
    async inviteUser({ user }, data) {
      offered(parts.accounts);
      const email = checkedEmail(data.email);
      await guard.invitation(user);
      // Not awaited: neither the answer nor its time tells who has an account.
      deliver(email).catch((error: unknown) => log.warn({ error }, "an invitation was not sent"));
      return ["inviteResponse", {}];
    },
    async requestToken({ user }, { name }) {
      const tokens = offered(parts.tokens);
      await guard.token(user);
      const { token, expires } = await tokens.request(user, name);
      return ["tokenResponse", { token, expires: new Date(expires).toISOString() }];
    },
    async claimToken({ user, address }, { name, token }) {
      const tokens = offered(parts.tokens);
      await guard.claim(user, address);
      const maker = await tokens.claim(user, name, token);
      await presence.trustChanged([user, maker]);
      return ["claimResponse", { name }];
    },
    async removeUser({ user }, { name }) {
      const other = await offered(parts.tokens).remove(user, name);
      await presence.trustChanged([user, other]);
      return ["removeResponse", { name }];
    },
    async changePassword(me, { current, password }) {
      const session = await offered(parts.accounts).changePassword(me, current, password);
      presence.revoke(me.user, me.id);
      return ["passwordResponse", { session }];
    },
  };

  return (me, { type, data }) => {
    const handler = handlers[type] as (me: Changer, data: unknown) => Promise<Answer>;
    return handler(me, data);
  };
}

function offered<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Refusal("unsupported", "On this server the app itself takes care of that.");
  return part;
}
