import { isIP } from "node:net";
import { closeCode } from "../core/protocol/close-code.ts";
import { networkOf, unmapIPv4 } from "./address.ts";
import type { Clock } from "./clock.ts";
import { checkedName } from "./names.ts";
import { Refusal } from "./refusal.ts";
import type { Store, Ban as StoredBan } from "./store/store.ts";

/** Who is banned: a user, or all clients of an address. An IPv6 address stands for its /64. */
export type Banned =
  | {
      /** The user name. */
      readonly user: string;
    }
  | {
      /** An IPv4 or IPv6 address. */
      readonly address: string;
    };

/** A ban and its end. */
export type Ban = Banned & {
  /** When the ban ends. */
  readonly until: Date;
};

/** The bans, which the store keeps. This node has a copy in memory, since each sign-in needs it. */
export interface Bans {
  /** Adds a ban. It replaces an earlier one of the same user or address. */
  add(banned: Banned, until: Date): Promise<void>;
  /** Rejects if there is no such ban. */
  remove(banned: Banned): Promise<void>;
  list(): Promise<readonly Ban[]>;
  /** Reads the bans again. */
  reload(): Promise<void>;
  /** Throws a refusal if this address, or this user, is banned. */
  check(address: string, user?: string): void;
  /** Whether `check` would throw. */
  includes(address: string, user: string | undefined): boolean;
}

/** Creates the bans of a store. None is known before `reload`. */
export function createBans(store: Store, clock: Clock): Bans {
  let ends: ReadonlyMap<string, number> = new Map();

  async function read(): Promise<readonly StoredBan[]> {
    return (await store.bans?.(clock.now())) ?? [];
  }

  async function reload(): Promise<void> {
    ends = new Map((await read()).map(({ subject, until }) => [subject, until]));
  }

  function problem(address: string, user: string | undefined): string | undefined {
    const now = clock.now();
    const ofAddress = ends.get(`address ${networkOf(address)}`) ?? 0;
    if (ofAddress > now) return `This address is blocked until ${new Date(ofAddress).toUTCString()}.`;
    const ofUser = ends.get(`user ${user}`) ?? 0;
    if (user !== undefined && ofUser > now) return `This account is blocked until ${new Date(ofUser).toUTCString()}.`;
    return undefined;
  }

  return {
    async add(banned, until) {
      if (!(until.getTime() > clock.now()))
        throw new Error("The end of a ban must be a date in the future, such as 2030-12-31.");
      const add = store.addBan ?? unsupported();
      await add({ subject: subjectOf(banned), until: until.getTime() });
      await reload();
    },
    async remove(banned) {
      const remove = store.removeBan ?? unsupported();
      if (!(await remove(subjectOf(banned)))) throw new Error("There is no such ban.");
      await reload();
    },
    async list() {
      return (await read()).map(({ subject, until }) => ({ ...bannedOf(subject), until: new Date(until) }));
    },
    reload,
    check(address, user) {
      const blocked = problem(address, user);
      if (blocked !== undefined) throw new Refusal("unauthenticated", blocked, { close: closeCode.unauthenticated });
    },
    includes: (address, user) => problem(address, user) !== undefined,
  };
}

function subjectOf(banned: Banned): string {
  if ("user" in banned) return `user ${checkedName(banned.user)}`;
  const address = banned.address.replace(/::\/64$/, "::");
  if (isIP(address) === 0) throw new Error(`"${banned.address}" is not an IP address.`);
  return `address ${networkOf(unmapIPv4(address))}`;
}

function bannedOf(subject: string): Banned {
  const [kind = "", ...rest] = subject.split(" ");
  const name = rest.join(" ");
  return kind === "user" ? { user: name } : { address: name };
}

function unsupported(): never {
  throw new Error("The store of the app does not support bans: see `Store`.");
}
