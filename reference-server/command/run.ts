import { createRequire } from "node:module";
import type { Banned } from "../bans.ts";
import {
  addUser,
  ban,
  invite,
  kick,
  listSessions,
  listUsers,
  removeUser,
  setPassword,
  trustUsers,
  unban,
} from "./administer.ts";
import { backup } from "./backup.ts";
import { dev, devFlags } from "./dev.ts";
import { describeFlags, readFlags } from "./flags.ts";
import { serve, serveFlags, storeFlags } from "./serve.ts";

const help = `bonevalue-server: a discovery server for pages that connect directly to each other.

  bonevalue-server serve                Run the server until SIGTERM or Ctrl-C.
  bonevalue-server dev                  Run a server for development: in memory, for pages of this machine, with rooms,
                                        relays and two accounts. Tries --port and the ports after it until one is free.
                                        Prints a program to paste into a page.
  bonevalue-server user list            Print the names of all accounts.
  bonevalue-server user add NAME        Create an account. Asks for the password, or reads it from standard input.
  bonevalue-server user remove NAME     Remove an account with its sessions and trust.
  bonevalue-server user password NAME   Set a password, and end all sessions.
  bonevalue-server user trust A ALIAS-OF-B B ALIAS-OF-A
                                        Let accounts A and B trust each other: A calls B ALIAS-OF-B, and B calls A
                                        ALIAS-OF-A.
  bonevalue-server user sessions NAME   Print the sessions of an account, and when each was last used.
  bonevalue-server invite EMAIL         Print a one-use link with which the invited person creates an account.
  bonevalue-server invite EMAIL INVITER ALIAS-OF-INVITED ALIAS-OF-INVITER
                                        The same. When the invitation is accepted, the invited person and the account
                                        INVITER trust each other under these aliases.
  bonevalue-server kick PEER            End the session of a peer, which may sign in again.
  bonevalue-server ban                  Print the bans.
  bonevalue-server ban user|address NAME UNTIL
                                        End the sessions of a user, or of an IP address, and refuse new ones until a
                                        date such as 2030-12-31 or 2030-12-31T18:00Z.
  bonevalue-server unban user|address NAME
                                        End a ban.
  bonevalue-server backup FILE          Copy the SQLite file of a server, which may be running.

Changes take effect in running servers within a second.

Every flag can also be set by the environment variable beside it. Use environment variables for secrets,
because other users of the machine can see command lines. All commands accept --help, and all
except dev accept --store and --url. The other flags are for serve; --port is also for dev.
--version prints the version.

${describeFlags(serveFlags)}
`;

/** Runs one command; resolves to the exit code. Errors are printed on standard error. */
export async function run(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  try {
    return await dispatch(args, env);
  } catch (error) {
    printError(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

async function dispatch(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(help);
    return 0;
  }
  if (args.includes("--version")) {
    // By the name of the package: built files are at another depth than the source.
    console.log(createRequire(import.meta.url)("bonevalue-server/package.json").version);
    return 0;
  }
  if (args[0] === "dev") {
    const { values, positionals } = readFlags(devFlags, args.slice(1), env);
    if (positionals.length === 0) return dev(values);
  } else if (args[0] === "serve") {
    const { values, positionals } = readFlags(serveFlags, args.slice(1), env);
    if (positionals.length === 0) return serve(values);
  } else {
    const { values, positionals } = readFlags(storeFlags, args, env);
    const [first = "", second = "", name = "", ...more] = positionals;
    const command = `${first === "user" ? `user ${second}` : first} ${positionals.length}`;
    switch (command) {
      case "user list 2":
        return listUsers(values);
      case "user add 3":
        return addUser(name, values);
      case "user remove 3":
        return removeUser(name, values);
      case "user password 3":
        return setPassword(name, values);
      case "user sessions 3":
        return listSessions(name, values);
      case "user trust 6":
        return trustUsers([name, ...(more as [string, string, string])], values);
      case "invite 2":
        return invite(second, undefined, values);
      case "invite 5": {
        const [alias, as] = more;
        return invite(second, { from: name, alias, as }, values);
      }
      case "kick 2":
        return kick(second, values);
      case "ban 1":
        return ban(undefined, "", values);
      case "ban 4":
        return ban(bannedOf(second, name), more[0] ?? "", values);
      case "unban 3":
        return unban(bannedOf(second, name), values);
      case "backup 2":
        return backup(second, values);
    }
  }
  console.error(help);
  if (args.length > 0) printError(`unknown command "${args.join(" ")}".`);
  return 2;
}

/** Prints one line, with control characters escaped: a name in a message could change the terminal otherwise. */
function printError(message: string): void {
  const escaped = message.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`);
  console.error(`bonevalue-server: ${escaped}`);
}

function bannedOf(kind: string, name: string): Banned {
  if (kind === "user") return { user: name };
  if (kind === "address") return { address: name };
  throw new Error(`A ban is for a "user" or an "address", not for a "${kind}".`);
}
